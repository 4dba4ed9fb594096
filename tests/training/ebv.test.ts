import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { random } from '../../src/base/random.ts';
import { int64, float32 as tensor32 } from '../../src/base/tensor.ts';
import { constantOf, numbersOf } from '../../src/graph/constant.ts';
import { emitter } from '../../src/graph/emit.ts';
import { parse } from '../../src/graph/parse.ts';
import { compileSteps } from '../../src/training/compile.ts';
import type { HeadArray, Net } from '../../src/training/define-layers.ts';
import { withHead } from '../../src/training/head-surgery.ts';
import { heads } from '../../src/training/heads/index.ts';
import { optimizers } from '../../src/training/optimizers/index.ts';
import { parametersOf } from '../../src/training/parameters.ts';
import { modelOf, type Plan, tensorType } from '../../src/training/plan.ts';
import { float64, numbers, open } from './session.ts';
import { call, pick, planOf } from './subject.ts';
import { digitsData, workshop } from './workshop.ts';

const identity: HeadArray = { dims: [3, 3], data: Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1) };
const features = [
  [3, 4, 0],
  [1, 1, 1],
];
const labels = [1, 0];

/** A plan whose features are rows of its one parameter, so that SGD of rate 1 takes off the gradient at them. */
const headed = (v: readonly (readonly number[])[], vectors: HeadArray, temperature = 0.07): Plan => {
  const emit = emitter({});
  const rows = tensorType('float32', ['N', v.length]);
  emit.typed('x', rows);
  const first = emit.constant(constantOf('float32', [v.length, 3], v.flat()));
  const last = emit.constant(constantOf('float32', [3, 3], new Float32Array(9)));
  const made = emit.MatMul(emit.MatMul('x', first), last);
  const graph = emit.graph('m', [{ name: 'x', type: rows }], [{ name: made, type: tensorType('float32', ['N', 3]) }]);
  const base = planOf('mlp', [v.length], 3);
  const types = new Map(emit.types);
  const model = withHead(modelOf(base, graph), pick(heads, 'ebv', { embed: 'identity', temperature, vectors: 'v.npy' }), {
    name: 'm',
    output: made,
    typeOf: (name) => types.get(name),
    classes: 3,
    init: 'keep',
    seed: 0,
    files: { arrays: { vectors }, texts: {} },
  });
  const parameters = parametersOf(model.model.graph).filter((p) => !model.fixed.includes(p.name));
  assert.deepEqual(
    parameters.map((p) => p.dims),
    [[v.length, 3]],
    'class vectors are not trained',
  );
  const optimizer = pick(optimizers, 'sgd', { lr: 1 });
  const groups = [{ parameters, lrScale: 1 }];
  return { ...base, graph: model.model.graph, output: made, optimizer, groups, precision: 'float64' };
};

/** Loss of each row and the gradient of their mean at the features, by the formulas. */
const reference = (v: readonly (readonly number[])[], w: readonly (readonly number[])[], y: readonly number[], tau: number) => {
  const parts = v.map((row, i) => {
    const length = Math.hypot(...row);
    const cos = w.map((u) => u.reduce((s, c, k) => s + c * row[k], 0) / length);
    const z = cos.map((c) => c / tau);
    const top = Math.max(...z);
    const log = top + Math.log(z.reduce((s, c) => s + Math.exp(c - top), 0));
    const d = z.map((c, k) => (Math.exp(c - log) - Number(k === y[i])) / tau / v.length);
    const gradient = row.map((r, k) => w.reduce((s, u, j) => s + (d[j] * (u[k] - (cos[j] * r) / length)) / length, 0));
    return { loss: log - z[y[i]], gradient };
  });
  return { losses: parts.map((p) => p.loss), gradient: parts.flatMap((p) => p.gradient) };
};
const unit = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];
const near = (actual: readonly number[], wanted: readonly number[], tolerance: number): void => {
  assert.equal(actual.length, wanted.length);
  for (const [i, w] of wanted.entries()) assert.ok(Math.abs(actual[i] - w) <= tolerance, `at ${i}: ${actual[i]} is not ${w}`);
};

const stepped = async (plan: Plan, rows: number) => {
  const compiled = compileSteps(plan);
  const session = await open(compiled.model);
  const eye = Array.from({ length: rows * rows }, (_, i) => Number(i % (rows + 1) === 0));
  const data = { x: float64([rows, rows], eye), y: int64([rows], labels) };
  const all = [Array.from({ length: rows }, (_, i) => i)];
  const before = numbers(compiled.start.theta);
  const { state, loss } = await call(session, compiled, compiled.start, data, all, [1]);
  await session.release();
  return { loss: loss[0], gradient: numbers(state.theta).map((t, i) => before[i] - t) };
};

test('loss and gradient of the card, and those of a plain reference', async () => {
  const card = reference(features, unit, labels, 0.07);
  // The card prints twelve decimals of the losses and nine of the gradient.
  near(card.losses, [0.055854202055, 1.098612288668], 1e-12);
  near(card.gradient, [0.086907387, -0.06518054, 0.000014699, -2.749286996, 1.374643498, 1.374643498], 1e-9);
  const { loss, gradient } = await stepped(headed(features, identity), 2);
  // The model stores its temperature in float32; all else is float64.
  const due = reference(features, unit, labels, Math.fround(0.07));
  near([loss], [(due.losses[0] + due.losses[1]) / 2], 1e-9);
  near(gradient, due.gradient, 1e-9);
  near([loss], [0.577233245362], 1e-7);
});

