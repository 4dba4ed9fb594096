import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import { quietJob } from '../../src/base/job.ts';
import { addRows, type ClassMoments, mergeMoments, noMoments } from '../../src/base/maths/class-moments.ts';
import { gaussianNaiveBayes, sharedVariances } from '../../src/base/maths/gaussian-naive-bayes.ts';
import { lbfgs } from '../../src/base/maths/lbfgs.ts';
import { type LinearHead, minMax, onRaw, predictedBy, unscaled } from '../../src/base/maths/linear-head.ts';
import { headRows, softmaxHead } from '../../src/base/maths/softmax-head.ts';
import { softmaxInPlace } from '../../src/base/maths/softmax-regression.ts';
import { world } from '../../src/jobs/world.ts';

const near = (actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void => {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < expected.length; i++)
    assert.ok(Math.abs(actual[i] - expected[i]) <= tolerance, `[${i}] ${actual[i]} is not ${expected[i]} ± ${tolerance}`);
};
const upTo = (n: number, from = 0): number[] => Array.from({ length: n }, (_, i) => from + i);

/** Card 20, check (a). */
const X = [
  [0, 1],
  [1, 1],
  [0, 2],
  [3, 3],
  [4, 2],
  [3, 4],
  [6, 0],
  [7, 1],
];
const Y = [0, 0, 0, 1, 1, 1, 2, 2];
const exact = { smoothing: 1e-9, floor: 0 };
const moments = (x: readonly (readonly number[])[], y: readonly number[], classes: number): ClassMoments => {
  const out = noMoments(classes, x[0].length);
  addRows(out, x.flat(), y, upTo(y.length));
  return out;
};
const scores = ({ classes, width, weights, biases }: LinearHead, x: readonly number[]): Float64Array =>
  Float64Array.from({ length: classes }, (_, k) => x.reduce((sum, v, j) => sum + v * weights[k * width + j], biases[k]));
const posterior = (head: LinearHead, x: readonly number[]): Float64Array => {
  const out = scores(head, x);
  softmaxInPlace(out);
  return out;
};

test('card 20: means, priors, shared variances, weights and biases of naive Bayes', () => {
  const found = moments(X, Y, 3);
  near(found.means, [1 / 3, 4 / 3, 10 / 3, 3, 6.5, 0.5], 1e-15);
  const variances = sharedVariances(found, unscaled(2), exact);
  near(variances, [0.2291666677, 0.3958333343], 5e-11);
  const head = gaussianNaiveBayes(found, exact);
  // The card's numbers have ten decimals.
  near(head.weights, [1.4545454482, 3.3684210441, 14.545454482, 7.5789473493, 28.3636362399, 1.2631578915], 5e-10);
  near(head.biases, [-3.4688675238, -36.5916744136, -93.8839016136], 5e-10);
});

test('card 20: density scores, decisions and the posterior', () => {
  const found = moments(X, Y, 3);
  const head = gaussianNaiveBayes(found, exact);
  const variances = sharedVariances(found, unscaled(2), exact);
  const cases: readonly (readonly [x: readonly number[], scores: readonly number[], best: number])[] = [
    [[1.5, 1.8], [-4.2256139284, -10.1331099182, -58.0664855053], 0],
    [[5, 1.5], [-48.53106828, -9.8835405431, -7.5585431403], 2],
    [[2, 2.5], [-8.7607335284, -5.1754065878, -50.6207439163], 1],
  ];
  for (const [x, expected, best] of cases) {
    const dropped = x.reduce((sum, v, j) => sum - (v * v) / (2 * variances[j]), 0);
    near(
      scores(head, x).map((s) => s + dropped),
      expected,
      5e-10,
    );
    assert.deepEqual(Array.from(predictedBy(head, Float32Array.from(x))), [best]);
  }
  const last = posterior(head, [2, 2.5]);
  near(last, [0.0269795234, 0.9730204766, 1.8e-20], 5e-11);
  assert.ok(Math.abs(last[2] - 1.8e-20) < 0.05e-20);
});

const rowsOf = fc.array(fc.tuple(fc.integer({ min: -40, max: 40 }), fc.integer({ min: -40, max: 40 }), fc.nat(2)), {
  minLength: 1,
  maxLength: 40,
});

test('moments of parts, merged, are those of one pass', () => {
  fc.assert(
    fc.property(rowsOf, fc.nat(40), (rows, at) => {
      const [x, y] = [rows.map(([a, b]) => [a / 7, b / 3]), rows.map(([, , k]) => k)];
      const [left, right, whole] = [0, 1, 2].map(() => noMoments(3, 2));
      const flat = x.flat();
      addRows(left, flat, y, upTo(Math.min(at, y.length)));
      addRows(right, flat, y, upTo(y.length).slice(at));
      addRows(whole, flat, y, upTo(y.length));
      mergeMoments(left, right);
      near(left.counts, whole.counts, 0);
      near(left.means, whole.means, 1e-10);
      near(left.squares, whole.squares, 1e-10);
    }),
  );
});

