import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { float32, int64 } from '../../src/base/tensor.ts';
import { readNpz } from '../../src/data/npz.ts';
import { dataOf } from '../../src/graph/constant.ts';
import { parse } from '../../src/graph/parse.ts';
import { atStep, digitsData, wholeAndInPieces, workshop } from './workshop.ts';

const base = {
  arch: { kind: 'mlp', hidden: '16' },
  data: digitsData,
  loss: 'cross-entropy',
  optimizer: { kind: 'adam', lr: 1e-3 },
  batch: 32,
  epochs: 2,
  seed: 1,
};
const stored = (path: string, name: string): number[] => {
  const c = parse(readFileSync(path), 'model').graph.initializers.get(name);
  assert.ok(c, name);
  return Array.from(dataOf(c) as ArrayLike<number>);
};
const refused = async (recipe: object, code: string, words: RegExp): Promise<void> => {
  await assert.rejects(workshop().run(recipe), (error) => {
    assert.ok(error instanceof Fault);
    assert.equal(error.code, code);
    assert.match(error.message, words);
    return true;
  });
};

test('a run with terms, a sampler, a growing batch and monitors, stopped and resumed, is the run that was not', async () => {
  const recipe = {
    ...base,
    epochs: 4,
    regularizers: [{ kind: 'l1', weight: 1e-3 }, 'input-gradient'],
    lossScaling: 'guided',
    sampler: 'balanced',
    batch: { size: 16, schedule: { kind: 'doubling', steps: 30, max: 64 } },
    monitor: ['update-ratio', 'effective-step'],
  };
  const { whole: a, pieces } = await wholeAndInPieces(recipe, atStep(1));
  const states = [a, pieces].map(({ shop }) => readNpz(readFileSync(shop.at('out.checkpoint.state'))));
  for (const [key, tensor] of Object.entries(states[0])) if (key !== 'meta') assert.deepEqual(states[1][key], tensor, key);
  assert.ok(['monitor/update-ratio', 'monitor/term/l1', 'monitor/term/loss-scale', 'state/scaling/mean'].every((key) => key in states[0]));
  const titles = a.report.cards.map((c) => c.title);
  assert.ok(['Update-to-weight ratio', 'Effective step size', 'Terms added to the loss'].every((t) => titles.includes(t)));
});

test('a teacher and its own labels: with weight 0 the run is the one with labels', async () => {
  const shop = workshop();
  await shop.run(base, { out: shop.at('teacher.onnx') });
  const targets = { kind: 'teacher', model: 'teacher.onnx', temperature: 1, weight: 0 };
  const soft = await shop.run({ ...base, targets });
  const hard = await workshop().run(base);
  const [a, b] = [stored(soft.out, 'dense1.weight'), stored(hard.out, 'dense1.weight')];
  // Σ s log p over one-hot shares is log p_y with zeros added.
  assert.ok(a.every((v, i) => Math.abs(v - b[i]) < 1e-6));
  const taught = await shop.run({ ...base, targets: { ...targets, weight: 1, temperature: 2 } });
  assert.notDeepEqual(stored(taught.out, 'dense1.weight'), a);
});

test('a new head on a trained model: its body stays, its own parameters are trained, what is fixed is not', async () => {
  const shop = workshop();
  await shop.run({ ...base, epochs: 8 }, { out: shop.at('body.onnx') });
  const { arch: _, ...rest } = base;
  const { out, report } = await shop.run({
    ...rest,
    model: 'body.onnx',
    head: { kind: 'cosine', scale: 8 },
    trainable: ['head.weight'],
    optimizer: { kind: 'adam', lr: 0.01 },
    epochs: 8,
  });
  assert.equal(report.headline.parameters, 10 * 16);
  assert.deepEqual(stored(out, 'dense1.weight'), stored(shop.at('body.onnx'), 'dense1.weight'));
  assert.deepEqual(stored(out, 'head.scale'), [8]);
  assert.ok(report.headline.test_accuracy > 0.5, String(report.headline.test_accuracy));
  const { outputs } = parse(readFileSync(out), 'model').graph;
  assert.deepEqual(
    outputs.map((o) => o.name),
    ['logits'],
  );
});

