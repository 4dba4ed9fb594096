import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { argmax, isLargest } from '../../src/base/maths/argmax.ts';
import { binomial, multinomial } from '../../src/base/maths/binomial.ts';
import { gaussLegendre } from '../../src/base/maths/gauss-legendre.ts';
import { erf, erfc, normalQuantile } from '../../src/base/maths/normal.ts';
import { meanAbsoluteDeviation, poissonBinomial } from '../../src/base/maths/poisson-binomial.ts';
import { signTest, wilson } from '../../src/base/maths/proportion.ts';
import { median, quantile } from '../../src/base/maths/quantile.ts';
import { random } from '../../src/base/random.ts';

const golden = JSON.parse(readFileSync(new URL('../golden/diagnostics/maths.json', import.meta.url), 'utf8')) as {
  erf: [number, number][];
  erfc: [number, number][];
  quantile: [number, number][];
  binomial: [number, number, number[]][];
};
const near = (actual: number, expected: number, tolerance: number): void =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected} ± ${tolerance}`);

// erfc is 1 − erf below 3, hence the absolute part; the quantile inherits it divided by the density.
test('erf, erfc and the normal quantile agree with SciPy', () => {
  for (const [x, y] of golden.erf) near(erf(x), y, 1e-15);
  for (const [x, y] of golden.erfc) near(erfc(x), y, 1e-14 * y + 1e-15);
  for (const [p, x] of golden.quantile) near(normalQuantile(p), x, 1e-12);
  assert.equal(normalQuantile(0), Number.NEGATIVE_INFINITY);
  assert.equal(normalQuantile(1), Number.POSITIVE_INFINITY);
});

test('Wilson 95 % (card E)', () => {
  for (const [hits, n, low, high] of [
    [3, 4, 0.3006418426, 0.9544127392],
    [8, 10, 0.4901624715, 0.9433178486],
    [0, 5, 0, 0.4344824648],
  ]) {
    const interval = wilson(hits, n, 0.95);
    assert.ok(interval);
    near(interval[0], low, 6e-11);
    near(interval[1], high, 6e-11);
  }
  assert.deepEqual(wilson(5, 5, 0.95)?.[1], 1);
  assert.equal(wilson(0, 0, 0.95), null);
});

test('sign test: binomial tails at one half, exact and by the normal', () => {
  assert.equal(signTest(2, 0), 0.5);
  assert.equal(signTest(3, 3), 1);
  near(signTest(9, 1), 2 * (11 / 1024), 1e-15);
  assert.equal(signTest(1, 9), signTest(9, 1));
  // 540 of 1000 exactly, 541 of 1001 by the normal: neighbours differ by less than the continuity correction matters.
  near(signTest(540, 460), signTest(541, 460), 1.5e-3);
});

test('quantiles interpolate between order statistics', () => {
  assert.equal(quantile([1, 2, 3, 4], 0.25), 1.75);
  assert.equal(quantile([5], 0.9), 5);
  assert.equal(median([9, 1, 4]), 4);
  assert.ok(Number.isNaN(quantile([], 0.5)));
});

test('argmax takes the lowest index on ties', () => assert.equal(argmax([9, 1, 3, 3, 0], 1, 4), 1));

test('a row is right where its largest score, the first on ties, is the label; a row with a NaN never is', () => {
  const right = (...row: readonly number[]): readonly number[] => [0, 1, 2].filter((label) => isLargest([9, ...row, 9], 1, 3, label));
  assert.deepEqual(right(1, 3, 2), [1]);
  assert.deepEqual(right(1, 3, 3), [1]);
  assert.deepEqual(right(-0, 0, -1), [0]);
  assert.deepEqual(right(-2, Number.NEGATIVE_INFINITY, -1), [2]);
  for (const at of [0, 1, 2]) assert.deepEqual(right(...[1, 3, 2].with(at, Number.NaN)), []);
});

test('a Poisson-binomial of equal chances is SciPy’s binomial; of 0s and 1s it is certain', () => {
  for (const [n, p, pmf] of golden.binomial) {
    poissonBinomial(new Array<number>(n).fill(p)).forEach((mass, k) => {
      near(mass, pmf[k], 1e-15);
    });
  }
  assert.deepEqual([...poissonBinomial([1, 0, 1])], [0, 0, 1, 0]);
  assert.equal(meanAbsoluteDeviation([0.5, 0.5]), 0.5);
});

test('Gauss–Legendre is exact for polynomials of degree 2n − 1', () => {
  for (const n of [1, 2, 5, 50, 200]) {
    const { nodes, weights } = gaussLegendre(n);
    for (const k of [0, 1, 2 * n - 2, 2 * n - 1])
      near(
        nodes.reduce((sum, x, i) => sum + weights[i] * x ** k, 0),
        1 / (k + 1),
        1e-14,
      );
    assert.ok(nodes.every((x, i) => x > 0 && x < 1 && (i === 0 || x > nodes[i - 1])));
  }
});

test('binomial draws have the mean, variance and support of the distribution, by either method', () => {
  // Twelve cases: means within 5 and variances within 6 standard errors would fail by chance less than once in 100,000 seeds.
  for (const n of [2, 30, 400, 100_000])
    for (const p of [0.004, 0.4, 0.93]) {
      const r = random(3, `${n}/${p}`);
      const draws = 4000;
      let [sum, squares] = [0, 0];
      for (let d = 0; d < draws; d++) {
        const k = binomial(n, p, r);
        assert.ok(Number.isInteger(k) && k >= 0 && k <= n);
        sum += k - n * p;
        squares += (k - n * p) ** 2;
      }
      const variance = n * p * (1 - p);
      const fourth = variance * (1 + 3 * (n - 2) * p * (1 - p));
      near(sum / draws, 0, 5 * Math.sqrt(variance / draws));
      near(squares / draws, variance, 6 * Math.sqrt((fourth - variance ** 2) / draws));
    }
});

test('binomial draws follow the probabilities (chi-square, both methods)', () => {
  for (const [n, p] of [
    [12, 0.9],
    [60, 0.25],
  ]) {
    const pmf = poissonBinomial(new Array<number>(n).fill(p));
    const counts = new Float64Array(n + 1);
    const r = random(5, `chi/${n}`);
    const draws = 20_000;
    for (let d = 0; d < draws; d++) counts[binomial(n, p, r)]++;
    let [chi, cells] = [0, 0];
    pmf.forEach((mass, k) => {
      if (mass * draws < 10) return;
      chi += (counts[k] - mass * draws) ** 2 / (mass * draws);
      cells++;
    });
    assert.ok(chi < cells + 5 * Math.sqrt(2 * cells), `chi-square ${chi} of ${cells} cells`);
  }
});

test('multinomial draws keep the total and never fall where the weight is 0', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(40), { minLength: 1, maxLength: 12 }), fc.nat(500), (weights, n) => {
      const total = weights.reduce((sum, w) => sum + w, 0);
      fc.pre(total > 0);
      const out = new Int32Array(weights.length);
      multinomial(n, weights, total, out, random(1, `${n}`));
      assert.equal(
        out.reduce((sum, k) => sum + k, 0),
        n,
      );
      weights.forEach((w, k) => {
        assert.ok(out[k] >= 0 && (w > 0 || out[k] === 0));
      });
    }),
  );
});
