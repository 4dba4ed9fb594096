import assert from 'node:assert/strict';
import { test } from 'node:test';
import { random } from '../../src/base/random.ts';
import { int64, type Tensor } from '../../src/base/tensor.ts';
import { emitter } from '../../src/graph/emit.ts';
import { compileSteps } from '../../src/training/compile.ts';
import type { RegularizerInput } from '../../src/training/define.ts';
import { lastLayer } from '../../src/training/head-surgery.ts';
import { losses } from '../../src/training/losses/index.ts';
import { optimizers } from '../../src/training/optimizers/index.ts';
import { modelOf, type Plan, tensorType } from '../../src/training/plan.ts';
import { domainHeads } from '../../src/training/regularizers/alignment.ts';
import { regularizers } from '../../src/training/regularizers/index.ts';
import { hostInputs } from '../../src/training/step-inputs.ts';
import { float64, numbers, open } from './session.ts';
import { call, pick, planOf } from './subject.ts';

/** The rows of the card: features, labels, weights and biases. */
const features = [1, 0.5, -0.5, 2, 0.3, -1];
const labels = [0, 2, 1];
const weight = [0.1, -0.2, 0.3, 0.4, -0.5, 0.2];
const bias = [0.05, -0.1, 0.2];

/** Everything about the heads of domains, by the closed forms, for rows of one layer without a body. */
const measured = async (
  domains: readonly number[],
  given: { readonly x?: readonly number[]; readonly z?: readonly number[]; readonly binary?: readonly number[] } = {},
): Promise<Record<string, number[]>> => {
  const x = given.x ?? features;
  const n = x.length / 2;
  const [w, b, y] = given.binary
    ? [weight.slice(0, 2), bias.slice(0, 1), given.binary]
    : [weight, bias, Array.from({ length: n }, (_, i) => labels[i % 3])];
  const outputs = b.length;
  const probes = (given.z?.length ?? 0) / (outputs * 3);
  const emit = emitter({});
  const value = (name: string, dims: readonly (number | string)[]): string => emit.typed(name, tensorType('float64', dims));
  value('x', ['N', 2]);
  value('w', [outputs, 2]);
  value('b', [outputs]);
  emit.typed('domains', tensorType('int64', ['N']));
  const target = given.binary ? value('y', ['N', 1]) : emit.typed('y', tensorType('int64', ['N']));
  const logits = emit.Gemm('x', 'w', 'b', { transB: 1 });
  const classes = given.binary ? 0 : outputs;
  const { part, chosen } = pick(losses, 'cross-entropy');
  const { perExample } = given.binary
    ? { perExample: emit.Squeeze(logits, emit.ints([1])) }
    : part.build(emit, { logits, target, classes, own: {}, given: {} }, {}, chosen);
  const mean = emit.ReduceMean(perExample, { keepdims: 0 });
  const layer = { features: 'x', weight: 'w', bias: 'b', transposed: false };
  const input: RegularizerInput = {
    ...{ logits, target, classes, perExample, mean, layer, features: 'x', domains: 'domains', x: 'x' },
    ...{ own: {}, given: {}, parameters: [] },
  };
  const heads = domainHeads(emit, input);
  const diagonals = heads.diagonals();
  const values: Record<string, string> = {
    losses: heads.losses,
    shares: heads.shares,
    gradients: heads.gradients,
    mean: heads.mean,
    products: heads.times(heads.gradients),
    meanProduct: heads.averageTimes(heads.mean),
    diagonals,
    meanDiagonal: heads.average(diagonals),
    ...(given.z ? { probed: heads.probed(value('z', [probes, outputs, 3]), probes) } : {}),
  };
  const type = (name: string, dims: readonly (number | string)[], dtype: 'float64' | 'int64' = 'float64') => ({
    name,
    type: tensorType(dtype, dims),
  });
  const inputs = [
    type('x', ['N', 2]),
    type('w', [outputs, 2]),
    type('b', [outputs]),
    type('domains', ['N'], 'int64'),
    given.binary ? type('y', ['N', 1]) : type('y', ['N'], 'int64'),
    ...(given.z ? [type('z', [probes, outputs, 3])] : []),
  ];
  const graph = emit.graph(
    'heads',
    inputs,
    Object.values(values).map((name) => ({ name, type: emit.type(name) ?? tensorType('float64', []) })),
  );
  const session = await open(modelOf({ irVersion: 8, opsets: new Map([['', 18]]) }, graph));
  const feeds: Record<string, Tensor> = {
    x: float64([n, 2], x),
    w: float64([outputs, 2], w),
    b: float64([outputs], b),
    domains: int64([n], domains),
    y: given.binary ? float64([n, 1], y) : int64([n], y),
    ...(given.z ? { z: float64([probes, outputs, 3], given.z) } : {}),
  };
  const out = await session.run(feeds);
  await session.release();
  return Object.fromEntries(Object.entries(values).map(([key, name]) => [key, numbers(out[name])]));
};
/** The card gives nine digits after the point. */
const near = (found: readonly number[], wanted: readonly number[], within = 1e-9): void => {
  assert.equal(found.length, wanted.length);
  for (const [i, v] of wanted.entries()) assert.ok(Math.abs(found[i] - v) < within, `${i}: ${found[i]} is not ${v}`);
};
const squared = (a: readonly number[], b: readonly number[]): number => a.reduce((s, v, i) => s + (v - b[i]) ** 2, 0);
/** Mean over two domains of the squared distance from `mean`. */
const spreadOf = (all: readonly number[], mean: readonly number[]): number =>
  (squared(all.slice(0, mean.length), mean) + squared(all.slice(mean.length), mean)) / 2;

