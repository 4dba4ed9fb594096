import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gradients } from '../../src/autodiff/reverse.ts';
import { stopped } from '../../src/autodiff/stopped.ts';
import { Fault } from '../../src/base/fault.ts';
import { random } from '../../src/base/random.ts';
import { float32 } from '../../src/base/tensor.ts';
import { numbersOf } from '../../src/graph/constant.ts';
import { emitter } from '../../src/graph/emit.ts';
import { parse } from '../../src/graph/parse.ts';
import { biasInits } from '../../src/training/bias-inits/index.ts';
import { lossScalings } from '../../src/training/loss-scalings/index.ts';
import { losses } from '../../src/training/losses/index.ts';
import { emitObjective } from '../../src/training/objective.ts';
import { hyperOf, modelOf, only, tensorType } from '../../src/training/plan.ts';
import { float64, numbers, once } from './session.ts';
import { pick } from './subject.ts';
import { digitsData, workshop } from './workshop.ts';

const near = (actual: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number): void => {
  assert.equal(actual.length, wanted.length);
  for (let i = 0; i < wanted.length; i++)
    assert.ok(Math.abs(actual[i] - wanted[i]) <= tolerance, `at ${i}: ${actual[i]} is not ${wanted[i]}`);
};
const first = (facts: { counts: readonly number[]; rows: number; marks: boolean }, given: Record<string, unknown> = {}) => {
  const { part, chosen } = pick(biasInits, 'optimal', given);
  const all = { ...facts, loss: 'any' };
  return {
    values: Array.from(part.values(all, chosen) ?? []),
    remarks: part.remarks?.(all, chosen) ?? [],
    refuses: part.refuses?.(all, chosen),
  };
};

test('the bias of the card, whose constant prediction has the least loss and a summed gradient of 0', () => {
  const [rows, classes, positives] = [100000, 80, 120];
  const counts = Array.from({ length: classes }, (_, c) => (c < 40 ? 3 : 0));
  const { values } = first({ counts, rows, marks: true });
  assert.equal(values.length, classes);
  near(
    values,
    values.map(() => -11.1074454),
    1e-7,
  );
  const loss = (p: number): number => (-positives * Math.log(p) - (rows * classes - positives) * Math.log1p(-p)) / positives;
  const share = (p: number): number => ((rows * classes - positives) * p - positives * (1 - p)) / positives;
  const best = 1 / (1 + Math.exp(-values[0]));
  // The card prints nine digits.
  near([loss(0.5), loss(0.01), loss(best)], [46209.812, 674.61751, 12.1074529], 1e-3);
  near([share(0.5), share(0.01), share(best)], [33332.3333, 665.66667, 0], 1e-4);
  for (const p of [0.5 * best, 2 * best]) assert.ok(loss(p) > loss(best));
});

test('softmax starts at the logarithms of the shares, where the loss is their entropy', () => {
  const { values } = first({ counts: [50, 30, 20], rows: 100, marks: false });
  near(values, [0.5, 0.3, 0.2].map(Math.log), 1e-12);
});

test('each label may start at its own share; absent ones start at half a row and are named', () => {
  const { values, remarks } = first({ counts: [10, 0, 40, 20], rows: 40, marks: true }, { perClass: true });
  near(values, [Math.log(10 / 30), -Math.log(79), Math.log(79), 0], 1e-12);
  assert.match(remarks[0], /class 1:/);
  assert.deepEqual(first({ counts: [10, 0], rows: 40, marks: true }).remarks, []);
  assert.match(first({ counts: [0, 0], rows: 40, marks: true }).refuses ?? '', /no row with a label of 1/);
});

