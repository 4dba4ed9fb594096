import assert from 'node:assert/strict';
import test from 'node:test';
import { cutOf, microFeeds } from '../../src/app/train-micro.ts';
import { Fault } from '../../src/base/fault.ts';
import { choose } from '../../src/base/option.ts';
import { float32, int64 } from '../../src/base/tensor.ts';
import type { Report } from '../../src/report/report.ts';
import type { Live } from '../../src/report/tasks.ts';
import { adaptive } from '../../src/training/batch-schedules/adaptive.ts';
import { compileSteps } from '../../src/training/compile.ts';
import { monitors } from '../../src/training/monitors/index.ts';
import type { Plan } from '../../src/training/plan.ts';
import { regularizers } from '../../src/training/regularizers/index.ts';
import { float64, numbers, open } from './session.ts';
import { call, pick, planOf } from './subject.ts';
import { atStep, digitsData, wholeAndInPieces, workshop } from './workshop.ts';

const near = (found: number, due: number, tolerance: number, what = ''): void =>
  assert.ok(Math.abs(found - due) <= tolerance * Math.max(1, Math.abs(due)), `${what}: ${found}, not ${due}`);

/** The card's four gradients. */
const card = [
  [1, 0, 2],
  [3, 1, 0],
  [2, -1, 1],
  [0, 2, 1],
];

/** The definition, row by row. */
const noise = (g: readonly (readonly number[])[]) => {
  const b = g.length;
  const mean = g[0].map((_, j) => g.reduce((s, row) => s + row[j] / b, 0));
  const dot = (u: readonly number[], v: readonly number[]): number => u.reduce((s, x, i) => s + x * v[i], 0);
  const spread = (rows: readonly (readonly number[])[]): number => {
    const middle = rows[0].map((_, j) => rows.reduce((s, row) => s + row[j] / b, 0));
    return rows.reduce((s, row) => s + row.reduce((t, x, j) => t + (x - middle[j]) ** 2, 0), 0) / (b - 1);
  };
  const norm = dot(mean, mean);
  return {
    variance: spread(g),
    'squared-norm': norm,
    'inner-product': spread(g.map((row) => [dot(row, mean)])),
    orthogonal: spread(g.map((row) => row.map((x, j) => x - (dot(row, mean) / norm) * mean[j]))),
  };
};
const told = (g: readonly (readonly number[])[]): Record<string, number> =>
  Object.fromEntries(Object.entries(noise(g)).map(([line, v]) => [`gradient-noise/${line}`, v]));
const next = (given: Record<string, unknown>, lines: Record<string, number>, size = 4, rows = 1000) =>
  adaptive.decide?.next({ size, rows, monitors: lines }, choose('adaptive', adaptive.options, given));

test('the card’s four gradients: variances, and the batches that the tests ask for', () => {
  const n = noise(card);
  near(n.variance, 4, 1e-12);
  near(n['squared-norm'], 3.5, 1e-12);
  near(n['inner-product'], 1.5, 1e-12);
  near(n.orthogonal, 3.571428571, 1e-9);
  near(n.variance, n.orthogonal + n['inner-product'] / n['squared-norm'], 1e-12);
  const lines = told(card);
  assert.equal(next({ test: 'norm', eta: 0.1 }, lines), 115);
  assert.equal(next({ test: 'norm', eta: 0.5 }, lines), 5);
  assert.equal(next({ test: 'inner-product', theta: 0.1 }, lines), 13);
  assert.equal(next({ test: 'inner-product', theta: 0.5 }, lines), 4);
  assert.equal(next({ test: 'augmented', theta: 0.1, nu: 1 }, lines), 13);
  assert.equal(next({ test: 'augmented', theta: 0.5, nu: 1 }, lines), 4);
  assert.equal(next({ test: 'augmented', theta: 0.5, nu: 0.1 }, lines), Math.ceil(3.571428571 / (0.01 * 3.5)));
});

test('the batch never shrinks, stops at its largest, and a loss times ten asks for the same', () => {
  const lines = told(card);
  assert.equal(next({ eta: 0.1 }, lines, 500), 500);
  assert.equal(next({ eta: 0.1, max: 64 }, lines), 64);
  assert.equal(next({ eta: 0.1 }, lines, 4, 50), 50);
  assert.equal(next({ eta: 0.1, max: 64 }, {}, 64), 64);
  for (const kind of ['norm', 'inner-product', 'augmented'])
    assert.equal(
      next({ test: kind, theta: 0.1 }, told(card.map((row) => row.map((x) => 10 * x)))),
      next({ test: kind, theta: 0.1 }, lines),
    );
  const alike = told([card[0], card[0], card[0]]);
  assert.equal(next({ eta: 0.1 }, alike, 3), 3);
});