test('one domain: loss, gradient, its product with the Hessian, and the diagonal are those of the card', async () => {
  const one = await measured([0, 0, 0]);
  near(one.losses, [1.108545956488], 1e-12);
  near(one.gradients, [
    ...[-0.206184289, -0.17522267, -0.027101445],
    ...[0.01032176, 0.573215292, 0.014078779],
    ...[0.195862529, -0.397992622, 0.013022666],
  ]);
  const product = [
    ...[-0.030796071, -0.045086593, -0.042915454],
    ...[-0.047583327, 0.361221567, 0.139754505],
    ...[0.078379398, -0.316134974, -0.096839051],
  ];
  near(one.products, product);
  near(one.meanProduct, product);
  near(one.diagonals, [
    ...[0.089215644, 0.262627178, 0.195007735],
    ...[0.106965128, 0.389334839, 0.219156536],
    ...[0.088565617, 0.41892588, 0.215028034],
  ]);
  near([one.diagonals.reduce((a, b) => a + b, 0)], [1.984826589702], 1e-11);
  // A shift of all logits changes nothing, so columns sum to 0 over classes.
  for (const key of ['gradients', 'products'])
    near(
      [0, 1, 2].map((d) => [0, 1, 2].reduce((s, c) => s + one[key][3 * c + d], 0)),
      [0, 0, 0],
      1e-14,
    );
});

test('two domains: distances of the card', async () => {
  const two = await measured([0, 0, 1]);
  near([(two.losses[0] + two.losses[1]) / 2], [1.195518771308], 1e-12);
  near([spreadOf(two.products, two.meanProduct)], [0.420030866622], 1e-11);
  near([spreadOf(two.gradients, two.mean)], [0.705505986795], 1e-11);
  near([spreadOf(two.diagonals, two.meanDiagonal)], [0.06182955818], 1e-11);
});

test('equal domains: no distance, and a number that no row has is no domain', async () => {
  const x = [...features, ...features];
  const both = await measured([0, 0, 0, 1, 1, 1], { x });
  near([spreadOf(both.products, both.meanProduct), spreadOf(both.gradients, both.mean)], [0, 0], 1e-28);
  near([spreadOf(both.diagonals, both.meanDiagonal)], [0], 1e-28);
  const gap = await measured([0, 0, 0, 2, 2, 2], { x });
  assert.deepEqual(gap.shares, [0.5, 0, 0.5]);
  near(gap.mean, both.mean, 1e-15);
  near(gap.meanProduct, both.meanProduct, 1e-15);
});

test('probes: over all signs the estimate is the diagonal, and its error falls with the root of their number', async () => {
  const signs = Array.from({ length: 512 * 9 }, (_, i) => ((Math.floor(i / 9) >> (i % 9)) & 1 ? 1 : -1));
  const all = await measured([0, 0, 1], { z: signs });
  near(all.probed, all.diagonals, 1e-14);
  const error = async (probes: number): Promise<number> => {
    const r = random(0, 'probes');
    const { probed, diagonals } = await measured([0, 0, 0], { z: Array.from({ length: probes * 9 }, () => (r.next() < 0.5 ? -1 : 1)) });
    return Math.sqrt(squared(probed, diagonals) / 9);
  };
  const ratio = (await error(100)) / (await error(10_000));
  // √100 = 10, from one draw of nine correlated entries each.
  assert.ok(ratio > 4 && ratio < 25, String(ratio));
});

