import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { choose } from '../../src/base/option.ts';
import { readNpz } from '../../src/data/npz.ts';
import type { Problem } from '../../src/training/define.ts';
import { gnsNewton } from '../../src/training/optimizers/gns-newton.ts';
import { digitsData, workshop } from './workshop.ts';

type Vector = readonly number[];
interface Smooth {
  value(w: Vector): number;
  gradient(w: Vector): Vector;
  hessian(w: Vector): readonly Vector[];
}
const problemOf = (f: Smooth, theta: Float64Array, seen: string[] = []): Problem => ({
  size: theta.length,
  rows: 1,
  theta,
  passes: 0,
  loss: async (at) => f.value([...at]),
  gradient: async (at) => ({ loss: f.value([...at]), gradient: Float64Array.from(f.gradient([...at])) }),
  async product(kind, at, v) {
    seen.push(kind);
    const h = f.hessian([...at]);
    return Float64Array.from(h, (row) => row.reduce((s, x, i) => s + x * v[i], 0));
  },
});
const descend = async (f: Smooth, start: Vector, options: Record<string, unknown>, steps: number, seen?: string[]) => {
  assert.ok('iterate' in gnsNewton);
  const chosen = choose('gns-newton', gnsNewton.options, options);
  let theta = Float64Array.from(start);
  let kept = gnsNewton.start(theta.length, chosen);
  const path = [];
  for (let k = 0; k < steps; k++) {
    const next = await gnsNewton.iterate(problemOf(f, theta, seen), kept, Number(chosen.lr), chosen);
    path.push({ ...next, from: theta });
    ({ theta, kept } = { theta: Float64Array.from(next.theta), kept: next.kept });
    if (next.done) break;
  }
  return path;
};
const near = (found: number, due: number, tolerance: number): void => assert.ok(Math.abs(found - due) <= tolerance, `${found}, not ${due}`);

/** The card's logistic regression of four rows; the term 0.05‖w‖² is the optimizer's l2 = 0.1. */
const z = [
  [1, 2],
  [2, -1],
  [-1, 1],
  [0.5, -2],
];
const s = [1, -1, 1, -1];
const logistic = (scale = 1): Smooth => {
  const margin = (w: Vector, i: number): number => s[i] * (z[i][0] * w[0] + z[i][1] * w[1]);
  return {
    value: (w) => (scale * z.reduce((sum, _, i) => sum + Math.log1p(Math.exp(-margin(w, i))), 0)) / 4,
    gradient: (w) => [0, 1].map((j) => (scale * z.reduce((sum, row, i) => sum - (s[i] * row[j]) / (1 + Math.exp(margin(w, i))), 0)) / 4),
    hessian: (w) =>
      [0, 1].map((j) =>
        [0, 1].map((k) => {
          const sigma = (i: number): number => 1 / (1 + Math.exp(-margin(w, i)));
          return (scale * z.reduce((sum, row, i) => sum + sigma(i) * (1 - sigma(i)) * row[j] * row[k], 0)) / 4;
        }),
      ),
  };
};

const card = {
  losses: [Math.LN2, 0.377123552201, 0.233879548998, 0.203376696352, 0.201711899013, 0.201706614905, 0.201706614857],
  norms: [0.8125, 0.4358043, 0.1602674, 0.03291941, 1.797702e-3, 5.398512e-6, 4.606e-11],
};

const quadratic: Smooth = {
  value: ([a, b]) => a * a + 5 * b * b,
  gradient: ([a, b]) => [2 * a, 10 * b],
  hessian: () => [
    [2, 0],
    [0, 10],
  ],
};

test('the card’s logistic regression, step by step, with an exact Hessian', async () => {
  const path = await descend(logistic(), [0, 0], { curvature: 'hessian', l2: 0.1, tolerance: 1e-9 }, 20);
  assert.equal(path.length, 7);
  assert.equal(path[6].done, true);
  for (const [k, step] of path.entries()) {
    near(step.loss, card.losses[k], 1e-11);
    near(step.gradientNorm, card.norms[k], k === 6 ? 1e-14 : 1e-7);
    if (k === 6) break;
    assert.equal(step.lines?.gamma, 2 ** k);
    assert.equal(step.lines?.solves, 1);
    assert.ok((step.lines?.['step-length'] ?? 0) <= 2 ** k);
  }
  const [a, b] = path[6].from;
  near(a, -0.54063566, 1e-8);
  near(b, 1.32965142, 1e-8);
});