test('a gradient of zero takes all rows and says so; a step of one row leaves the batch', () => {
  assert.deepEqual(
    next(
      {},
      told([
        [1, 0],
        [-1, 0],
      ]),
      2,
      90,
    ),
    {
      size: 90,
      note: 'The gradient was zero on a batch of 2 rows, so the batch grew to 90.',
    },
  );
  assert.equal(next({}, { 'gradient-noise/variance': Number.NaN, 'gradient-noise/squared-norm': 1 }, 8), 8);
});

test('options out of range are refused', () => {
  for (const [given, code] of [
    [{ start: 1 }, 'option/value'],
    [{ eta: 0 }, 'option/value'],
    [{ theta: -1 }, 'option/value'],
    [{ nu: 0 }, 'option/value'],
    [{ test: 'coordinate-wise' }, 'option/value'],
  ] as const)
    assert.throws(
      () => choose('adaptive', adaptive.options, given),
      (error) => Fault.is(error, code),
    );
  assert.throws(
    () => adaptive.decide?.first?.(32, 100, choose('adaptive', adaptive.options, { start: 16, max: 8 })),
    (error) => Fault.is(error, 'training/batch-schedule'),
  );
});

/** One row at a time with rate 1 and SGD: the step is the row's gradient. */
const ownGradients = async (plan: Plan, data: Parameters<typeof call>[3], rows: readonly number[]) => {
  const compiled = compileSteps({ ...plan, monitors: [] });
  const session = await open(compiled.model);
  const g: number[][] = [];
  for (const row of rows) {
    const { state } = await call(session, compiled, compiled.start, data, [[row]], [1]);
    const [before, after] = [numbers(compiled.start.theta), numbers(state.theta)];
    g.push(before.map((x, i) => x - after[i]));
  }
  return g;
};

const rows = Array.from({ length: 8 }, (_, i) => i);
// Float64 to rounding; ONNX Runtime convolves in float32 alone, to 1e-4 of numbers that are sums of hundreds of products.
for (const [arch, row, precision, options, tolerance] of [
  ['mlp', [4], 'float64', { hidden: '5', activation: 'tanh' }, 1e-9],
  ['cnn', [1, 6, 6], 'float32', { channels: '2,3', hidden: '4' }, 1e-4],
] as const)
  test(`the monitor's numbers are those of gradients row by row: ${arch} in ${precision}`, async () => {
    const size = row.reduce((a: number, b: number) => a * b, 1);
    const values = Array.from({ length: 8 * size }, (_, i) => Math.sin(1 + 3 * i));
    const x = (precision === 'float64' ? float64 : float32)([8, ...row], values);
    const data = {
      x,
      y: int64(
        [8],
        rows.map((i) => i % 3),
      ),
    };
    const monitor = pick(monitors, 'gradient-noise');
    const plan: Plan = {
      ...planOf(arch, row, 3, options),
      precision,
      statistics: 'stored',
      monitors: [monitor, pick(monitors, 'batch-size')],
    };
    const sgd = { ...plan, optimizer: { ...plan.optimizer, chosen: { ...plan.optimizer.chosen, lr: 1 } } };
    const due = noise(await ownGradients(sgd, data, rows));
    const compiled = compileSteps(sgd);
    const { out } = await call(await open(compiled.model), compiled, compiled.start, data, [rows], [1]);
    const line = (of: string): number => numbers(out[compiled.outputs.monitors[of]])[0];
    for (const [key, value] of Object.entries(due)) near(line(`gradient-noise/${key}`), value, tolerance, key);
    assert.equal(line('batch-size'), 8);
  });

