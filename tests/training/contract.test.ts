import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { choose } from '../../src/base/option.ts';
import { float32 } from '../../src/base/tensor.ts';
import { constantOf } from '../../src/graph/constant.ts';
import type { Live } from '../../src/report/tasks.ts';
import { architectures } from '../../src/training/architectures/index.ts';
import { buildModel } from '../../src/training/build.ts';
import { parametersOf } from '../../src/training/parameters.ts';
import { groupsOf } from '../../src/training/trainable.ts';
import { workshop } from './workshop.ts';

const count = 20;
const shop = workshop();
const path = shop.arrays('d.npz', {
  x: float32(
    [count, 2],
    Float32Array.from({ length: 2 * count }, (_, i) => Math.sin(i + 1)),
  ),
  y: float32(
    [count],
    Array.from({ length: count }, (_, i) => i % 2),
  ),
});
/** Four steps an epoch, of 6, 6, 6 and 2 rows. */
const recipe = {
  arch: { kind: 'mlp', hidden: '4' },
  data: { train: path },
  split: { val: 0 },
  loss: 'cross-entropy',
  optimizer: { kind: 'sgd', lr: 0.1 },
  batch: 6,
  epochs: 2,
};
/** What is told of every step. */
const told = async (given: object) => {
  const events: Live[] = [];
  const { report } = await shop.run({ ...recipe, ...given }, { live: (e) => events.push(e) });
  const steps = events.flatMap((e) => (e.kind === 'steps' ? [e] : []));
  return { report, rates: steps.flatMap((e) => e.learningRate), losses: steps.flatMap((e) => e.loss) };
};

test('a schedule counts steps, epochs or rows, whatever it is told to', async () => {
  const at = {
    step: [0, 1, 2, 3, 4, 5, 6, 7].map((t) => t / 8),
    epoch: [0, 0, 0, 0, 1, 1, 1, 1].map((t) => t / 2),
    sample: [0, 6, 12, 18, 20, 26, 32, 38].map((t) => t / 40),
  };
  for (const [unit, shares] of Object.entries(at)) {
    const { rates } = await told({ schedule: { kind: 'cosine', unit } });
    assert.equal(rates.length, 8, unit);
    for (const [i, share] of shares.entries()) {
      const wanted = (0.1 * (1 + Math.cos(Math.PI * share))) / 2;
      assert.ok(Math.abs(rates[i] - wanted) < 1e-15, `${unit}, step ${i}: ${rates[i]} is not ${wanted}`);
    }
  }
});

test('the last batch of an epoch is short and never filled up: means are over the rows that there are', async () => {
  const still = { optimizer: { kind: 'sgd', lr: 0 }, epochs: 1 };
  const whole = await told({ ...still, batch: 'full' });
  const { report, losses } = await told(still);
  assert.equal(losses.length, 4);
  const [a, b, c, d] = losses;
  const mean = (6 * (a + b + c) + 2 * d) / 20;
  // Sums of 20 numbers below 2 in float32.
  assert.ok(Math.abs(mean - whole.losses[0]) < 1e-6, `${mean} is not ${whole.losses[0]}`);
  assert.ok(Math.abs(report.headline.train_loss - mean) < 1e-12);
  assert.ok(Math.abs((a + b + c + d) / 4 - mean) > 1e-4, 'a mean over steps is another number');
  const dropped = await told({ ...still, batch: { size: 6, dropLast: true } });
  assert.deepEqual(dropped.losses, [a, b, c]);
});

test('a report holds what its numbers hang on: device, versions, seed, and hashes of recipe and data', async () => {
  const run = async (given: object) => (await told({ seed: 7, ...given })).report.provenance;
  const provenance = await run({});
  assert.equal(provenance.device.actual, 'cpu');
  assert.equal(provenance.seed, 7);
  assert.deepEqual(Object.keys(provenance.versions), ['assay', 'onnxruntime', 'node']);
  assert.equal(provenance.dataSha256, createHash('sha256').update(readFileSync(path)).digest('hex'));
  const hash = provenance.options.recipeSha256;
  assert.match(String(hash), /^[0-9a-f]{64}$/);
  // What is only shown, and where it runs, is not what the numbers hang on.
  assert.equal((await run({ monitor: ['update-ratio'], provider: 'cpu' })).options.recipeSha256, hash);
  for (const other of [{ seed: 8 }, { optimizer: { kind: 'sgd', lr: 0.2 } }, { loss: { kind: 'cross-entropy', labelSmoothing: 0.1 } }])
    assert.notEqual((await run(other)).options.recipeSha256, hash);
});

test('every parameter is decayed, but for the kinds that a recipe spares', () => {
  const cnn = architectures.find((a) => a.id === 'cnn') ?? assert.fail();
  const { graph } = buildModel(cnn, [1, 8, 8], 10, choose('cnn', cnn.options, { channels: '4', hidden: '8', batchNorm: true }));
  const parameters = parametersOf(graph);
  const decayed = (decayExclude: readonly ('bias' | 'norm')[]): readonly (readonly [string, number | undefined])[] =>
    groupsOf({ groups: [{ match: 'dense2.*', lrScale: 1, weightDecay: 0.5 }], decayExclude }, parameters).flatMap((group) =>
      group.parameters.map(({ name }) => [name, group.weightDecay] as const),
    );
  const own = new Map(decayed([]));
  assert.equal(own.size, parameters.length);
  for (const [name, decay] of own) assert.equal(decay, name.startsWith('dense2.') ? 0.5 : undefined, name);
  const spared = new Map(decayed(['bias', 'norm']));
  for (const { name, role } of parameters) assert.equal(spared.get(name), role === 'weight' ? own.get(name) : 0, `${name}, a ${role}`);
  assert.deepEqual(
    decayed(['norm']).flatMap(([name, decay]) => (decay === 0 ? [name] : [])),
    ['bn1.weight', 'bn1.bias'],
  );
});

test('validation rows whose loss is not finite at first do not end up as the best', async () => {
  // One value of the validation rows overflows the first layer, which is not trained.
  const values = Float32Array.from({ length: 2 * count }, (_, i) => Math.sin(i + 1));
  const huge = values.slice();
  huge[0] = 3e38;
  const y = float32(
    [count],
    Array.from({ length: count }, (_, i) => i % 2),
  );
  const train = shop.arrays('t.npz', { x: float32([count, 2], values), y });
  const val = shop.arrays('v.npz', { x: float32([count, 2], huge), y });
  const model = shop.model('m.onnx', ['N', 2], ['N', 2], (emit) => {
    const hidden = emit.MatMul('x', emit.hold('first', constantOf('float32', [2, 2], [2, -2, 1, 3])));
    return emit.MatMul(hidden, emit.hold('last', constantOf('float32', [2, 2], [0.1, -0.1, 0.2, 0.3])));
  });
  const early = { ...recipe, arch: undefined, model, trainable: ['last'], data: { train, val }, epochs: 6, earlyStop: { patience: 3 } };
  const { report } = await shop.run(early);
  assert.equal(report.headline.epochs, 3);
  assert.equal(report.headline.validation_loss, undefined);
  const result = report.cards[0];
  assert.ok(result.kind === 'number' && !/The saved parameters are those of epoch/.test(result.caption ?? ''));
});
