import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { random } from '../../src/base/random.ts';
import { float32, int64 } from '../../src/base/tensor.ts';
import { numbersOf } from '../../src/graph/constant.ts';
import { parse } from '../../src/graph/parse.ts';
import { compileSteps } from '../../src/training/compile.ts';
import type { Plan } from '../../src/training/plan.ts';
import { blockOver, denoisingLoss, type Embedding, sharedOf, sharedValues, together } from '../../src/training/regimes/noprop-blocks.ts';
import { chainStep, firstDivergence, levelsOf, signalToNoise } from '../../src/training/regimes/noprop-levels.ts';
import { float64, once, open } from './session.ts';
import { call, planOf } from './subject.ts';
import { digitsData, workshop } from './workshop.ts';

const near = (a: number, b: number, tolerance: number): void => assert.ok(Math.abs(a - b) <= tolerance, `${a} is not ${b}`);
/** The card prints seven decimals. */
const all = (a: ArrayLike<number>, b: readonly number[]): void => {
  assert.equal(a.length, b.length);
  b.forEach((v, i) => {
    near(a[i], v, 5.1e-8);
  });
};

test('levels, signal-to-noise, chain and divergence are those of the card', () => {
  const level = [0.1, 0.5, 0.9];
  all(level.map(signalToNoise), [0.1111111, 1, 9]);
  const [first, second] = [chainStep(level[0], level[1]), chainStep(level[1], level[2])];
  all([first.a, second.a], [0.6285394, 0.843274]);
  all([first.b, second.b], [0.248452, 0.1490712]);
  all([first.c, second.c], [0.4444444, 0.0888889]);
  near(firstDivergence(10, 1, 0.1), 0.0768026, 5.1e-8);
  const due = [0.0001, 0.024088, 0.094031, 0.2030899, 0.3407567, 0.4937668, 0.6473776, 0.7867882, 0.8985663, 0.9719417, 0.9998446];
  all(levelsOf('cosine', 10, { low: 1e-4, high: 1 - 1e-4 }), due);
  assert.deepEqual(Array.from(levelsOf('linear', 4, { low: 0.01, high: 0.9 })), [0.01, 0.25, 0.5, 0.75, 0.9]);
});

test('the chain is the posterior at every level, and with the true label ends at the last one', () => {
  for (const schedule of ['cosine', 'linear'] as const) {
    const level = levelsOf(schedule, 12, { low: 1e-4, high: 0.99999 });
    let [mean, variance] = [Math.sqrt(level[0]), 1 - level[0]];
    for (let t = 1; t < level.length; t++) {
      const { a, b, c } = chainStep(level[t - 1], level[t]);
      near(a + b * Math.sqrt(level[t - 1]), Math.sqrt(level[t]), 1e-12);
      near(b * b * (1 - level[t - 1]) + c, 1 - level[t], 1e-12);
      mean = a + b * mean;
      variance = b * b * variance + c;
    }
    near(mean, Math.sqrt(level[12]), 1e-12);
    near(variance, 1 - level[12], 1e-12);
  }
});

const relu = (v: number): number => Math.max(0, v);
const times = (W: ArrayLike<number>, x: readonly number[], bias: ArrayLike<number>): number[] =>
  Array.from(bias, (b, i) => x.reduce((sum, v, j) => sum + W[i * x.length + j] * v, b));

