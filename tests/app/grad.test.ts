import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { grad } from '../../src/app/grad.ts';
import type { AppJob } from '../../src/app/ports.ts';
import { quietJob } from '../../src/base/job.ts';
import { float32, type Tensor } from '../../src/base/tensor.ts';
import { parse } from '../../src/graph/parse.ts';
import { write } from '../../src/graph/write.ts';
import { writeExternal } from '../../src/graph/write-external.ts';
import { world } from '../../src/jobs/world.ts';
import { floatConstant, graph, model, node, value } from '../graph/build.ts';

const ports = await world();
const folder = mkdtempSync(join(tmpdir(), 'assay-grad-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const jobOf = (): AppJob => ({ ...quietJob(), live: () => {} });
const beside = (name: string): string => join(folder, name);

const m = model(
  graph([value('x', ['N', 20])], [node('MatMul', ['x', 'w'], ['h']), node('Tanh', ['h'], ['y'])], [value('y', ['N', 30])], {
    w: floatConstant([20, 30], 0.3),
  }),
);
writeFileSync(beside('whole.onnx'), write(m));
const { model: bytes, data } = writeExternal(m, 'weights.bin');
writeFileSync(beside('model.onnx'), bytes);
writeFileSync(beside('weights.bin'), Buffer.concat(data.filter((part) => part instanceof Uint8Array)));

const feeds = {
  x: float32(
    [2, 20],
    Float32Array.from({ length: 40 }, (_, i) => Math.sin(i)),
  ),
};
const gradientOf = async (path: string): Promise<Tensor> => {
  const { session } = await ports.runtime.open(path, { device: 'cpu', name: path });
  const out = await session.run(feeds, ['grad/x']);
  await session.release();
  return out['grad/x'];
};
const made = async (from: string, to: string): Promise<readonly string[]> =>
  (await grad({ model: from, out: to, of: 'sum', wrt: ['inputs'] }, ports, jobOf())).notes;

test('weights beside the model are shared by a result in the same folder', async () => {
  await made(beside('whole.onnx'), beside('expected.onnx'));
  const before = readdirSync(folder).length;
  const notes = await made(beside('model.onnx'), beside('gradient.onnx'));
  assert.equal(readdirSync(folder).length, before + 1);
  assert.match(notes.join('\n'), /stay in weights\.bin/);
  assert.deepEqual(await gradientOf(beside('gradient.onnx')), await gradientOf(beside('expected.onnx')));
});

test('in another folder the result has a file of weights of its own', async () => {
  mkdirSync(beside('other'));
  const notes = await made(beside('model.onnx'), beside('other/gradient.onnx'));
  assert.match(notes.join('\n'), /are in gradient\.onnx\.data/);
  assert.deepEqual(readdirSync(beside('other')).sort(), ['gradient.onnx', 'gradient.onnx.data']);
  assert.equal(statSync(beside('other/gradient.onnx.data')).size, 20 * 30 * 4);
  assert.deepEqual(await gradientOf(beside('other/gradient.onnx')), await gradientOf(beside('expected.onnx')));
});

test('a loss graph brings its own weights, from whatever folder', async () => {
  const loss = model(
    graph([value('y', ['N', 30])], [node('MatMul', ['y', 'v'], ['z']), node('ReduceSum', ['z'], ['l'])], [value('l', [])], {
      v: floatConstant([30, 40], 0.1),
    }),
  );
  mkdirSync(beside('losses'));
  const parts = writeExternal(loss, 'v.bin');
  writeFileSync(beside('losses/loss.onnx'), parts.model);
  writeFileSync(beside('losses/v.bin'), Buffer.concat(parts.data.filter((part) => part instanceof Uint8Array)));
  writeFileSync(beside('inner.onnx'), write(loss));
  const results: Tensor[] = [];
  for (const [path, out] of [
    ['losses/loss.onnx', 'a.onnx'],
    ['inner.onnx', 'b.onnx'],
  ] as const) {
    await grad({ model: beside('model.onnx'), loss: beside(path), out: beside(out), of: '', wrt: ['x'] }, ports, jobOf());
    assert.deepEqual(
      parse(readFileSync(beside(out)), out).graph.inputs.map((i) => i.name),
      ['x'],
    );
    results.push(await gradientOf(beside(out)));
  }
  assert.deepEqual(results[0], results[1]);
});