test('embeddings are learned from a head without classes, and proxies are not saved', async () => {
  const { out, report } = await workshop().run({
    ...base,
    epochs: 6,
    optimizer: { kind: 'adam', lr: 0.01 },
    head: { kind: 'embedding', dim: 8 },
    loss: 'proxy-anchor',
  });
  assert.ok(report.headline.test_accuracy > 0.5, String(report.headline.test_accuracy));
  assert.equal(report.headline.parameters, 64 * 16 + 16 + 16 * 8 + 8 + 10 * 8);
  const { initializers } = parse(readFileSync(out), 'model').graph;
  assert.ok(![...initializers.keys()].some((name) => name.includes('own')));
  assert.ok(stored(out, 'head.weight').length === 8 * 16);
});

test('optimal biases are the logarithms of the shares of the classes', async () => {
  const shop = workshop();
  const y = [0, 0, 0, 1, 1, 2, 0, 0];
  shop.arrays('rows.npz', { x: float32([8, 2], new Float32Array(16)), y: int64([8], y) });
  const recipe = {
    ...base,
    data: { train: 'rows.npz' },
    split: { val: 0 },
    arch: { kind: 'mlp', hidden: '' },
    batch: 8,
    epochs: 1,
    optimizer: { kind: 'sgd', lr: 0 },
    biasInit: 'optimal',
  };
  const { out } = await shop.run(recipe);
  const biases = stored(out, 'dense1.bias');
  // float32 holds seven digits.
  for (const [c, n] of [5, 2, 1].entries()) assert.ok(Math.abs(biases[c] - Math.log(n / 8)) < 1e-6);
});

test('stages train one after the other, each what it names', async () => {
  const shop = workshop();
  await shop.run({ ...base, epochs: 1 }, { out: shop.at('first.onnx') });
  const { arch: _, ...rest } = base;
  const { out, report } = await shop.run({
    ...rest,
    model: 'first.onnx',
    regime: { kind: 'stages', plan: 'dense2*:1:1,dense2.bias:1:0.5' },
  });
  assert.deepEqual(stored(out, 'dense1.weight'), stored(shop.at('first.onnx'), 'dense1.weight'));
  assert.notDeepEqual(stored(out, 'dense2.weight'), stored(shop.at('first.onnx'), 'dense2.weight'));
  const table = report.cards.find((c) => c.title === 'Stages');
  assert.ok(table?.kind === 'table' && table.rows.length === 2);
});

test('L-BFGS on the whole data: the loss never rises, and it resumes', async () => {
  const recipe = { ...base, optimizer: 'lbfgs', batch: 'full', epochs: 12 };
  const { shop, report } = (await wholeAndInPieces(recipe, atStep(1))).whole;
  const loss = readNpz(readFileSync(shop.at('out.checkpoint.state')))['curve/loss'].data as Float64Array;
  assert.ok(loss.every((v, i) => i === 0 || v <= loss[i - 1]));
  assert.ok(loss[11] < 0.5 * loss[0], String(loss[11]));
  assert.ok(report.headline.test_accuracy > 0.8);
});

test('batches of P classes times M rows train an embedding; a class of one row is told once, a batch that does not fit is refused', async () => {
  const shop = workshop();
  const labels = Array.from({ length: 41 }, (_, i) => (i === 40 ? 4 : i % 4));
  const x = labels.flatMap((c, i) => [Math.sin(c * 1.6) + 0.1 * Math.sin(i), Math.cos(c * 1.6), 0.1 * Math.cos(3 * i)]);
  const data = shop.arrays('d.npz', { x: float32([41, 3], x), y: int64([41], labels) });
  const recipe = {
    ...base,
    data: { train: data },
    split: { val: 0 },
    arch: { kind: 'mlp', hidden: '8', dropout: 0.1 },
    head: { kind: 'embedding', dim: 4 },
    loss: 'n-pair',
    sampler: { kind: 'm-per-class', instances: 3 },
    batch: 9,
    epochs: 12,
  };
  const { report, notes } = await shop.run(recipe, { force: true });
  assert.equal(report.headline.steps, 12 * 4);
  assert.equal(notes.filter((n) => /drew no row of class 4/.test(n)).length, 1);
  assert.ok(report.headline.train_accuracy > 0.6, String(report.headline.train_accuracy));
  await assert.rejects(shop.run({ ...recipe, batch: 10 }, { force: true }), (e) => Fault.is(e, 'training/class-batch'));
});