test('one logit: σ in the place of the softmax', async () => {
  const y = [1, 0, 1];
  const found = await measured([0, 0, 0], { binary: y });
  const phi = (i: number): number[] => [features[2 * i], features[2 * i + 1], 1];
  const h = [weight[0], weight[1], bias[0]];
  const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((s, v, d) => s + v * b[d], 0);
  const p = y.map((_, i) => 1 / (1 + Math.exp(-dot(h, phi(i)))));
  const sum = (of: (i: number, d: number) => number): number[] => [0, 1, 2].map((d) => y.reduce((s, _, i) => s + of(i, d), 0) / 3);
  const g = sum((i, d) => (p[i] - y[i]) * phi(i)[d]);
  near(found.gradients, g, 1e-14);
  near(
    found.products,
    sum((i, d) => p[i] * (1 - p[i]) * dot(g, phi(i)) * phi(i)[d]),
    1e-14,
  );
  near(
    found.diagonals,
    sum((i, d) => p[i] * (1 - p[i]) * phi(i)[d] ** 2),
    1e-14,
  );
});

type Heads = readonly (readonly number[])[];
/** Gradient, its product with the Hessian and the loss of some rows, by the layer's values θ = [W | b], in plain numbers. */
const headOf = (theta: Heads, rows: readonly number[], v?: Heads): { loss: number; g: Heads; times: Heads; diagonal: Heads } => {
  const zeros = (): number[][] => theta.map(() => [0, 0, 0]);
  const [g, diagonal] = [zeros(), zeros()];
  let loss = 0;
  const all = rows.map((i) => {
    const phi = [features[2 * i], features[2 * i + 1], 1];
    const z = theta.map((row) => row.reduce((s, w, d) => s + w * phi[d], 0));
    const total = z.reduce((s, a) => s + Math.exp(a), 0);
    const p = z.map((a) => Math.exp(a) / total);
    loss += (Math.log(total) - z[labels[i]]) / rows.length;
    for (const [c, row] of g.entries())
      for (let d = 0; d < 3; d++) {
        row[d] += ((p[c] - (c === labels[i] ? 1 : 0)) * phi[d]) / rows.length;
        diagonal[c][d] += (p[c] * (1 - p[c]) * phi[d] ** 2) / rows.length;
      }
    return { phi, p };
  });
  const times = zeros();
  for (const { phi, p } of all) {
    const u = (v ?? g).map((row) => row.reduce((s, w, d) => s + w * phi[d], 0));
    const mean = p.reduce((s, a, c) => s + a * u[c], 0);
    for (const [c, row] of times.entries()) for (let d = 0; d < 3; d++) row[d] += (p[c] * (u[c] - mean) * phi[d]) / rows.length;
  }
  return { loss, g, times, diagonal };
};
const half = (a: Heads, b: Heads): Heads => a.map((row, c) => row.map((v, d) => (v + b[c][d]) / 2));
const apart = (a: Heads, b: Heads): number => squared(a.flat(), b.flat());
/** What the two domains {0, 1} and {2} are compared with. */
const centres = (theta: Heads, of: 'times' | 'diagonal'): { g: Heads; q: Heads } => {
  const [a, b] = [headOf(theta, [0, 1]), headOf(theta, [2])];
  const g = half(a.g, b.g);
  return { g, q: of === 'diagonal' ? half(a.diagonal, b.diagonal) : half(headOf(theta, [0, 1], g).times, headOf(theta, [2], g).times) };
};
const distances = (theta: Heads, of: 'times' | 'diagonal', from = centres(theta, of)): { loss: number; q: number; g: number } => {
  const [a, b] = [headOf(theta, [0, 1]), headOf(theta, [2])];
  return {
    loss: (a.loss + b.loss) / 2,
    q: (apart(a[of], from.q) + apart(b[of], from.q)) / 2,
    g: (apart(a.g, from.g) + apart(b.g, from.g)) / 2,
  };
};

