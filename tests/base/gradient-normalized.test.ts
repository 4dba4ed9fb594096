import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  conjugateSolve,
  denseSolve,
  diagonalMetric,
  dual,
  gradientNormalizedStep,
  largestEigenvalue,
  type Metric,
  primal,
} from '../../src/base/maths/gradient-normalized.ts';
import { random } from '../../src/base/random.ts';

const near = (a: number, b: number, tolerance: number): void => assert.ok(Math.abs(a - b) <= tolerance, `${a} is not ${b}`);
/** H and g of a problem whose variables are in the units c. */
const H = [
  [4, 1, 0],
  [1, 3, 0.5],
  [0, 0.5, 2],
];
const g = [1, -2, 0.5];
const times = (c: readonly number[]) => async (v: Float64Array) =>
  Float64Array.from(H, (row, i) => row.reduce((s, x, j) => s + c[i] * x * c[j] * v[j], 0));
const gradient = (c: readonly number[]) => Float64Array.from(g, (x, i) => c[i] * x);
const c = [1, 10, 0.1];
const ones = [1, 1, 1];

test('norms of B and their duals', () => {
  const b = Float64Array.of(4, 0.25);
  assert.equal(primal(Float64Array.of(1, 2), b), Math.sqrt(4 + 1));
  assert.equal(dual(Float64Array.of(1, 2), b), Math.sqrt(0.25 + 16));
  assert.equal(primal(Float64Array.of(3, 4), undefined), 5);
  assert.equal(dual(Float64Array.of(3, 4), undefined), 5);
});

test('with B = C², steps of a problem in other units are the same steps, formed or by conjugate gradients', async () => {
  const b: Metric = Float64Array.from(c, (x) => x * x);
  for (const shift of [0.1, 3]) {
    const plain = await (await denseSolve(gradient(ones), times(ones)))(shift, 0);
    const dense = await (await denseSolve(gradient(c), times(c), b))(shift, 0);
    // Three products end conjugate gradients on three numbers.
    const conjugate = await conjugateSolve(gradient(c), times(c), b)(shift, 1e-12);
    assert.ok(plain && dense && conjugate);
    for (const i of [0, 1, 2]) {
      near(c[i] * dense[i], plain[i], 1e-12);
      near(c[i] * conjugate[i], plain[i], 1e-9);
    }
    near(primal(dense, b), primal(plain, undefined), 1e-12);
  }
});

test('the whole search is alike in both units: radii, verdicts and losses', async () => {
  const value = (x: Float64Array, of: readonly number[]): number => {
    const u = x.map((v, i) => of[i] * v);
    return Array.from(u).reduce((s, v, i) => s + g[i] * v + 0.5 * v * H[i].reduce((t, h, j) => t + h * u[j], 0) + v ** 4, 0);
  };
  const slope = (x: Float64Array, of: readonly number[]): Float64Array => {
    const u = x.map((v, i) => of[i] * v);
    return Float64Array.from(u, (v, i) => of[i] * (g[i] + H[i].reduce((t, h, j) => t + h * u[j], 0) + 4 * v ** 3));
  };
  const search = async (of: readonly number[], metric: Metric) => {
    const evaluate = async (at: Float64Array) => ({ value: value(at, of), gradient: slope(at, of) });
    const zero = new Float64Array(3);
    const here = await evaluate(zero);
    const solve = await denseSolve(here.gradient, times(of), metric);
    return gradientNormalizedStep(evaluate, zero, here, solve, { gamma: 64, tries: 40, residual: 0, ...(metric ? { metric } : {}) });
  };
  const plain = await search(ones, undefined);
  const other = await search(
    c,
    Float64Array.from(c, (x) => x * x),
  );
  assert.ok(plain.accepted && other.accepted);
  assert.deepEqual([other.gamma, other.trials], [plain.gamma, plain.trials]);
  near(other.lambda, plain.lambda, 1e-12);
  near(other.value, plain.value, 1e-12);
});

test('diagonals are exact from unit vectors, estimated by signs, positive, and have mean 1', async () => {
  const exact = await diagonalMetric(3, times(ones), 10, () => 1);
  for (const [i, v] of [4 / 3, 1, 2 / 3].entries()) near(exact[i], v, 1e-15);
  const chance = random(0, 'signs');
  let asked = 0;
  const big = 200;
  const product = async (v: Float64Array) => {
    asked++;
    return v.map((x, i) => (1 + i) * x);
  };
  const estimated = await diagonalMetric(big, product, 5, () => (chance.below(2) === 0 ? -1 : 1));
  assert.equal(asked, 5);
  // A diagonal matrix is estimated without error.
  near(estimated[99], 100 / ((big + 1) / 2), 1e-12);
  const saddle = await diagonalMetric(
    2,
    async ([a, b]) => Float64Array.of(2 * a, -3 * b),
    2,
    () => 1,
  );
  assert.deepEqual([...saddle], [2, 1e-3]);
  assert.deepEqual(
    [
      ...(await diagonalMetric(
        2,
        async (v) => v.map((x) => -x),
        2,
        () => 1,
      )),
    ],
    [1, 1],
  );
});

test('the largest eigenvalue', async () => {
  near(await largestEigenvalue(async ([a, b]) => Float64Array.of(2 * a, 10 * b), Float64Array.of(1, 1), 30), 10, 1e-9);
  assert.equal(await largestEigenvalue(async (v) => v.map(() => 0), Float64Array.of(1, 1), 5), 0);
});
