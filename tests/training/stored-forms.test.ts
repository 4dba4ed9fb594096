import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { float32, type Tensor } from '../../src/base/tensor.ts';
import { constantOf, numbersOf } from '../../src/graph/constant.ts';
import { parse } from '../../src/graph/parse.ts';
import type { Model } from '../../src/graph/types.ts';
import { write } from '../../src/graph/write.ts';
import { writeExternal } from '../../src/graph/write-external.ts';
import { halved } from '../autodiff/half-copy.ts';
import { fixture, runModel } from '../graph/run.ts';
import { digitsData, workshop } from './workshop.ts';

const recipe = (model: string, extra: object = {}) => ({
  model,
  data: digitsData,
  loss: 'cross-entropy',
  optimizer: { kind: 'adam', lr: 0.003 },
  batch: { size: 64 },
  epochs: 2,
  init: 'torch-default',
  seed: 3,
  ...extra,
});
const free = fixture('mlp_digits');
const at = (model: Model, rows: number): Model => ({
  ...model,
  graph: {
    ...model.graph,
    inputs: [{ name: 'x', type: { kind: 'tensor', dtype: 'float32', dims: [rows, 1, 8, 8] } }],
    outputs: [{ name: 'logits', type: { kind: 'tensor', dtype: 'float32', dims: [rows, 10] } }],
  },
});
const stored = (path: string): Model => parse(readFileSync(path), path);

test('a file in half precision is trained in float32 and saved in half precision again', async () => {
  const { at: path, run } = workshop();
  for (const dtype of ['float16', 'bfloat16'] as const) {
    writeFileSync(path(`${dtype}.onnx`), write(halved(free, dtype)));
    const { report, out, notes } = await run(recipe(path(`${dtype}.onnx`)));
    assert.match(notes.join('\n'), /in half precision: it is trained in float32 and saved in half precision again/);
    // The same from the float32 file: initial values are drawn alike, and nothing is rounded before the end.
    writeFileSync(path('single.onnx'), write(free));
    const single = await run(recipe(path('single.onnx')), { out: path('single.out.onnx') });
    assert.ok(report.headline.test_accuracy > 0.5);
    assert.equal(report.headline.test_accuracy, single.report.headline.test_accuracy);
    const [a, b] = [stored(out), stored(path('single.out.onnx'))];
    for (const [name, c] of b.graph.initializers) {
      if (c.dtype !== 'float32' || c.dims.length === 0) continue;
      const other = a.graph.initializers.get(name);
      assert.equal(other?.dtype, dtype, name);
    }
    if (dtype === 'bfloat16') continue;
    const x: Tensor = { dtype: 'float16', dims: [2, 1, 8, 8], data: new Uint16Array(128).fill(0x3800) };
    const half = (await runModel(a, { x })).logits.data as Uint16Array;
    const full = (await runModel(b, { x: float32([2, 1, 8, 8], new Float32Array(128).fill(0.5)) })).logits.data as Float32Array;
    // 11 bits of precision through two layers.
    const values = numbersOf(constantOf('float32', [20], full));
    const read = (h: number): number => (h & 0x8000 ? -1 : 1) * 2 ** (((h >> 10) & 31) - 15) * (1 + (h & 1023) / 1024);
    const largest = Math.max(...values.map(Math.abs));
    values.forEach((v, i) => void assert.ok(Math.abs(read(half[i]) - v) <= 2e-2 * largest, `${i}: ${read(half[i])} for ${v}`));
  }
});

test('a file with a fixed batch is trained as one with a free batch, and keeps its form', async () => {
  const { at: path, run } = workshop();
  writeFileSync(path('free.onnx'), write(free));
  const expected = await run(recipe(path('free.onnx')), { out: path('expected.onnx') });
  for (const rows of [1, 4]) {
    writeFileSync(path('fixed.onnx'), write(at(free, rows)));
    const { report, out, notes } = await run(recipe(path('fixed.onnx')));
    assert.match(notes.join('\n'), new RegExp(`written for batches of ${rows}; it is trained with a free batch axis`));
    assert.ok(report.headline.test_accuracy > 0.5);
    assert.equal(report.headline.test_accuracy, expected.report.headline.test_accuracy);
    const [a, b] = [stored(out), stored(path('expected.onnx'))];
    assert.deepEqual(a.graph.inputs[0].type, { kind: 'tensor', dtype: 'float32', dims: [rows, 1, 8, 8] });
    for (const [name, c] of b.graph.initializers) assert.deepEqual(a.graph.initializers.get(name)?.bytes, c.bytes, name);
  }
});

test('weights beside the file are trained and saved in one; the hash of the model covers them', async () => {
  const { at: path, run } = workshop();
  const save = (weights: Model): void => {
    const { model, data } = writeExternal(weights, 'weights.bin');
    writeFileSync(path('model.onnx'), model);
    writeFileSync(path('weights.bin'), Buffer.concat(data.filter((part) => part instanceof Uint8Array)));
  };
  save(free);
  const kept = { init: 'keep', epochs: 1, batch: { size: 256 } };
  const first = await run(recipe(path('model.onnx'), kept));
  assert.ok(Array.from(stored(first.out).graph.initializers.values()).every((c) => !c.external));
  const changed = new Map(
    Array.from(free.graph.initializers, ([name, c]) => [
      name,
      c.dtype === 'float32'
        ? constantOf(
            'float32',
            c.dims,
            numbersOf(c).map((v) => v / 2),
          )
        : c,
    ]),
  );
  save({ ...free, graph: { ...free.graph, initializers: changed } });
  const second = await run(recipe(path('model.onnx'), kept));
  assert.match(first.report.provenance.modelSha256 ?? '', /^[0-9a-f]{64}$/);
  assert.notEqual(second.report.provenance.modelSha256, first.report.provenance.modelSha256);
  assert.notEqual(second.report.headline.train_loss, first.report.headline.train_loss);
});