/** w and ∂(w·L)/∂z of the sum over rows and classes divided by 2, with other terms of the size given. */
const guided = async (other: number, times = 1, scalars: { mean: number; usable: number } = { mean: 1, usable: 0 }) => {
  const base = emitter({});
  const emit: typeof base = { ...base, scalar: (value, dtype = 'float64') => base.scalar(value, dtype) };
  const loss = pick(losses, 'binary-cross-entropy');
  for (const name of ['z', 'y']) emit.typed(name, tensorType('float64', ['N', 2]));
  for (const name of ['other', 'mean', 'usable']) emit.typed(name, tensorType('float64', []));
  const { names, values } = hyperOf(emit, loss, 'loss', 'float64');
  const { total } = emitObjective(emit, loss, names, 'z', 'y', 0);
  // Rows give the mean over their two classes: their sum is Σ/2, which is the normaliser of the card.
  const own = emit.Mul(emit.scalar(times), total);
  const { part, chosen } = pick(lossScalings, 'guided');
  const scaled = part.guide?.scale(emit, { loss: own, other: 'other' }, { mean: 'mean', usable: 'usable' }, chosen);
  assert.ok(scaled);
  const objective = emit.Mul(stopped(emit, scaled.factor), own);
  const gradient = gradients(emit, objective, ['z']).get('z') ?? '';
  const given = only(values, emit.nodes);
  const inputs = ['z', 'y', 'other', 'mean', 'usable', ...Object.keys(given)].map((name) => ({
    name,
    type: emit.type(name) ?? tensorType('float64', []),
  }));
  const outputs = [own, scaled.factor, objective, gradient, scaled.scalars.mean].map((name) => ({
    name,
    type: tensorType('float64', name === gradient ? ['N', 2] : []),
  }));
  const out = await once(modelOf({ irVersion: 8, opsets: new Map([['', 18]]) }, emit.graph('g', inputs, outputs)), {
    ...given,
    z: float64([3, 2], [0, 1, -2, 0.5, 3, -1]),
    y: float64([3, 2], [1, 0, 0, 0, 0, 1]),
    other: float64([], [other]),
    mean: float64([], [scalars.mean]),
    usable: float64([], [scalars.usable]),
  });
  const one = (name: string): number => numbers(out[name])[0];
  return {
    loss: one(own),
    factor: one(scaled.factor),
    objective: one(objective),
    gradient: numbers(out[gradient]),
    mean: one(scaled.scalars.mean),
  };
};

test('guided scaling is that of the card: the scaled loss is as large as the other terms, and the factor has no gradient', async () => {
  const found = await guided(0.37);
  // NumPy gives 3.7346314512 (the card prints 3.7346311); the rest are the card's seven decimals.
  near([found.loss], [3.7346314512], 1e-10);
  near([found.factor, found.objective], [0.0990727, 0.37], 1e-7);
  const wanted = [-0.0247682, 0.036214, 0.0059049, 0.0308344, 0.047187, -0.036214];
  near(found.gradient, wanted, 1e-7);
  near((await guided(0.37, 50)).gradient, found.gradient, 1e-14);
});

test('where the other terms are 0, the running mean of the factors before serves', async () => {
  const begun = await guided(0.37);
  near([begun.mean], [begun.factor], 1e-15);
  const held = await guided(0, 1, { mean: 0.25, usable: 1 });
  near([held.factor, held.mean], [0.25, 0.25], 0);
  const on = await guided(0.37, 1, { mean: 0.25, usable: 1 });
  near([on.mean], [0.9 * 0.25 + 0.1 * on.factor], 1e-15);
});

test('a starved loss and steps without other terms are told', () => {
  const { part } = pick(lossScalings, 'guided');
  const remarks = part.guide?.remarks;
  assert.ok(remarks);
  const steps = (w: number, n: number): number[] => Array.from({ length: n }, () => w);
  assert.match(remarks({ factor: [1, ...steps(0.2, 100)], other: steps(1, 101) })[0], /starved/);
  assert.deepEqual(remarks({ factor: [...steps(0.2, 99), 0.4, ...steps(0.2, 99)], other: steps(1, 199) }), []);
  assert.match(remarks({ factor: [1, 1], other: [0, 1] })[0], /In 1 step the other terms were 0/);
});

const stored = (path: string, name: string): number[] => {
  const c = parse(readFileSync(path), 'm').graph.initializers.get(name);
  assert.ok(c, name);
  return numbersOf(c);
};

test('a run of several labels starts at its prior, with small weights where they are asked for', async () => {
  const shop = workshop();
  const chance = random(0, 'marks');
  const marks = Array.from({ length: 200 * 3 }, (_, i) => Number(i % 40 === 0));
  const data = shop.arrays('rare.npz', {
    x: float32(
      [200, 4],
      Array.from({ length: 800 }, () => chance.normal()),
    ),
    y: float32([200, 3], marks),
  });
  const recipe = {
    arch: { kind: 'mlp', hidden: '8' },
    data: { train: { path: data } },
    split: { val: 0 },
    loss: 'binary-cross-entropy',
    biasInit: { kind: 'optimal', deviation: 0.01 },
    optimizer: { kind: 'sgd', lr: 0 },
    batch: 50,
    epochs: 1,
  };
  const { out } = await shop.run(recipe);
  const graph = parse(readFileSync(out), 'm').graph;
  const layer = [...graph.initializers.keys()].filter((name) => graph.initializers.get(name)?.dims.includes(3));
  const bias = layer.find((name) => graph.initializers.get(name)?.dims.length === 1) ?? '';
  const weight = layer.find((name) => graph.initializers.get(name)?.dims.length === 2) ?? '';
  near(
    stored(out, bias),
    [1, 1, 1].map(() => Math.log(15 / 585)),
    1e-6,
  );
  const w = stored(out, weight);
  assert.ok(Math.max(...w.map(Math.abs)) < 0.05 && new Set(w).size === w.length);
  const none = shop.arrays('none.npz', { x: float32([20, 4], new Float32Array(80)), y: float32([20, 3], new Float32Array(60)) });
  await assert.rejects(
    shop.run({ ...recipe, data: { train: { path: none } }, batch: 5 }),
    (e) => Fault.is(e, 'training/part') && /no row with a label of 1/.test(e.message),
  );
});