for (const kind of ['one-hot', 'prototype', 'learned'] as const)
  test(`the compiled step of a block descends its objective, ${kind}`, async () => {
    const embedding: Embedding =
      kind === 'one-hot'
        ? { classes: 3, width: 3 }
        : { classes: 3, width: 2, table: Float64Array.of(1, 0.5, -1, 0.2, 0.3, -0.7), ...(kind === 'learned' ? { learned: true } : {}) };
    const { width } = embedding;
    const hidden = 4;
    const base = planOf('mlp', [2], 3, { hidden: '' });
    const empty = { ...base.graph, nodes: [], initializers: new Map(), values: new Map() };
    const block = blockOver(empty, { value: 'x', row: [2] }, { prefix: 'b', hidden, images: false, embedding }, random(5, 'block'));
    const shared = sharedOf(embedding);
    const [before, last, weight, first] = [0.2, 0.9, 1.7, 0.1];
    const plan: Plan = {
      ...base,
      graph: { ...block.graph, initializers: new Map([...block.graph.initializers, ...sharedValues(embedding, random(5, 'shared'))]) },
      output: block.output,
      loss: {
        part: denoisingLoss('noprop-1', [{ prefix: 'b', output: block.output, before, weight }], embedding, { first, last }),
        chosen: {},
      },
      groups: [{ parameters: [...block.parameters, ...shared], lrScale: 1 }],
      precision: 'float64',
    };
    const compiled = compileSteps(plan);
    const draw = random(6, 'rows');
    const x = Array.from({ length: 6 }, () => draw.normal());
    const y = [0, 2, 1];
    const noise = [0, 1].map(() => Array.from({ length: 3 * width }, () => draw.normal()));
    /** L of the three rows in plain arithmetic. */
    const value = (theta: Float64Array): number => {
      const at = (name: string): Float64Array => {
        const e = compiled.layout.entries.find((entry) => entry.name === name);
        assert.ok(e, name);
        return theta.subarray(e.offset, e.offset + e.size);
      };
      const table = kind === 'learned' ? at('noprop.embedding') : embedding.table;
      const point = (c: number): number[] =>
        table ? Array.from(table.subarray(c * width, (c + 1) * width)) : [0, 1, 2].map((k) => Number(k === c));
      const layer = (name: string, v: readonly number[]): number[] => times(at(`${name}.weight`), v, at(`${name}.bias`));
      const noised = (i: number, level: number, eps: readonly number[]): number[] =>
        point(y[i]).map((u, k) => Math.sqrt(level) * u + Math.sqrt(1 - level) * eps[i * width + k]);
      const shares = (z: readonly number[]): number[] => {
        const total = z.reduce((s, v) => s + Math.exp(v), 0);
        return z.map((v) => Math.exp(v) / total);
      };
      return (
        y.reduce((sum, label, i) => {
          const hx = layer('b.x2', layer('b.x1', x.slice(2 * i, 2 * i + 2)).map(relu)).map(relu);
          const hz = layer('b.z', noised(i, before, noise[0])).map(relu);
          const zero = new Float64Array(hidden);
          const fromZ = times(at('b.joinz.weight'), hz, zero);
          const both = times(at('b.joinx.weight'), hx, at('b.join.bias')).map((v, j) => relu(v + fromZ[j]));
          const p = shares(layer('b.out', both));
          const u = point(label);
          const said = u.map((_, k) => p.reduce((s, share, c) => s + share * point(c)[k], 0));
          const error = said.reduce((s, v, k) => s + (v - u[k]) ** 2, 0);
          const end = shares(layer('noprop.readout', noised(i, last, noise[1])));
          const square = u.reduce((s, v) => s + v * v, 0);
          return sum - Math.log(end[label]) + firstDivergence(width, square, first) + weight * error;
        }, 0) / 3
      );
    };
    const session = await open(compiled.model);
    const { each } = compiled.inputs;
    const fed = {
      [each['draw/loss/before0']]: float64([1, 3, width], noise[0]),
      [each['draw/loss/last']]: float64([1, 3, width], noise[1]),
    };
    const rate = 0.1;
    const { state, loss } = await call(
      session,
      compiled,
      compiled.start,
      { x: float64([3, 2], x), y: int64([3], y) },
      [[0, 1, 2]],
      [rate],
      fed,
    );
    const theta = Float64Array.from(compiled.start.theta.data as Float64Array);
    near(loss[0], value(theta), 1e-9);
    const next = state.theta.data as Float64Array;
    for (let i = 0; i < theta.length; i++) {
      const moved = (by: number): number => value(theta.map((v, j) => (j === i ? v + by : v)));
      // Central differences at 1e-5: the error is about 1e-10.
      near((theta[i] - next[i]) / rate, (moved(1e-5) - moved(-1e-5)) / 2e-5, 1e-8);
    }
  });