test('equal rows have no noise', async () => {
  const plan: Plan = { ...planOf('mlp', [4], 3, { hidden: '5' }), monitors: [pick(monitors, 'gradient-noise')] };
  const x = float32(
    [4, 4],
    Array.from({ length: 16 }, (_, i) => Math.sin(i % 4)),
  );
  const compiled = compileSteps(plan);
  const session = await open(compiled.model);
  const equal = await call(session, compiled, compiled.start, { x, y: int64([4], [1, 1, 1, 1]) }, [[0, 1, 2, 3]], [0]);
  const line = (of: string): number => numbers(equal.out[compiled.outputs.monitors[`gradient-noise/${of}`]])[0];
  // Float32: far below the gradient's own square.
  assert.ok(line('variance') <= 1e-5 * line('squared-norm'), `${line('variance')}`);
});

/** Twelve rows in micro-batches, and at once. */
const gathered = async (
  variance: 'examples' | 'micro-batches',
  parts: number,
  { again = false, ...more }: Partial<Plan> & { again?: boolean } = {},
) => {
  const twelve = Array.from({ length: 12 }, (_, i) => i);
  const data = {
    x: float64(
      [12, 4],
      Array.from({ length: 48 }, (_, i) => Math.sin(1 + 3 * i)),
    ),
    y: int64(
      [12],
      twelve.map((i) => i % 3),
    ),
  };
  const base = planOf('mlp', [4], 3, { hidden: '5', activation: 'tanh' });
  const plan: Plan = {
    ...{ ...base, precision: 'float64', statistics: 'stored', ...more },
    optimizer: { ...base.optimizer, chosen: { ...base.optimizer.chosen, lr: 1 } },
    monitors: [pick(monitors, 'gradient-noise'), pick(monitors, 'batch-size')],
  };
  const size = 12 / parts;
  const lines = Array.from({ length: parts }, (_, k) => twelve.slice(k * size, (k + 1) * size));
  const told = { variance, along: again };
  const micro = compileSteps({ ...plan, micro: told });
  const steps = again ? [...lines, ...lines] : lines;
  const feeds = microFeeds(micro, { parts, rows: size }, told, 1, again);
  const rates = steps.map(() => 1);
  const cut = await call(await open(micro.model), micro, micro.start, data, steps, rates, feeds);
  const at = (of: string): number => numbers(cut.out[micro.outputs.monitors[of]])[steps.length - 1];
  const plain = compileSteps(plan);
  const session = await open(plain.model);
  const whole = await call(session, plain, plain.start, data, [twelve], [1]);
  const of = (line: string): number => numbers(whole.out[plain.outputs.monitors[line]])[0];
  const gradients = await Promise.all(
    lines.map(async (line) => {
      const { state } = await call(session, plain, plain.start, data, [line], [1]);
      const after = numbers(state.theta);
      return numbers(plain.start.theta).map((v, i) => v - after[i]);
    }),
  );
  return { cut, whole, at, of, gradients, size };
};

test('micro-batches add up to the step of all their rows, and to its variance of rows', async () => {
  const { cut, whole, at, of } = await gathered('examples', 3);
  const [a, b] = [numbers(cut.state.theta), numbers(whole.state.theta)];
  // Sums in another order, in float64.
  for (const [i, v] of a.entries()) near(v, b[i], 1e-12, `θ${i}`);
  assert.ok(numbers(cut.state.gradient).every((v) => v === 0) && numbers(cut.state.squares)[0] === 0);
  assert.equal(numbers(cut.state.t)[0], 1);
  for (const line of ['variance', 'squared-norm']) near(at(`gradient-noise/${line}`), of(`gradient-noise/${line}`), 1e-12, line);
  assert.equal(at('batch-size'), 12);
});

test('gone through again, micro-batches tell what is along their mean gradient and across it, and make the same step', async () => {
  const weighted = { ...planOf('mlp', [4], 3, { hidden: '5', activation: 'tanh' }).loss };
  const classWeights = { ...weighted, chosen: { ...weighted.chosen, classWeights: '1,2,3' } };
  for (const more of [{}, { regularizers: [pick(regularizers, 'l1', { weight: 0.5 })] }, { loss: classWeights }]) {
    const { cut, whole, at, of } = await gathered('examples', 3, { again: true, ...more });
    const [a, b] = [numbers(cut.state.theta), numbers(whole.state.theta)];
    for (const [i, v] of a.entries()) near(v, b[i], 1e-12, `θ${i}`);
    // ḡ is that of the rows' own losses, with a regularizer as without.
    for (const line of ['variance', 'squared-norm', 'inner-product', 'orthogonal'])
      near(at(`gradient-noise/${line}`), of(`gradient-noise/${line}`), 1e-12, line);
    for (const key of ['gradient', 'own', 'weights', 'squares', 'alongSquares', 'acrossSquares'])
      assert.ok(
        numbers(cut.state[key]).every((v) => v === 0),
        key,
      );
    assert.equal(numbers(cut.state.t)[0], 1);
  }
});