test('naive Bayes does not see the unit of a feature; logistic regression does', async () => {
  const head = gaussianNaiveBayes(moments(X, Y, 3), { smoothing: 0, floor: 0 });
  const stretched = X.map(([a, b]) => [1000 * a - 5, b / 8 + 3]);
  const other = gaussianNaiveBayes(moments(stretched, Y, 3), { smoothing: 0, floor: 0 });
  for (const [i, x] of X.entries()) near(posterior(other, stretched[i]), posterior(head, x), 1e-9);

  const fit = async (x: readonly (readonly number[])[]) => {
    const table = { width: 2, features: Float32Array.from(x.flat()), labels: Int32Array.from(Y) };
    const rows = headRows(table, 3, upTo(8), unscaled(2));
    return (await softmaxHead(rows, { strength: 1, tolerance: 1e-8, iterations: 1000 })).head;
  };
  const apart = (await Promise.all([fit(X), fit(stretched)])).map((h, i) => posterior(h, (i === 0 ? X : stretched)[5]));
  assert.ok(Math.abs(apart[0][1] - apart[1][1]) > 0.01);
});

test('a head on scaled features and the same head on raw ones', () => {
  const features = Float32Array.from([0, 5, 2, 5, 4, 5, 1, 5]);
  const scale = minMax(features, 2, [0, 1, 2]);
  assert.deepEqual([...scale.offset, ...scale.range], [0, 5, 4, 1]);
  const head = { classes: 2, width: 2, weights: Float64Array.of(1, 2, 3, 4), biases: Float64Array.of(5, 6) };
  near(scores(onRaw(head, scale), [3, 7]), scores(head, [0.75, 2]), 1e-12);
});

test('L-BFGS finds the foot of the Rosenbrock valley, and stops where it is told', async () => {
  const rosenbrock = ([x, y]: Float64Array) => ({
    value: (1 - x) ** 2 + 100 * (y - x * x) ** 2,
    gradient: Float64Array.of(-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)),
  });
  const found = await lbfgs(rosenbrock, Float64Array.of(-1.2, 1), { tolerance: 1e-9, iterations: 200 });
  assert.ok(found.converged && found.iterations < 100);
  near(found.at, [1, 1], 1e-8);
  const cut = await lbfgs(rosenbrock, Float64Array.of(-1.2, 1), { tolerance: 1e-9, iterations: 3 });
  assert.deepEqual([cut.converged, cut.iterations], [false, 3]);
});

const golden = JSON.parse(readFileSync(new URL('../golden/diagnostics/heads.json', import.meta.url), 'utf8'));
const digits = async () => {
  const ports = await world();
  const data = await ports.dataset(join(import.meta.dirname, '../fixtures/data/digits.npz'));
  const [x, y] = await data.slice(['x', 'y'], 0, data.length, quietJob().signal);
  await data.close();
  return {
    width: 64,
    features: Float32Array.from(x.data as ArrayLike<number>),
    labels: Int32Array.from(y.data as ArrayLike<number | bigint>, Number),
  };
};

test('digits: scikit-learn’s logistic regression', async () => {
  const table = await digits();
  const places = upTo(200);
  const scale = minMax(table.features, 64, places);
  const shown = table.features.subarray(64 * golden.shown[0], 64 * golden.shown[1]);
  for (const strength of [1, 0.01]) {
    const expected = golden[`logistic_${strength}`];
    const rows = headRows(table, 10, places, scale);
    const { head, converged } = await softmaxHead(rows, { strength, tolerance: 1e-6, iterations: 1000 });
    assert.ok(converged);
    // The objective curves at least as ½‖W‖² does, so weights are within the gradient's tolerance (1e-6) of the optimum.
    near(head.weights, expected.weights, 1e-5);
    near(
      head.biases.map((b) => b - head.biases[0]),
      expected.biases.map((b: number) => b - expected.biases[0]),
      1e-4,
    );
    assert.deepEqual(Array.from(predictedBy(onRaw(head, scale), shown)), expected.predicted);
  }
});

test('digits: naive Bayes with scikit-learn’s moments and SciPy’s densities', async () => {
  const table = await digits();
  const places = upTo(200);
  const scale = minMax(table.features, 64, places);
  const found = noMoments(10, 64);
  addRows(found, table.features, table.labels, places);
  near(sharedVariances(found, scale, exact), golden.naive_bayes.variances, 1e-14);
  const head = gaussianNaiveBayes(found, exact, scale);
  const [from, to] = golden.shown;
  assert.deepEqual(Array.from(predictedBy(head, table.features.subarray(64 * from, 64 * to))), golden.naive_bayes.predicted);
  // Scores reach 1e5 where a pixel that never varied does: their rounding is 1e-11 of that.
  for (const [i, expected] of golden.naive_bayes.posterior.entries())
    near(posterior(head, Array.from(table.features.subarray(64 * (from + i), 64 * (from + i + 1)))), expected, 1e-9);
});
