import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { escapes, externalFiles, loadExternal } from '../../src/graph/external.ts';
import { parse } from '../../src/graph/parse.ts';
import { prepare } from '../../src/graph/prepare.ts';
import { feedsOf, planOf } from '../../src/graph/probe-feeds.ts';
import type { Model } from '../../src/graph/types.ts';
import { writeExternal } from '../../src/graph/write-external.ts';
import { onnxruntime } from '../../src/runtime/onnxruntime.ts';
import { fixture, run, runModel } from './run.ts';

const whole = fixture('lenet_mnist');
const { model: file, data } = writeExternal(whole, 'lenet.data');
const stored = Buffer.concat(data.filter((part) => part instanceof Uint8Array));
const outside = (m: Model): Model => parse(file, m.graph.name);
const read = async (_: string, offset: number, length: number): Promise<Uint8Array> => stored.subarray(offset, offset + length);
const folder = mkdtempSync(join(tmpdir(), 'assay-external-'));
writeFileSync(join(folder, 'lenet.onnx'), file);
writeFileSync(join(folder, 'lenet.data'), stored);
after(() => rmSync(folder, { recursive: true }));

test('external weights come into memory as they were', async () => {
  const m = parse(file, 'lenet.onnx');
  deepEqual(externalFiles(m.graph), ['lenet.data']);
  const loaded = await loadExternal(m, read);
  deepEqual(externalFiles(loaded.graph), []);
  const feeds = feedsOf(planOf(whole.graph), 2, 1);
  deepEqual(await runModel(loaded, feeds), await runModel(whole, feeds));
});

test('a model with external weights is prepared without reading them', async () => {
  const m = parse(file, 'lenet.onnx', folder);
  const runtime = onnxruntime();
  const prepared = await prepare(m, async (bytes, feeds, wanted) => {
    const { session } = await runtime.open(bytes, { device: 'cpu', name: 'lenet', folder, optimize: 'off' });
    const out = await session.run(feeds, wanted);
    await session.release();
    return out;
  });
  equal(prepared.model.folder, folder);
  deepEqual(externalFiles(prepared.model.graph), ['lenet.data']);
  const inside = await prepare(whole, run);
  deepEqual(prepared.probed.types, inside.probed.types);
});

test('a file that is missing or too short is named', async () => {
  const missing = async (location: string): Promise<Uint8Array> => {
    throw new Fault('file/missing', { path: location });
  };
  await rejects(loadExternal(outside(whole), missing), /'lenet.data' cannot be used: the file is missing/);
  const short = async (_: string, offset: number, length: number): Promise<Uint8Array> => stored.subarray(offset, offset + length - 1);
  await rejects(
    loadExternal(outside(whole), short),
    (error: unknown) => Fault.is(error, 'graph/external') && /bytes are wanted/.test(error.message),
  );
});

test('only files beside the model are read', () => {
  for (const location of ['/a', '\\\\server\\a', 'C:/a', 'c:\\a', '../a', 'a/../../b', 'a\\..\\..\\b', '..', ''])
    ok(escapes(location), location);
  for (const location of ['a', 'a/b.bin', '..a', 'a..b', './a']) equal(escapes(location), undefined, location);
});