test('the length of a feature does not matter, and its gradient is at right angles to it; one of zeros has a finite gradient', async () => {
  const { loss, gradient } = await stepped(headed(features, identity), 2);
  for (const [i, v] of features.entries()) near([v.reduce((s, c, k) => s + c * gradient[3 * i + k], 0)], [0], 1e-10);
  const longer = features.map((v) => v.map((c) => 8 * c));
  near([(await stepped(headed(longer, identity), 2)).loss], [loss], 1e-12);
  const zero = await stepped(
    headed(
      [
        [0, 0, 0],
        [1, 1, 1],
      ],
      identity,
    ),
    2,
  );
  near([zero.loss], [Math.log(3)], 1e-7);
  assert.ok(zero.gradient.every(Number.isFinite));
});

test('another order of the classes is another order of the vectors', async () => {
  const turned: HeadArray = { dims: [3, 3], data: Float64Array.of(0, 1, 0, 1, 0, 0, 0, 0, 1) };
  const a = await stepped(headed(features, identity), 2);
  // Classes 0 and 1 have changed places, and so have the labels 1 and 0 of the two rows.
  const b = await stepped(headed([features[1], features[0]], turned), 2);
  near([b.loss], [a.loss], 1e-12);
});

const recipe = {
  arch: { kind: 'mlp', hidden: '32' },
  data: digitsData,
  split: { val: 0 },
  loss: 'cross-entropy',
  head: { kind: 'ebv' },
  optimizer: { kind: 'adam', lr: 3e-3 },
  batch: 64,
  epochs: 3,
};
const stored = (path: string, name: string): number[] => {
  const c = parse(readFileSync(path), 'm').graph.initializers.get(name);
  assert.ok(c);
  return Array.from(numbersOf(c));
};

test('trained on the digits: class vectors stay, are told of, and come from a file as well', async () => {
  const shop = workshop();
  const { report, out, notes } = await shop.run({ ...recipe, monitor: ['zero-embeddings'] });
  assert.ok(report.headline.test_accuracy > 0.8);
  assert.ok(notes.some((n) => /10 class vectors in 10 dimensions: largest cosine/.test(n)));
  const w = stored(out, 'head.vectors');
  for (let i = 0; i < 10; i++)
    for (let j = 0; j <= i; j++) {
      const dot = w.slice(10 * i, 10 * i + 10).reduce((s, c, k) => s + c * w[10 * j + k], 0);
      assert.ok(Math.abs(dot - Number(i === j)) < 1e-6);
    }
  shop.arrays('vectors.npz', { vectors: tensor32([10, 10], w) });
  const again = await shop.run({ ...recipe, head: { kind: 'ebv', vectors: 'vectors.npz' } }, { out: shop.at('again.onnx') });
  assert.deepEqual(stored(again.out, 'head.vectors'), w);
});

test('with the same count and seed, the vectors of the classes are the first of more', async () => {
  const build = (classes: number): number[] => {
    const values: number[] = [];
    const net: Net = {
      parameter: (name) => name,
      buffer(name, c) {
        if (name === 'head.vectors') values.push(...Array.from(numbersOf(c)));
        return name;
      },
      layer: (_, name) => name,
      held: (name) => name,
      dropped: (name) => name,
      largest: (name) => name,
      tensor: (_, name) => name,
    };
    const { part, chosen } = pick(heads, 'ebv', { count: 12, dim: 8 });
    part.build(net, 'f', { width: 8, classes }, chosen, random(0, 'head/ebv'));
    return values;
  };
  assert.deepEqual(build(9).slice(0, 5 * 8), build(5));
  assert.equal(build(12).length, 12 * 8);
});

test('what does not fit is refused with the bound, the width, or the row', async () => {
  const shop = workshop();
  const refused = async (head: Record<string, unknown>, words: RegExp, more: Record<string, unknown> = {}): Promise<void> => {
    await assert.rejects(
      shop.run({ ...recipe, head: { kind: 'ebv', ...head }, ...more }),
      (e) => e instanceof Fault && words.test(e.message),
    );
  };
  await refused({ dim: 5, alpha: 0.2 }, /at least 0\.3333333.*dim 8 would do/);
  await refused({ dim: 1 }, /'head\.dim' is '1' but must be at least 2/);
  await refused({ count: 5 }, /at least the 10 classes/);
  await refused({ temperature: 0 }, /temperature/);
  await refused({ embed: 'identity', dim: 12 }, /the features are 32 wide/);
  await refused({}, /needs classes/, {
    loss: 'mse',
    data: { train: { path: shop.text('v.csv', 'a,b,label\n1,2,0.5\n2,1,1.5\n3,3,2\n') } },
    batch: 2,
  });
  shop.arrays('long.npz', {
    w: tensor32(
      [10, 2],
      Array.from({ length: 20 }, (_, i) => (i === 6 ? 2 : Number(i % 2 === 0))),
    ),
  });
  await refused({ vectors: 'long.npz' }, /row 3 has length 2/);
  shop.arrays('few.npz', { w: tensor32([2, 2], [1, 0, 0, 1]) });
  await refused({ vectors: 'few.npz' }, /at least 10 vectors/);
  shop.arrays('cube.npz', { w: tensor32([2, 2, 2], [1, 0, 0, 1, 1, 0, 0, 1]) });
  await refused({ vectors: 'cube.npz' }, /one matrix of numbers is due/);
});