/** A step of SGD with rate 1 from the card's layer: what the objective is, and the gradient taken. */
const step = async (kind: string, given: Record<string, unknown>, t = 0): Promise<{ objective: number; gradient: number[] }> => {
  const base = planOf('mlp', [2], 3, { hidden: '' });
  const layer = lastLayer(base.graph, base.output);
  assert.ok(layer);
  const plan: Plan = {
    ...base,
    layer,
    optimizer: pick(optimizers, 'sgd', { lr: 1 }),
    regularizers: [pick(regularizers, kind, given)],
    precision: 'float64',
  };
  const compiled = compileSteps(plan);
  const session = await open(compiled.model);
  const entries = compiled.layout.entries;
  const theta = entries.flatMap(({ dims }) => (dims.length === 2 ? weight : bias));
  const moment = (at: number) => ({ t: at, total: 1000, lr: 1 });
  const made: Record<string, Tensor> = { ...hostInputs(plan, 0, [t, 1], 3, moment), domains: int64([1, 3], [0, 0, 1]) };
  const fed = Object.fromEntries(Object.entries(compiled.inputs.each).map(([key, name]) => [name, made[key]]));
  const data = { x: float64([3, 2], features), y: int64([3], labels) };
  const start = { ...compiled.start, theta: float64([theta.length], theta) };
  const { state, out } = await call(session, compiled, start, data, [[0, 1, 2]], [1], fed);
  await session.release();
  const after = numbers(state.theta);
  const objective = numbers(out[compiled.outputs.loss])[0] + numbers(out[compiled.outputs.monitors[`term/${kind}`]])[0];
  const taken = theta.map((v, i) => v - after[i]);
  // In the order [W | b] by rows.
  const [w, b] = entries[0].dims.length === 2 ? [taken.slice(0, 6), taken.slice(6)] : [taken.slice(3), taken.slice(0, 3)];
  return { objective, gradient: [0, 1, 2].flatMap((c) => [w[2 * c], w[2 * c + 1], b[c]]) };
};
const start: Heads = [0, 1, 2].map((c) => [weight[2 * c], weight[2 * c + 1], bias[c]]);
/** Central differences of a function of the layer. */
const slope = (f: (theta: Heads) => number): number[] =>
  start.flatMap((row, c) =>
    row.map((_, d) => {
      const at = (by: number): number => f(start.map((r, i) => r.map((v, j) => (i === c && j === d ? v + by : v))));
      return (at(1e-4) - at(-1e-4)) / 2e-4;
    }),
  );
/** Central differences of float64 with h = 1e-4: h² times third derivatives, which are below 10 here. */
const SLOPE = 1e-6;

test('the step of hgp and diag-exact: the loss of the card, and the gradient with what is compared with held', async () => {
  for (const [kind, of] of [
    ['hgp', 'times'],
    ['diag-exact', 'diagonal'],
  ] as const) {
    const [alpha, beta] = [0.7, 0.3];
    const { objective, gradient } = await step(kind, { alpha, beta });
    const q = of === 'times' ? 0.420030866622 : 0.06182955818;
    near([objective], [1.195518771308 + alpha * q + beta * 0.705505986795], 1e-11);
    const held = centres(start, of);
    const f = (theta: Heads): number => {
      const now = distances(theta, of, held);
      return now.loss + alpha * now.q + beta * now.g;
    };
    near(gradient, slope(f), SLOPE);
  }
  // The mean of products is not the product of means, so holding it is another gradient.
  const free = slope((theta) => distances(theta, 'times').q);
  const held = centres(start, 'times');
  assert.ok(
    squared(
      free,
      slope((theta) => distances(theta, 'times', held).q),
    ) > 1e-4,
  );
});

test('hutchinson: from many probes nearly the step of diag-exact', async () => {
  const given = { alpha: 0.7, beta: 0.3 };
  const [exact, probed] = [await step('diag-exact', given), await step('hutchinson', { ...given, probes: 20_000 })];
  // Errors of the estimate fall as 1/√20000.
  near([probed.objective], [exact.objective], 0.01);
  near(probed.gradient, exact.gradient, 0.02);
});

test('warm-up: nothing is added before annealSteps', async () => {
  const given = { alpha: 0.7, beta: 0.3, annealSteps: 5 };
  near([(await step('hgp', given, 4)).objective], [1.195518771308], 1e-12);
  assert.ok((await step('hgp', given, 5)).objective > 1.6);
});

test('the ColoredMNIST form: sums, nothing held, and the whole divided by the weight once it is large', async () => {
  const l2 = 0.00110794568;
  const parameters = (theta: Heads): number => l2 * theta.flat().reduce((s, v) => s + v * v, 0);
  for (const [t, w] of [
    [189, 1],
    [190, 91257.18613115903],
  ]) {
    const { objective, gradient } = await step('hgp', { preset: 'colored-mnist' }, t);
    const f = (theta: Heads): number => {
      const now = distances(theta, 'times');
      return (now.loss + parameters(theta)) / w + 2 * (now.q + now.g);
    };
    near([objective], [f(start)], 1e-11);
    near(gradient, slope(f), SLOPE);
  }
});
