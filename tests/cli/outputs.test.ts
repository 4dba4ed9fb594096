import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import test from 'node:test';
import { Fault, type FaultCode } from '../../src/base/fault.ts';
import { checkOutputs } from '../../src/cli/outputs.ts';
import { folder } from './program.ts';

const home = folder();
const at = (name: string): string => join(home, name);
writeFileSync(at('in.onnx'), 'model');
mkdirSync(at('folder'));
const check = (flags: Readonly<Record<string, string>>): Promise<void> => checkOutputs({ words: [], flags }, [at('in.onnx'), undefined]);

test('new files, in new folders, and the standard output are fine', async () => {
  await check({ out: at('deep/er/out.onnx'), json: at('r.json'), html: '-', data: at('in.onnx') });
  await check({ json: '/dev/null', html: '/dev/null' });
});

for (const [what, flags, code, message] of [
  ['an input', { json: at('in.onnx') }, 'file/overwrites', /--json '.*in\.onnx' would overwrite/],
  ['an input by another path', { out: relative(process.cwd(), at('folder/../in.onnx')) }, 'file/overwrites', /^-o /],
  ['one file twice', { json: at('r'), html: at('folder/../r') }, 'file/same', /--json and --html both name/],
  ['the standard output twice', { json: '-', html: '-' }, 'file/same', /'-'/],
  ['a directory', { junit: at('folder') }, 'file/directory', /folder/],
  ['a path through a file', { json: at('in.onnx/r.json') }, 'file/unwritable', /a part of its path is a file/],
] as const satisfies readonly (readonly [string, Readonly<Record<string, string>>, FaultCode, RegExp])[]) {
  test(`refused before any work: ${what}`, () => assert.rejects(check(flags), (e) => Fault.is(e, code) && message.test(e.message)));
}

test('refused before any work: an input behind a link', { skip: process.platform === 'win32' }, async () => {
  symlinkSync(at('in.onnx'), at('link'));
  await assert.rejects(check({ html: at('link') }), (e) => Fault.is(e, 'file/overwrites'));
});