test('no gradient crosses blocks that take a step together', async () => {
  const embedding: Embedding = { classes: 3, width: 3 };
  const base = planOf('mlp', [2], 3, { hidden: '' });
  const empty = { ...base.graph, nodes: [], initializers: new Map(), values: new Map() };
  const blocks = ['a', 'b'].map((prefix) =>
    blockOver(empty, { value: 'x', row: [2] }, { prefix, hidden: 4, images: false, embedding }, random(5, prefix)),
  );
  const { graph, output } = together(empty, blocks, 4);
  const shared = sharedOf(embedding);
  const compiled = compileSteps({
    ...base,
    graph: { ...graph, initializers: new Map([...graph.initializers, ...sharedValues(embedding, random(5, 'shared'))]) },
    output,
    loss: {
      // Of the objective of the second alone: what the first has is exactly 0.
      part: denoisingLoss(
        'noprop-1',
        blocks.map((b, i) => ({ prefix: b.prefix, output: b.output, before: 0.3, weight: i })),
        embedding,
        { first: 0.1, last: 0.9 },
      ),
      chosen: {},
    },
    groups: [{ parameters: [...blocks.flatMap((b) => b.parameters), ...shared], lrScale: 1 }],
    precision: 'float64',
  });
  const draws = random(7, 'draws');
  const noise = () =>
    float64(
      [1, 3, 3],
      Array.from({ length: 9 }, () => draws.normal()),
    );
  const { each } = compiled.inputs;
  const fed = { [each['draw/loss/before0']]: noise(), [each['draw/loss/before1']]: noise(), [each['draw/loss/last']]: noise() };
  const rows = { x: float64([3, 2], [0.3, -1, 0.8, 0.1, -0.4, 1.2]), y: int64([3], [0, 1, 2]) };
  const { state } = await call(await open(compiled.model), compiled, compiled.start, rows, [[0, 1, 2]], [0.1], fed);
  const [first, next] = [compiled.start.theta.data as Float64Array, state.theta.data as Float64Array];
  const moved = compiled.layout.entries.map(({ name, offset, size }) => [
    name,
    first.subarray(offset, offset + size).some((v, i) => v !== next[offset + i]),
  ]);
  assert.ok(moved.filter(([name]) => String(name).startsWith('a.')).every(([, changed]) => !changed));
  assert.ok(moved.filter(([name]) => !String(name).startsWith('a.')).some(([, changed]) => changed));
});

const base = {
  arch: { kind: 'mlp', hidden: '16' },
  data: digitsData,
  loss: 'cross-entropy',
  optimizer: { kind: 'adamw', lr: 3e-3, weightDecay: 1e-3 },
  batch: 64,
  epochs: 4,
  seed: 1,
};

test('the chain is saved as one plain model that scores as reported, with or without its noise', async () => {
  const shop = workshop();
  const regime = { kind: 'noprop', blocks: 3, hidden: 24 };
  const { report, out, notes } = await shop.run({ ...base, regime });
  const { graph } = parse(readFileSync(out), 'model');
  assert.deepEqual([graph.inputs.map((i) => i.name), graph.outputs.map((o) => o.name)], [['x'], ['logits']]);
  assert.ok(!graph.nodes.some((n) => n.op.startsWith('Random')));
  const table = report.cards.find((c) => c.title === 'Stages');
  assert.ok(table?.kind === 'table' && table.rows.length === 3);
  const accuracy = table.columns.findIndex((c) => c.name === 'validation_accuracy');
  assert.equal(table.rows[2][accuracy], report.headline.validation_accuracy);
  assert.ok(report.headline.test_accuracy > 0.6, String(report.headline.test_accuracy));
  assert.ok(report.cards.some((c) => c.title === 'Accuracy after each block'));
  const byEpoch = report.cards.find((c) => c.title === 'Accuracy by epoch');
  assert.ok(byEpoch?.kind === 'curve');
  assert.deepEqual(byEpoch.lines[0].points.at(-1), [base.epochs, report.headline.validation_accuracy]);
  assert.ok(notes.some((n) => n.startsWith('A step keeps ')));
  const again = await workshop().run({ ...base, regime });
  assert.deepEqual(readFileSync(again.out), readFileSync(out));
  const noisy = await workshop().run({ ...base, regime: { ...regime, inference: 'sampled', samples: 3 } });
  assert.ok(noisy.report.headline.test_accuracy > 0.5, String(noisy.report.headline.test_accuracy));
  // The same blocks: only the chain differs.
  const weight = (path: string) => parse(readFileSync(path), 'model').graph.initializers.get('noprop.block2.z.weight')?.bytes;
  assert.ok(weight(out));
  assert.deepEqual(weight(noisy.out), weight(out));
});