test('conjugate gradients reach the same minimum, in a few more steps', async () => {
  const path = await descend(logistic(), [0, 0], { curvature: 'hessian', l2: 0.1, tolerance: 1e-9, dense: 0 }, 30);
  const last = path[path.length - 1];
  assert.ok(last.done && path.length <= 12, String(path.length));
  near(last.loss, card.losses[6], 1e-11);
  for (let k = 1; k < path.length; k++) assert.ok(path[k].loss < path[k - 1].loss);
});

test('a loss times ten takes the same steps, up to the 1e-8 in λ', async () => {
  const one = await descend(logistic(), [0, 0], { curvature: 'hessian', tolerance: 1e-9 }, 4);
  const ten = await descend(logistic(10), [0, 0], { curvature: 'hessian', tolerance: 1e-9 }, 4);
  for (const [k, { theta }] of one.entries()) for (const [i, v] of theta.entries()) near(ten[k].theta[i], v, 1e-6);
});

test('in the norm of the curvature the units of a feature do not matter', async () => {
  // f(w₀, c·w₁) has its minimum at (w₀, w₁/c): steps by B = diag H are the same but for that, steps by the identity are not.
  const scaled = (c: number): Smooth => {
    const f = logistic();
    const to = ([a, b]: Vector): Vector => [a, c * b];
    return {
      value: (w) => f.value(to(w)) + 0.05 * (w[0] ** 2 + (c * w[1]) ** 2),
      gradient(w) {
        const [a, b] = f.gradient(to(w));
        return [a + 0.1 * w[0], c * (b + 0.1 * c * w[1])];
      },
      hessian(w) {
        const [[aa, ab], [, bb]] = f.hessian(to(w));
        return [
          [aa + 0.1, c * ab],
          [c * ab, c * c * (bb + 0.1)],
        ];
      },
    };
  };
  for (const dense of [2, 300]) {
    const options = { curvature: 'hessian', tolerance: 0, norm: 'curvature', dense };
    const one = await descend(scaled(1), [0, 0], options, 5);
    const twenty = await descend(scaled(20), [0, 0], options, 5);
    // B is brought to mean 1, so γ is another unit too and the first steps differ by it; the ends agree.
    near(20 * twenty[4].theta[1], one[4].theta[1], 1e-3);
    near(twenty[4].loss, one[4].loss, 1e-3);
  }
});

test('on a quadratic γ doubles at every step and the gradient falls faster and faster', async () => {
  const path = await descend(quadratic, [3, -2], { curvature: 'hessian', tolerance: 1e-9 }, 12);
  const norms = path.map((p) => p.gradientNorm);
  for (const [k, p] of path.slice(0, -1).entries()) assert.equal(p.lines?.gamma, 2 ** k);
  for (let k = 2; k < norms.length; k++) assert.ok(norms[k] / norms[k - 1] < norms[k - 1] / norms[k - 2]);
});

test('where the Hessian is not positive the Gauss–Newton matrix takes its place for the step', async () => {
  const saddle: Smooth = {
    value: ([a, b]) => a * a + (b * b - 1) ** 2,
    gradient: ([a, b]) => [2 * a, 4 * b * (b * b - 1)],
    hessian: ([, b]) => [
      [2, 0],
      [0, 12 * b * b - 4],
    ],
  };
  for (const dense of [0, 300]) {
    const seen: string[] = [];
    const positive = { ...saddle, hessian: saddle.hessian };
    const problem: Problem = { ...problemOf(positive, Float64Array.of(1, 0.1)) };
    assert.ok('iterate' in gnsNewton);
    const chosen = choose('gns-newton', gnsNewton.options, { curvature: 'hessian', start: 100, dense });
    const kept = gnsNewton.start(2, chosen);
    const product: Problem['product'] = async (kind, at, v) => {
      seen.push(kind);
      return kind === 'hessian' ? problem.product(kind, at, v) : Float64Array.of(2 * v[0], 4 * v[1]);
    };
    const next = await gnsNewton.iterate({ ...problem, product }, kept, 1, chosen);
    assert.equal(next.lines?.['gauss-newton-instead'], 1);
    assert.ok(seen.includes('hessian') && seen.includes('gauss-newton'));
    assert.ok((await problem.loss(next.theta)) < next.loss);
  }
});

