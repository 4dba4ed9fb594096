import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diagnose } from '../../src/app/diagnose.ts';
import { quietJob } from '../../src/base/job.ts';
import { random } from '../../src/base/random.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { type Emit, float } from '../../src/graph/emit.ts';
import { world } from '../../src/jobs/world.ts';
import type { Report } from '../../src/report/report.ts';
import { workshop } from '../training/workshop.ts';

const ports = await world();
const chance = random(0, 'invariance');
const drawn = (emit: Emit, name: string, dims: readonly number[], scale = 0.5): string =>
  emit.hold(
    name,
    constantOf(
      'float32',
      dims,
      Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => scale * chance.normal()),
    ),
  );
const filled = (emit: Emit, name: string, size: number, value: number): string =>
  emit.hold(name, constantOf('float32', [size], new Float32Array(size).fill(value)));

const shop = workshop();
const COUNT = 80;
const x = Float32Array.from({ length: COUNT * 5 }, () => chance.normal());
const data = shop.arrays('rows.npz', {
  x: { dtype: 'float32', dims: [COUNT, 5], data: x },
  y: { dtype: 'int32', dims: [COUNT], data: Int32Array.from({ length: COUNT }, (_, i) => (x[5 * i] > 0 ? 1 : x[5 * i + 1] > 0 ? 2 : 0)) },
});
const alone = shop.arrays('one.npz', {
  x: { dtype: 'float32', dims: [1, 5], data: x.slice(0, 5) },
  y: { dtype: 'int32', dims: [1], data: Int32Array.of(1) },
});

/** 5 inputs, 8 hidden, 3 classes, with or without a normalisation of the hidden layer. The first weight is stored [out, in]. */
const net = (name: string, norm: 'none' | 'batch' | 'layer'): string =>
  shop.model(`${name}.onnx`, ['N', 5], ['N', 3], (emit) => {
    const hidden = emit.Gemm('x', drawn(emit, 'w1', [8, 5]), filled(emit, 'b1', 8, norm === 'batch' ? 0.3 : 0), { transB: 1 });
    const normed = {
      none: () => hidden,
      batch: () =>
        emit.call('BatchNormalization', [
          hidden,
          filled(emit, 'scale', 8, 1),
          filled(emit, 'shift', 8, 0.1),
          filled(emit, 'mean', 8, 0.2),
          filled(emit, 'variance', 8, 2),
        ]),
      layer: () =>
        emit.call('LayerNormalization', [hidden, filled(emit, 'scale', 8, 1), filled(emit, 'shift', 8, 0.1)], {
          axis: -1,
          epsilon: float(1e-9),
        }),
    }[norm]();
    return emit.MatMul(emit.Relu(normed), drawn(emit, 'w2', [8, 3]));
  });

const ask = (path: string, options: Record<string, unknown> = {}, from = data): Promise<Report> =>
  diagnose({ id: 'scale-invariance', model: { path }, data: { path: from }, options, device: 'cpu', seed: 0 }, ports, {
    ...quietJob(),
    live: () => {},
  });
/** A row of the table of weights, by the names of its columns. */
const weight = (report: Report, name: string): Record<string, unknown> => {
  const table = report.cards.find((c) => c.kind === 'table' && c.title === 'Weights');
  assert.ok(table?.kind === 'table');
  const row = table.rows.find((r) => r[0] === name) ?? assert.fail(name);
  return Object.fromEntries(table.columns.map((c, i) => [c.name, row[i]]));
};

const nets = { none: net('none', 'none'), batch: net('batch', 'batch'), layer: net('layer', 'layer') };

test('before a batch normalisation a weight and each of its channels are scale-invariant, by both tests', async () => {
  const report = await ask(nets.batch);
  assert.equal(report.outcome, 'measured', report.reason?.sentence);
  const first = weight(report, 'w1');
  assert.equal(first.invariant, 'yes');
  assert.equal(first.channels, '8 of 8');
  assert.equal(first.projected, 'by channel');
  assert.ok(Number(first.change) < 1e-3 && Number(first.channel_cosine) < 1e-3);
  const last = weight(report, 'w2');
  assert.equal(last.invariant, 'no');
  assert.equal(last.channels, '0 of 3');
  // Outputs are linear in the last weight: doubled, they change by their own length.
  assert.ok(Math.abs(Number(last.change) - 1) < 1e-5);
  assert.equal(report.headline.weights, 2);
  assert.equal(report.headline.scale_invariant, 1);
  assert.equal(report.headline.scale_invariant_share, 40 / 64);
  assert.equal(report.headline.channel_invariant_share, 8 / 11);
  assert.match(report.guide, /1 of 2 weights .* w1.*AdamP or SGDP, with a schedule/);
});

test('with stored statistics it is not, and the guide says why', async () => {
  const report = await ask(nets.batch, { statistics: 'stored' });
  assert.equal(weight(report, 'w1').invariant, 'no');
  assert.equal(report.headline.scale_invariant, 0);
  assert.match(report.guide, /With stored statistics a batch normalisation is a fixed scale/);
});

test('before a layer normalisation the whole weight is scale-invariant and its channels are not', async () => {
  const report = await ask(nets.layer);
  const first = weight(report, 'w1');
  assert.equal(first.invariant, 'yes');
  assert.equal(first.projected, 'as a whole');
  assert.equal(first.channels, '0 of 8');
});

test('without a normalisation nothing is, and AdamP would be AdamW', async () => {
  const report = await ask(nets.none);
  assert.equal(report.headline.scale_invariant, 0);
  assert.match(report.guide, /the model has no normalisation.*AdamP would be AdamW/);
});

test('lengths, cosines and effective steps are those of the gradient', async () => {
  const report = await ask(nets.none, { rate: 0.3, rows: 80 });
  const half = await ask(nets.none, { rate: 0.15, rows: 80 });
  for (const name of ['w1', 'w2']) {
    const { effective_step, gradient, length, layer_cosine } = weight(report, name);
    // ‖g⊥‖ = ‖g‖ √(1 − cos²).
    const across = Number(gradient) * Math.sqrt(1 - Number(layer_cosine) ** 2);
    assert.ok(Math.abs(Number(effective_step) - (0.3 * across) / Number(length)) < 1e-9);
    assert.ok(Math.abs(Number(effective_step) - 2 * Number(weight(half, name).effective_step)) < 1e-9);
  }
  assert.equal(weight(report, 'w1').channel_threshold, 0.1 / Math.sqrt(5));
  assert.equal(weight(report, 'w2').channel_threshold, 0.1 / Math.sqrt(8));
  assert.equal(weight(report, 'w1').layer_threshold, 0.1 / Math.sqrt(40));
});

test('channels are tested up to the number asked, or not at all', async () => {
  assert.equal(weight(await ask(nets.batch, { channels: 4 }), 'w1').channels, '4 of 4');
  const none = await ask(nets.batch, { channels: 0 });
  assert.equal(weight(none, 'w1').channels, 'not tested');
  assert.equal(none.headline.channel_invariant_share, undefined);
});

test('one row, a model of vectors alone, labels that the model does not tell apart', async () => {
  await assert.rejects(ask(nets.batch, {}, alone), /at least 2; give more rows/);
  const flat = shop.model('flat.onnx', ['N', 5], ['N', 5], (emit) => emit.Mul('x', drawn(emit, 'v', [5])));
  await assert.rejects(ask(flat), /no weight to test/);
  const two = shop.model('two.onnx', ['N', 5], ['N', 2], (emit) => emit.MatMul('x', drawn(emit, 'w', [5, 2])));
  await assert.rejects(ask(two), /2 classes/);
});