test('blocks read images, prototypes, and the features of a model that stays as it is', async () => {
  const shop = workshop();
  const image = { ...base, arch: { kind: 'cnn', input: [1, 8, 8] }, epochs: 2, regime: { kind: 'noprop', blocks: 2, hidden: 16 } };
  const images = await shop.run(image, { out: shop.at('images.onnx') });
  const conv = parse(readFileSync(images.out), 'model').graph;
  assert.ok(conv.nodes.filter((n) => n.op === 'Conv').length === 4);
  await shop.run({ ...base, epochs: 4 }, { out: shop.at('body.onnx') });
  const { arch: _, ...rest } = base;
  const { out, report } = await shop.run({
    ...rest,
    epochs: 12,
    model: 'body.onnx',
    regime: { kind: 'noprop', blocks: 2, hidden: 16, from: 'features', embedding: 'prototype' },
  });
  const first = (path: string) => parse(readFileSync(path), 'model').graph.initializers.get('dense1.weight')?.bytes;
  assert.ok(first(out));
  assert.deepEqual(first(out), first(shop.at('body.onnx')));
  assert.ok(report.headline.test_accuracy > 0.5, String(report.headline.test_accuracy));
  const scores = await once(parse(readFileSync(out), 'model'), { x: float32([2, 64], new Float32Array(128).fill(0.5)) });
  assert.deepEqual(scores.logits.dims, [2, 10]);
});

test('learned points: in turns or with all blocks together, the points move and stay apart', async () => {
  for (const order of ['alternating', 'together']) {
    const regime = { kind: 'noprop', blocks: 3, hidden: 16, embedding: 'learned', width: 12, order };
    const { report, out, notes } = await workshop().run({ ...base, epochs: 12, regime });
    const found = parse(readFileSync(out), 'model').graph.initializers.get('noprop.embedding');
    assert.deepEqual(found?.dims, [10, 12]);
    assert.ok(report.headline.test_accuracy > 0.5, `${order}: ${report.headline.test_accuracy}`);
    const map = report.cards.find((c) => c.title === 'Cosine between the points of classes');
    assert.ok(map?.kind === 'heatmap' && found);
    const E = numbersOf(found);
    const dot = (a: number, b: number): number =>
      Array.from({ length: 12 }, (_, k) => E[12 * a + k] * E[12 * b + k]).reduce((x, y) => x + y);
    near(Number(map.layers[0].values[23]), dot(2, 3) / Math.sqrt(dot(2, 2) * dot(3, 3)), 1e-12);
    near(Number(map.layers[0].values[22]), 1, 1e-12);
    assert.ok(!notes.some((n) => n.includes('closer than')));
  }
});

test('in turns, a step moves its own block and what all share, and the next begins from there', async () => {
  const shop = workshop();
  const file = shop.arrays('turns.npz', {
    x: float32([8, 2], [1, 0, 0, 1, 1, 1, 0, 0, 2, 0, 0, 2, 2, 2, 1, 2]),
    y: int64([8], [0, 1, 1, 0, 0, 1, 1, 0]),
  });
  const tiny = { ...base, data: { train: file }, split: { val: 0 }, batch: 4, optimizer: { kind: 'sgd', lr: 0.05 } };
  const of = async (epochs: number, order: string) => {
    const regime = { kind: 'noprop', blocks: 2, hidden: 4, order };
    const { out } = await shop.run({ ...tiny, epochs, regime }, { force: true });
    const { initializers } = parse(readFileSync(out), 'model').graph;
    return (name: string) => initializers.get(name)?.bytes;
  };
  // One epoch in turns is one epoch of each block after the other.
  const [one, after] = [await of(1, 'alternating'), await of(1, 'sequential')];
  for (const name of ['noprop.block1.z.weight', 'noprop.block2.out.weight', 'noprop.readout.weight'])
    assert.deepEqual(one(name), after(name));
  // Over two, a block's own steps read nothing of the other, the readout's do: Σ over both in another order.
  const [turns, blocks] = [await of(2, 'alternating'), await of(2, 'sequential')];
  assert.deepEqual(turns('noprop.block1.z.weight'), blocks('noprop.block1.z.weight'));
  assert.deepEqual(turns('noprop.block2.z.weight'), blocks('noprop.block2.z.weight'));
  assert.notDeepEqual(turns('noprop.readout.weight'), one('noprop.readout.weight'));
});

