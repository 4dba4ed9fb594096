import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { world } from '../../src/jobs/world.ts';

const folder = mkdtempSync(join(tmpdir(), 'assay-world-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const ports = await world();

test('versions of all that a result depends on', () => {
  const own = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  assert.equal(ports.versions.assay, own.version);
  assert.equal(ports.versions.node, process.versions.node);
  assert.match(ports.versions.onnxruntime, /^\d+\.\d+\.\d+/);
});

test('the digest of a file follows its content, also when the size stays', async () => {
  const path = join(folder, 'data.bin');
  const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
  writeFileSync(path, 'abc');
  // FIPS 180-2, appendix B.1.
  assert.equal(await ports.sha256(path), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  assert.equal(await ports.sha256(path), digest('abc'));
  writeFileSync(path, 'abd');
  utimesSync(path, new Date(), new Date(Date.now() + 5000));
  assert.equal(await ports.sha256(path), digest('abd'));
  await assert.rejects(ports.sha256(join(folder, 'none')), (e) => Fault.is(e, 'file/missing'));
});

test('a file is written whole, with its folders, or not at all', async () => {
  const path = join(folder, 'a', 'b', 'out.onnx');
  await ports.write(path, Uint8Array.of(1, 2, 3));
  await ports.write(path, Uint8Array.of(4));
  assert.deepEqual([...readFileSync(path)], [4]);
  assert.deepEqual(readdirSync(join(folder, 'a', 'b')), ['out.onnx']);
  writeFileSync(join(folder, 'file'), 'x');
  await assert.rejects(
    ports.write(join(folder, 'file', 'out'), Uint8Array.of(1)),
    (e) => Fault.is(e, 'file/unwritable') && e.message.includes('out'),
  );
  await assert.rejects(ports.write(join(folder, 'a'), Uint8Array.of(1)), (e) => Fault.is(e, 'file/unwritable'));
  assert.deepEqual(
    readdirSync(folder).filter((f) => f.endsWith('.part')),
    [],
  );
});

test('writing keeps links and modes, and never replaces what is no file', { skip: process.platform === 'win32' }, async () => {
  const [target, link] = [join(folder, 'target'), join(folder, 'link')];
  writeFileSync(target, 'old', { mode: 0o640 });
  symlinkSync(target, link);
  await ports.write(link, Uint8Array.of(65));
  assert.ok(lstatSync(link).isSymbolicLink());
  assert.equal(readFileSync(target, 'utf8'), 'A');
  assert.equal(statSync(target).mode & 0o777, 0o640);
  await ports.write('/dev/null', Uint8Array.of(65));
  assert.ok(statSync('/dev/null').isCharacterDevice());
});

test('paths are seen from the folder of the file that names them; absolute ones stay', () => {
  const suite = join(folder, 'suite', 'assay.json');
  assert.equal(ports.resolve(suite, '../m.onnx'), join(folder, 'm.onnx'));
  assert.equal(ports.resolve(suite, resolve('/m.onnx')), resolve('/m.onnx'));
});

test('what is no plain file is refused with what it is', { skip: process.platform === 'win32' }, async () => {
  const refused = (path: string, sentence: RegExp): Promise<void> => assert.rejects(ports.source(path), sentence);
  await refused('/dev/zero', /'\/dev\/zero' cannot be read: it is a device; name a plain file/);
  const [turned, long] = [join(folder, 'turned'), join(folder, 'a'.repeat(300))];
  symlinkSync(turned, turned);
  await refused(turned, /it is a link that leads back to itself/);
  await refused(long, /its name is longer than this system allows/);
  if (process.platform !== 'linux') return;
  await refused('/proc/self/status', /the system makes it up while it is read; copy it to a plain file/);
  await refused('/proc/x.onnx', /'\/proc\/x\.onnx' does not exist/);
  await assert.rejects(
    ports.write('/proc/x.onnx', Uint8Array.of(65)),
    /'\/proc\/x\.onnx' cannot be written: .*(takes no new files|permission denied)/,
  );
});

test('a directory, an absent and an empty file are told apart', async () => {
  writeFileSync(join(folder, 'empty'), '');
  await assert.rejects(ports.source(folder), (e) => Fault.is(e, 'file/directory'));
  await assert.rejects(ports.source(join(folder, 'none')), (e) => Fault.is(e, 'file/missing'));
  await assert.rejects(ports.source(join(folder, 'empty')), (e) => Fault.is(e, 'file/empty'));
});