test('guided scaling of a plain classifier is refused with the reason, and that of one starved by its terms is told', async () => {
  const recipe = {
    arch: { kind: 'mlp', hidden: '8' },
    data: digitsData,
    split: { val: 0 },
    loss: 'cross-entropy',
    optimizer: { kind: 'sgd', lr: 0.1 },
    lossScaling: 'guided',
    batch: 32,
    epochs: 3,
  };
  await assert.rejects(
    workshop().run(recipe),
    (e) => Fault.is(e, 'training/part') && /size of other terms, but there are none/.test(e.message),
  );
  const { notes } = await workshop().run({ ...recipe, regularizers: [{ kind: 'l1', weight: 1e-5 }] });
  assert.ok(notes.some((n) => /starved/.test(n)));
});

/** Loss, second loss and their gradients by the outputs [N, 3]: two classes and one number of a box. */
const detected = async (outputs: readonly number[], targets: readonly number[], classes = 2, given0: Record<string, unknown> = {}) => {
  const base = emitter({});
  const emit: typeof base = { ...base, scalar: (value, dtype = 'float64') => base.scalar(value, dtype) };
  const loss = pick(losses, 'detection', { classes, ...given0 });
  const rows = outputs.length / 3;
  for (const name of ['z', 'y']) emit.typed(name, tensorType('float64', [rows, 3]));
  const { names, values } = hyperOf(emit, loss, 'loss', 'float64');
  const { mean, term = '' } = emitObjective(emit, loss, names, 'z', 'y', 0);
  const grads = [mean, term].map((of) => gradients(emit, of, ['z']).get('z') ?? '');
  const given = only(values, emit.nodes);
  const inputs = ['z', 'y', ...Object.keys(given)].map((name) => ({ name, type: emit.type(name) ?? tensorType('float64', []) }));
  const ends = [mean, term, ...grads].map((name, i) => ({ name, type: tensorType('float64', i < 2 ? [] : [rows, 3]) }));
  const out = await once(modelOf({ irVersion: 8, opsets: new Map([['', 18]]) }, emit.graph('g', inputs, ends)), {
    ...given,
    z: float64([rows, 3], outputs),
    y: float64([rows, 3], targets),
  });
  const [own, boxes] = grads.map((g) => numbers(out[g]));
  return { mean: numbers(out[mean])[0], term: numbers(out[term])[0], own, boxes };
};

test('the loss of a dense detector: the card’s anchors, smooth-L1 of foreground alone, and the slopes of both', async () => {
  // Boxes off by 0.795 (beyond β), by 5 at the background anchor, and by 0.05 (within).
  const z = [0, 1, 0.795, -2, 0.5, 5, 3, -1, 0.05];
  const y = [1, 0, 0, 0, 0, 0, 0, 1, 0];
  const found = await detected(z, y);
  near([found.mean], [3.7346314512], 1e-10);
  near([found.term], [(0.795 - 0.055 + (0.5 * 0.05 ** 2) / 0.11) / 2], 1e-14);
  const sigma = (v: number): number => 1 / (1 + Math.exp(-v));
  near(
    found.own,
    z.map((v, i) => (i % 3 === 2 ? 0 : (sigma(v) - y[i]) / 2)),
    1e-14,
  );
  near(found.boxes, [0, 0, 0.5, 0, 0, 0, 0, 0, 0.05 / 0.11 / 2], 1e-14);
  // Without foreground the sum is divided by 1, and boxes have no loss.
  const none = await detected([0, 0, 1, 0, 0, 1], [0, 0, 0, 0, 0, 0]);
  near([none.mean, none.term], [4 * Math.LN2, 0], 1e-14);
  // Three anchors of images of two: one and a half image beside two of foreground. Boxes are divided as before.
  const images = await detected(z, y, 2, { anchors: 2 });
  near([images.mean, images.term], [(found.mean * 2) / 3.5, found.term], 1e-14);
  near(
    images.own,
    found.own.map((g) => (g * 2) / 3.5),
    1e-14,
  );
  near(images.boxes, found.boxes, 1e-14);
  const empty = await detected([0, 0, 1, 0, 0, 1], [0, 0, 0, 0, 0, 0], 2, { anchors: 2 });
  near([empty.mean, empty.term], [4 * Math.LN2, 0], 1e-14);
  // Classes alone.
  near([(await detected([0, 0, 0], [1, 0, 0], 3)).term], [0], 0);
});