test('the same chain of the same parameters is trained with the gradient through all of it, too', async () => {
  const shop = workshop();
  const regime = { kind: 'noprop', blocks: 3, hidden: 16, gradient: 'within' };
  const sizes = async (recipe: object): Promise<Record<string, string>> => {
    const { out } = await shop.run({ ...base, ...recipe }, { force: true });
    return Object.fromEntries(Array.from(parse(readFileSync(out), 'model').graph.initializers, ([name, c]) => [name, c.dims.join()]));
  };
  const through = { ...regime, gradient: 'through' };
  assert.deepEqual(await sizes({ epochs: 1, regime: through }), await sizes({ epochs: 1, regime }));
  const { report, notes } = await shop.run({ ...base, regime: through }, { force: true });
  assert.ok(notes.some((n) => /those of all 3 blocks of the chain/.test(n)));
  const byEpoch = report.cards.find((c) => c.title === 'Accuracy by epoch');
  assert.ok(byEpoch?.kind === 'curve');
  assert.deepEqual(byEpoch.lines[0].points.at(-1), [base.epochs, report.headline.validation_accuracy]);
  // Only the end of the chain has a loss, and what its first block holds moves.
  const still = await workshop().run({ ...base, optimizer: { ...base.optimizer, lr: 0 }, regime: through });
  const moved = await workshop().run({ ...base, epochs: 1, regime: through });
  const first = (path: string) => parse(readFileSync(path), 'model').graph.initializers.get('noprop.block1.x1.weight')?.bytes;
  assert.ok(first(moved.out));
  assert.notDeepEqual(first(moved.out), first(still.out));

  const other = shop.text('twin.train.json', JSON.stringify({ ...base, regime: through }));
  const twin = await shop.run({ ...base, regime }, { out: '', compare: { with: other, seeds: 2 } });
  assert.ok(Number.isFinite(twin.report.headline.test_accuracy_difference));
  const epochs = twin.report.cards.find((c) => c.title === 'Validation accuracy by epoch');
  assert.ok(epochs?.kind === 'curve');
  assert.deepEqual(
    epochs.lines.map(({ name, points }) => [name, points.map(([e]) => e)]),
    [
      ['recipe', [1, 2, 3, 4]],
      ['twin.train.json', [1, 2, 3, 4]],
    ],
  );
});

test('what cannot be trained so is refused, saying why', async () => {
  const shop = workshop();
  const refused = (recipe: object, word: RegExp, code: Parameters<typeof Fault.is>[1] = 'training/regime') =>
    assert.rejects(shop.run({ ...base, ...recipe }), (e) => Fault.is(e, code) && word.test(e.message));
  await refused({ loss: 'mse', regime: 'noprop' }, /two classes or more/);
  await refused({ regime: { kind: 'noprop', blocks: 200 } }, /signal that rises with every block, and at block \d+ of 200/);
  await refused({ regime: { kind: 'noprop', embedding: 'learned', width: 4 } }, /width 4 must be at least 10/);
  await refused({ regime: { kind: 'noprop', embedding: 'learned', order: 'sequential' } }, /take order 'alternating' or 'together'/);
  await refused({ regime: { kind: 'noprop', blocks: 1 } }, /blocks/, 'training/recipe');
  const alone = shop.arrays('alone.npz', { x: float32([4, 2], [1, 2, 3, 4, 5, 6, 7, 8]), y: int64([4], [0, 0, 0, 0]) });
  await refused({ data: { train: alone }, split: { val: 0 }, batch: 2, regime: 'noprop' }, /two classes or more/);
  const same = shop.arrays('same.npz', {
    x: float32([6, 2], [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]),
    y: int64([6], [0, 1, 0, 1, 0, 1]),
  });
  const { notes } = await shop.run({
    ...base,
    data: { train: same },
    split: { val: 0 },
    batch: 3,
    epochs: 1,
    regime: { kind: 'noprop', blocks: 2, embedding: 'prototype' },
  });
  assert.ok(notes.some((n) => n.includes('embeddings closer than 0.001')));
});