test('of micro-batches themselves: along their mean and across it add up to their variance', async () => {
  const { at, gradients, size } = await gathered('micro-batches', 4, { again: true });
  const due = noise(gradients);
  for (const line of ['variance', 'inner-product', 'orthogonal'] as const)
    near(at(`gradient-noise/${line}`), size * due[line], 1e-12, line);
});

test('the variance of micro-batches is that of their own gradients, by their rows', async () => {
  const { at, gradients, size } = await gathered('micro-batches', 4);
  const mean = gradients[0].map((_, j) => gradients.reduce((sum, g) => sum + g[j], 0) / 4);
  const squares = gradients.reduce((sum, g) => sum + g.reduce((s, v, j) => s + (v - mean[j]) ** 2, 0), 0);
  near(at('gradient-noise/variance'), (size * squares) / 3, 1e-12, 'V');
});

/** Once a step was of more rows than the micro-batches of these tests. */
const aboveCap = (event: Live): boolean => event.kind === 'steps' && (event.monitors?.['batch-size']?.at(-1) ?? 0) > 100;

const softmax = (schedule: object) => ({
  arch: { kind: 'mlp', hidden: '' },
  data: digitsData,
  loss: 'cross-entropy',
  optimizer: { kind: 'adagrad', lr: 8e-3 },
  batch: { size: 32, schedule },
  split: { val: 0 },
});

test('on the digits the batch ramps up from 2: faster for a small η, to all rows within ten steps, and never down', async () => {
  const shop = workshop();
  const sizesOf = async (eta: number): Promise<readonly number[]> => {
    const live: number[] = [];
    await shop.run(
      { ...softmax({ kind: 'adaptive', start: 2, eta }), epochs: 4 },
      { live: (e) => void (e.kind === 'steps' && live.push(...(e.monitors?.['batch-size'] ?? []))) },
    );
    return live;
  };
  const fast = await sizesOf(0.1);
  assert.equal(fast[0], 2);
  assert.ok(fast.slice(0, 10).includes(1438), fast.slice(0, 12).join());
  const slow = await sizesOf(0.5);
  // The last step of an epoch holds what is left of it.
  const rising = (sizes: readonly number[]): boolean => sizes.filter((b, i) => i + 1 < sizes.length && b < sizes[i - 1]).length <= 4;
  assert.ok(rising(fast) && rising(slow), slow.join());
  assert.ok(Math.max(...slow.slice(0, 4)) < Math.max(...fast.slice(0, 4)), `${slow.slice(0, 9)} / ${fast.slice(0, 9)}`);
});

test('a step is cut as the cap allows, leaving over as little as can be', () => {
  assert.deepEqual(cutOf(64, undefined), { parts: 1, rows: 64 });
  assert.deepEqual(cutOf(64, 64), { parts: 1, rows: 64 });
  assert.deepEqual(cutOf(1000, 300), { parts: 4, rows: 250 });
  assert.deepEqual(cutOf(175, 100), { parts: 5, rows: 35 });
  assert.deepEqual(cutOf(173, 100), { parts: 2, rows: 86 });
  for (let size = 1; size <= 300; size++)
    for (const cap of [1, 7, 32]) {
      const { parts, rows } = cutOf(size, cap);
      assert.ok(rows >= 1 && rows <= cap && parts * rows <= size && size - parts * rows < parts, `${size} by ${cap}`);
    }
});