test('a loss that is not finite beyond a wall counts as refused; a search without an end says so', async () => {
  const wall: Smooth = {
    value: ([w]) => (w >= 1 ? Number.NaN : -Math.log(1 - w) - w / 2),
    gradient: ([w]) => [1 / (1 - w) - 0.5],
    hessian: () => [[1e-3]],
  };
  const [first] = await descend(wall, [0.9], { curvature: 'hessian', start: 64 }, 1);
  assert.ok(first.theta[0] < 0.9 && Number.isFinite(first.theta[0]));
  const up: Smooth = { value: ([w]) => w, gradient: () => [-1], hessian: () => [[1]] };
  const [stuck] = await descend(up, [0], { curvature: 'hessian', tries: 5 }, 1);
  assert.equal(stuck.done, true);
  assert.match(stuck.note ?? '', /line search exhausted/);
  assert.deepEqual([...stuck.theta], [0]);
});

const softmax = { arch: { kind: 'mlp', hidden: '' }, data: digitsData, loss: 'cross-entropy', split: { val: 0 }, batch: 'full' };

test('a softmax head on the digits: within twelve steps to 1e-6, γ doubling throughout', async () => {
  const shop = workshop();
  const optimizer = { kind: 'gns-newton', l2: 1e-3, tolerance: 1e-6, start: 1 };
  const { report } = await shop.run({ ...softmax, optimizer, epochs: 20 });
  const curves = readNpz(readFileSync(shop.at('out.checkpoint.state')));
  const norms = Array.from(curves['curve/gradientNorm'].data as Float64Array);
  assert.ok(report.headline.steps <= 13, String(report.headline.steps));
  assert.ok(norms[norms.length - 1] <= 1e-6, norms.join());
  assert.ok(report.headline.test_accuracy > 0.9);
  const gamma = Array.from(curves['monitor/gns-newton/gamma'].data as Float64Array).slice(0, -1);
  for (const [k, v] of gamma.entries()) assert.equal(v, 2 ** k);
  const own = report.cards.find((c) => c.title === 'gns newton: lambda');
  assert.ok(own?.kind === 'curve' && own.y.scale === 'log');
});

test('a loss to reach ends the run; gradient descent is walked beside, at the inverse of the largest eigenvalue', async () => {
  const path = await descend(quadratic, [3, -2], { curvature: 'hessian', tolerance: 0, target: 0.5 }, 20);
  const last = path[path.length - 1];
  assert.ok(last.done && last.loss <= 0.5 && path.length < 20);
  // Its problem gives the same matrix for Gauss–Newton: steps of 1/10 take b to 0 at once and a to 0.8 a.
  const beside = path.slice(0, -1).map((p) => p.lines?.['descent-loss'] ?? Number.NaN);
  for (const [k, loss] of beside.entries()) near(loss, k === 0 ? 29 : (3 * 0.8 ** k) ** 2, 1e-6);
  const off = await descend(quadratic, [3, -2], { curvature: 'hessian', tolerance: 0, descent: false }, 2);
  assert.equal(off[0].lines?.['descent-loss'], undefined);
});

test('options out of range and batches that change are refused', async () => {
  for (const given of [{ start: 0 }, { tolerance: -1 }, { tries: 0 }, { dense: 4000 }, { curvature: 'fisher' }, { norm: 'max' }])
    assert.throws(
      () => choose('gns-newton', gnsNewton.options, given),
      (error) => Fault.is(error, 'option/value'),
    );
  await assert.rejects(
    workshop().run({ ...softmax, batch: 64, optimizer: 'gns-newton', epochs: 1 }),
    (error) => Fault.is(error, 'training/recipe') && /set it to "full"/.test(error.message),
  );
});