test('the focal loss of a dense detector is the card’s at three constant predictions', async () => {
  const [anchors, classes, foreground] = [100_000, 80, 120];
  const share = foreground / (anchors * classes);
  for (const [p, due] of [
    [0.5, 8664.2531],
    [0.01, 1.1786328],
    [share, 2.7767818],
  ] as const) {
    const z = Math.log(p / (1 - p));
    const focal = { focal: true };
    const one = (await detected([z, 0, 0], [1, 0, 0], 1, focal)).mean;
    const zero = (await detected([z, 0, 0], [0, 0, 0], 1, focal)).mean;
    near([(foreground * one + (anchors * classes - foreground) * zero) / foreground / due], [1], 1e-7);
  }
  // γ = 0 and α = 1/2 is half the cross-entropy, slopes too.
  const [z, y] = [
    [0.3, -1, 2, 1, 2, 0],
    [1, 0, 1, 0, 0, 0],
  ];
  const [half, plain] = [await detected(z, y, 2, { focal: true, alpha: 0.5, gamma: 0 }), await detected(z, y)];
  near([half.mean, ...half.own], [plain.mean / 2, ...plain.own.map((v) => v / 2)], 1e-14);
});

test('a detector of anchors trains with its prior as first biases of classes and none of boxes, its factor guided by the boxes', async () => {
  const shop = workshop();
  const chance = random(1, 'anchors');
  const rows = 240;
  const x = Array.from({ length: rows * 4 }, () => chance.normal());
  const y = Array.from({ length: rows }, (_, i) => [Number(i % 12 === 0), Number(i % 24 === 1), x[4 * i], -x[4 * i]]).flat();
  const path = shop.arrays('anchors.npz', { x: float32([rows, 4], x), y: float32([rows, 4], y) });
  const recipe = {
    arch: { kind: 'mlp', hidden: '8' },
    data: { train: { path } },
    split: { val: 0 },
    loss: { kind: 'detection', classes: 2 },
    biasInit: { kind: 'optimal', deviation: 0.01 },
    optimizer: { kind: 'sgd', lr: 0 },
    batch: 60,
    epochs: 1,
  };
  const { out } = await shop.run(recipe);
  const graph = parse(readFileSync(out), 'm').graph;
  const bias = [...graph.initializers].find(([, c]) => c.dims.length === 1 && c.dims[0] === 4)?.[0] ?? '';
  // 20 and 10 of 240 anchors are objects of the two classes.
  const prior = Math.log(30 / 450);
  near(stored(out, bias), [prior, prior, 0, 0], 1e-6);
  const retina = await shop.run(
    { ...recipe, loss: { ...recipe.loss, focal: true }, biasInit: { kind: 'prior', deviation: 0.01 } },
    { out: shop.at('retina.onnx') },
  );
  near(stored(retina.out, bias), [-4.59511985, -4.59511985, 0, 0], 1e-6);
  const { report } = await shop.run({ ...recipe, optimizer: { kind: 'sgd', lr: 0.02 }, epochs: 3, lossScaling: 'guided' }, { force: true });
  assert.equal(report.outcome, 'measured', report.reason?.sentence);
  const terms = report.cards.find((c) => c.title === 'Terms added to the loss');
  assert.ok(terms?.kind === 'curve');
  assert.deepEqual(terms.lines.map((l) => l.name).toSorted(), ['detection', 'loss-scale']);
  const half = shop.arrays('half.npz', {
    x: float32([rows, 4], x),
    y: float32(
      [rows, 4],
      y.map((v, i) => (i === 5 ? 0.5 : v)),
    ),
  });
  await assert.rejects(
    shop.run({ ...recipe, data: { train: { path: half } } }, { force: true }),
    (e) => Fault.is(e, 'training/mark') && /0\.5/.test(e.message),
  );
  await assert.rejects(
    shop.run({ ...recipe, loss: { kind: 'detection', classes: 9 } }),
    (e) => Fault.is(e, 'training/part') && /takes 9 classes, and a row has 4 numbers/.test(e.message),
  );
});