test('a comparison pairs the seeds and tells what the baseline is', async () => {
  const { report } = await workshop().run(
    { ...base, sampler: 'balanced', regularizers: ['l1'] },
    { out: '', compare: { with: 'baseline', seeds: 3 } },
  );
  const { headline, intervals } = report;
  assert.ok(Math.abs(headline.test_accuracy_difference - (headline.test_accuracy - headline.test_accuracy_baseline)) < 1e-12);
  const { low, high } = intervals.test_accuracy_difference;
  assert.ok(low <= headline.test_accuracy_difference && headline.test_accuracy_difference <= high);
  assert.ok(report.notes.some((n) => n.includes("sampler 'shuffle' for 'balanced'") && n.includes("without regularizers 'l1'")));
  const seeds = report.cards.find((c) => c.title === 'Seeds');
  assert.deepEqual(seeds?.kind === 'table' && seeds.rows.map(([seed]) => seed), [1, 2, 3]);
  await assert.rejects(workshop().run(base, { out: '', compare: { with: 'baseline', seeds: 2 } }), (e) =>
    Fault.is(e, 'training/no-baseline'),
  );
});

test('losses of different kinds are not set against each other; a difference without spread is told to be chance', async () => {
  const of = (recipe: object) => workshop().run({ ...base, ...recipe }, { out: '', compare: { with: 'baseline', seeds: 2 } });
  const { headline, notes } = (await of({ loss: 'z-loss' })).report;
  assert.ok(Number.isFinite(headline.test_accuracy_difference));
  assert.deepEqual(
    Object.keys(headline).filter((name) => /loss/.test(name)),
    [],
  );
  assert.ok(
    notes.some((n) => /^Losses are left out/.test(n)),
    notes.join(' | '),
  );
  const soft = (await of({ targets: 'ps-kd' })).report;
  assert.ok(Number.isFinite(soft.headline.test_loss_difference) && soft.headline.train_loss_difference === undefined);
  assert.ok(soft.notes.some((n) => /^Training losses are left out/.test(n)));
  // With δ = 0 nothing is projected: AdamP is AdamW, bit for bit.
  const same = (await of({ optimizer: { kind: 'adamp', delta: 0 } })).report;
  assert.equal(same.headline.test_accuracy_difference, 0);
  assert.ok(same.notes.some((n) => /every seed has the same difference/.test(n)));
});

test('parts that do not fit are refused by name', async () => {
  await refused({ ...base, loss: 'mse', sampler: 'balanced' }, 'training/part', /sampler 'balanced' needs classes/);
  await refused({ ...base, loss: 'focal', targets: { kind: 'teacher', model: 'x.onnx' } }, 'training/part', /loss 'focal' does not take/);
  await refused({ ...base, lossScaling: 'guided' }, 'training/part', /there are none/);
  await refused({ ...base, optimizer: 'lbfgs', clip: { norm: 1 } }, 'training/recipe', /clip: 'lbfgs' moves the parameters/);
  await refused({ ...base, data: { ...digitsData, domainKey: 'site' } }, 'training/column', /has no column 'site'/);
  await refused({ ...base, targets: 'teacher' }, 'training/part', /needs a model/);
  await refused({ ...base, regime: { kind: 'stages', plan: 'dense9:1:1' } }, 'option/value', /matches at least one parameter/);
});