test('with a cap the batch grows as without, in micro-batches; stopped and resumed it is the run that was not', async () => {
  const schedule = { kind: 'adaptive', start: 8, eta: 0.5, max: 700 };
  const sizes = ({ report }: { readonly report: Report }): readonly number[] => {
    const card = report.cards.find((c) => c.title === 'Batch size');
    assert.ok(card?.kind === 'curve');
    return card.lines[0].points.map(([, b]) => b);
  };
  const free = await workshop().run({ ...softmax(schedule), epochs: 6 });
  const { whole: capped } = await wholeAndInPieces({ ...softmax({ ...schedule, micro: 100 }), epochs: 6 }, atStep(1), atStep(2));
  const [a, b] = [sizes(free), sizes(capped)];
  assert.ok(Math.max(...b) > 250, b.join());
  // The same until the first step above the cap, whose size is a multiple of its micro-batches.
  const first = a.findIndex((size) => size > 100);
  assert.deepEqual(b.slice(0, first), a.slice(0, first));
  assert.ok(b[first] >= a[first] && b[first] < a[first] + 10, `${b[first]} for ${a[first]}`);
  assert.ok(Math.abs(capped.report.headline.test_loss - free.report.headline.test_loss) < 0.05);
});

test('the augmented test above the cap asks for the batches that it asks for below, and is resumed where it was', async () => {
  const schedule = { kind: 'adaptive', test: 'augmented', theta: 0.15, nu: 0.5, start: 8, max: 700, testEvery: 2 };
  const linesOf = ({ report }: { readonly report: Report }, title: string) => {
    const card = report.cards.find((c) => c.title === title);
    assert.ok(card?.kind === 'curve');
    return card.lines;
  };
  const recipe = { ...softmax(schedule), epochs: 4 };
  const free = await workshop().run(recipe);
  const { whole: capped } = await wholeAndInPieces(
    { ...recipe, batch: { size: 32, schedule: { ...schedule, micro: 100 } } },
    atStep(1),
    aboveCap,
  );
  const [a, b] = [free, capped].map((run) => linesOf(run, 'Batch size')[0].points.map(([, size]) => size));
  assert.ok(Math.max(...b) > 250, b.join());
  const first = a.findIndex((size) => size > 100);
  assert.ok(first > 0);
  assert.deepEqual(b.slice(0, first), a.slice(0, first));
  assert.ok(b[first] >= a[first] && b[first] < a[first] + 10, `${b[first]} for ${a[first]}`);
  assert.ok(Math.abs(capped.report.headline.test_loss - free.report.headline.test_loss) < 0.05);
});

const images = float32(
  [12, 1, 6, 6],
  Array.from({ length: 432 }, (_, i) => Math.sin(7 * i)),
);

test('a largest batch below the first is refused before the first step; batch statistics are refused with what to do', async () => {
  const shop = workshop();
  await assert.rejects(shop.run({ ...softmax({ kind: 'adaptive', start: 8, max: 4 }), epochs: 1 }), (error) =>
    Fault.is(error, 'training/batch-schedule'),
  );
  const data = {
    train: shop.arrays('images.npz', {
      x: images,
      y: int64(
        [12],
        Array.from({ length: 12 }, (_, i) => i % 2),
      ),
    }),
  };
  const recipe = {
    ...softmax({}),
    data,
    batch: { size: 4, schedule: { kind: 'adaptive', start: 4 } },
    epochs: 1,
    arch: { kind: 'cnn', channels: '2', batchNorm: true },
  };
  await assert.rejects(shop.run(recipe), (error) => Fault.is(error, 'training/examples') && /"statistics": "stored"/.test(error.message));
  const { report } = await shop.run({ ...recipe, statistics: 'stored' });
  assert.ok(report.headline.steps >= 1);
  // Micro-batches are normalised each by itself, and their gradients compared.
  const micro = { kind: 'adaptive', start: 4, micro: 2, variance: 'micro-batches' };
  const own = await shop.run({ ...recipe, epochs: 3, batch: { size: 4, schedule: micro } });
  const noise = own.report.cards.find((c) => c.title === 'Gradient noise');
  assert.ok(noise?.kind === 'curve' && noise.lines[0].points.every(([, v]) => v > 0));
  const batches = own.report.cards.find((c) => c.title === 'Batch size');
  assert.ok(batches?.kind === 'curve' && batches.lines[0].points.at(-1)?.[1] === 12);
  const refused = (schedule: object, word: RegExp) =>
    assert.rejects(shop.run({ ...recipe, statistics: 'stored', batch: { size: 4, schedule: { ...micro, ...schedule } } }), (error) =>
      word.test(String(error)),
    );
  await refused({ micro: 3 }, /at most half of start, 4/);
  await refused({ micro: 0 }, /at most half of start/);
  await assert.rejects(shop.run({ ...recipe, batch: { size: 4, accumulate: 2, schedule: micro } }), /leave out 'batch.accumulate'/);
});
