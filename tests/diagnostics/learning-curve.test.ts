import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { type CurvePoint, fitFlooredLaw, fitPowerLaw, predictPowerLaw } from '../../src/base/maths/power-law.ts';
import { studentCdf, studentQuantile } from '../../src/base/maths/student.ts';
import { fitCurve, predictError, type SizePoint, sizeFor } from '../../src/diagnostics/data/learning-curve-fit.ts';
import { pointsOf, shardSizes } from '../../src/diagnostics/data/learning-curve-run.ts';

const near = (actual: number, expected: number, tolerance: number): void =>
  assert.ok(Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected)), `${actual} is not ${expected}`);
const m = [100, 200, 400, 800, 1600, 3200];
const weightless = (errors: readonly number[], sizes: readonly number[] = m): CurvePoint[] =>
  errors.map((error, i) => ({ size: sizes[i], error, weight: 1 }));
const points = (errors: readonly number[], sizes: readonly number[] = m): SizePoint[] =>
  errors.map((error, i) => ({ size: sizes[i], error, sd: Number.NaN, repeats: 1, rows: [i] }));

test('known answers of the card: an exact line, one with a floor, and one with noise', () => {
  const exact = m.map((v) => 2.5 * v ** -0.35);
  for (const [i, v] of [0.4988155787, 0.3913627709, 0.3070570065, 0.2409120445, 0.1890157591, 0.1482987588].entries())
    near(exact[i], v, 6e-11);
  const line = fitPowerLaw(weightless(exact));
  near(line.beta, -0.35, 1e-14);
  near(line.alpha, 2.5, 1e-13);
  const floored = fitFlooredLaw(weightless(exact.map((e) => e + 0.05)));
  for (const [found, value] of [
    [floored.alpha, 2.5],
    [floored.beta, -0.35],
    [floored.gamma, 0.05],
  ])
    near(found, value, 1e-11);
  assert.ok(floored.rss < 1e-28);
  const noisy = [0.52, 0.41, 0.335, 0.262, 0.21, 0.17];
  const fit = fitPowerLaw(weightless(noisy));
  for (const [found, value] of [
    [fit.beta, -0.3232909261],
    [fit.alpha, 2.2944720403],
    [fit.betaError, 0.0035729194],
    [fit.r2, 0.9995116769],
    [studentQuantile(0.975, 4), 2.7764451052],
  ])
    near(found, value, 6e-11);
  const at = predictPowerLaw(fit, 12800, 0.95);
  for (const [found, value] of [
    [at.error, 0.107859662],
    [at.low, 0.1032323448],
    [at.high, 0.1126943955],
  ])
    near(found, value, 6e-11);
  const curve = fitCurve(points(noisy), Number.NaN, 0.95);
  assert.deepEqual(new Set(curve.regions), new Set(['power-law']));
  assert.equal(curve.floor, false);
  const needed = sizeFor(curve, 0.1, 0.95);
  near(needed?.size ?? Number.NaN, 16175.18, 1e-6);
  // Where the band meets the target, its ends are the target.
  near(predictError(curve, needed?.low ?? 1, 0.95)?.low ?? 0, 0.1, 1e-9);
  near(predictError(curve, needed?.high ?? 1, 0.95)?.high ?? 0, 0.1, 1e-9);
});

interface Golden {
  readonly size: number[];
  readonly lines: readonly {
    error: number[];
    alpha: number;
    beta: number;
    alphaError: number;
    betaError: number;
    r2: number;
    at50000: number[];
    deleted: number[];
  }[];
  readonly floors: readonly { error: number[]; alpha: number; beta: number; gamma: number; errors: number[] }[];
  readonly student: readonly [number, number, number][];
}
const golden: Golden = JSON.parse(readFileSync(new URL('../golden/diagnostics/power-law.json', import.meta.url), 'utf8'));

test('SciPy’s Student quantiles, lines, prediction bands, deleted residuals and laws with a floor', () => {
  for (const [df, p, t] of golden.student) {
    near(studentQuantile(p, df), t, 1e-11);

    near(studentCdf(t, df), p, 1e-12);
    near(studentQuantile(1 - p, df), -t, 1e-11);
    if (df === 1) near(studentQuantile(p, df), Math.tan(Math.PI * (p - 0.5)), 1e-12);
  }
  for (const line of golden.lines) {
    const fit = fitPowerLaw(weightless(line.error, golden.size));
    for (const name of ['alpha', 'beta', 'alphaError', 'betaError', 'r2'] as const) near(fit[name], line[name], 1e-10);
    const { error, low, high } = predictPowerLaw(fit, 50000, 0.95);
    for (const [i, v] of [error, low, high].entries()) near(v, line.at50000[i], 1e-10);
    for (const [i, v] of fit.studentised.entries()) near(v, line.deleted[i], 1e-8);
  }
  for (const floor of golden.floors) {
    const fit = fitFlooredLaw(weightless(floor.error, golden.size));
    // Two minimisers stop within about 1e-7 of the same place.
    for (const name of ['alpha', 'beta', 'gamma'] as const) near(fit[name], floor[name], 1e-5);
    for (const [i, v] of fit.errors.entries()) near(v, floor.errors[i], 1e-4);
    const curve = fitCurve(points(floor.error, golden.size), Number.NaN, 0.95);
    assert.ok(curve.floor && curve.floored && Math.abs(curve.floored.gamma - 0.06) < 0.01);
    assert.equal(sizeFor(curve, 0.05, 0.95)?.size, Number.POSITIVE_INFINITY);
  }
});

test('laws: units of error scale α, units of size α by k^−β, order is no matter, the band widens away from the middle', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 6, maxLength: 6 }),
      fc.integer({ min: 2, max: 50 }),
      (noise, k) => {
        const errors = m.map((v, i) => 2 * v ** -0.4 * Math.exp(noise[i] / 1000));
        const fit = fitPowerLaw(weightless(errors));
        const scaled = fitPowerLaw(weightless(errors.map((e) => e * k)));
        near(scaled.beta, fit.beta, 1e-12);
        near(scaled.alpha, fit.alpha * k, 1e-10);
        const moved = fitPowerLaw(
          weightless(
            errors,
            m.map((v) => v * k),
          ),
        );
        near(moved.beta, fit.beta, 1e-12);
        near(moved.alpha, fit.alpha * k ** -fit.beta, 1e-10);
        const turned = fitCurve(points(errors).reverse(), Number.NaN, 0.95);
        assert.deepEqual(turned, fitCurve(points(errors), Number.NaN, 0.95));
        const width = (size: number): number => {
          const p = predictPowerLaw(fit, size, 0.95);
          return Math.log(p.high / p.low);
        };
        assert.ok(fit.sd < 1e-12 || (width(600) < width(3200) && width(3200) < width(20000) && width(600) < width(100)));
      },
    ),
    { numRuns: 60 },
  );
});

test('regions: a guess at first, a floor at last, a point off the line', () => {
  const sizes = [10, 20, 40, 80, 160, 320, 640, 1280, 2560];
  const law = (v: number): number => 3 * v ** -0.5;
  const guess = 0.9;
  const errors = [0.89, 0.85, ...sizes.slice(2, 7).map(law), law(640), law(640) * 1.001];
  const curve = fitCurve(points(errors, sizes), guess, 0.95);
  assert.deepEqual(curve.regions, ['small-data', 'small-data', ...new Array(5).fill('power-law'), 'irreducible', 'irreducible']);
  near(curve.law?.beta ?? 0, -0.5, 1e-12);
  const bent = sizes.map(law);
  const wobble = (v: number, i: number): number => v * (1 + 0.002 * (i % 2 ? 1 : -1));
  const off = fitCurve(
    points(
      bent.map((v, i) => (i === 2 ? 1.5 * v : wobble(v, i))),
      sizes,
    ),
    Number.NaN,
    0.95,
  );
  assert.equal(off.regions[2], 'outside');
  assert.ok(Math.abs(off.studentised[2]) > 2.5 && off.law?.n === 6);
});

test('no law: an error that does not fall, and too few points on a line', () => {
  const rising = fitCurve(points([0.3, 0.31, 0.31, 0.32, 0.33, 0.33]), Number.NaN, 0.95);
  assert.deepEqual([rising.law, rising.why], [undefined, 'rising']);
  assert.ok(rising.slope > 0 && rising.slope < 0.05);
  assert.equal(sizeFor(rising, 0.1, 0.95), undefined);
  const few = fitCurve(points([0.5, 0.4, 0.3], [10, 20, 40]), Number.NaN, 0.95);
  assert.deepEqual([few.law, few.why], [undefined, 'few']);
});

test('repeats become means with weights; sizes halve down to the least', () => {
  const found = pointsOf([100, 200, 100], [0.5, 0.3, 0.7], [4, 5, 6]);
  assert.deepEqual(
    found.map((p) => [p.size, p.error, p.repeats, p.rows]),
    [
      [100, 0.6, 2, [4, 6]],
      [200, 0.3, 1, [5]],
    ],
  );
  near(found[0].sd, Math.SQRT2 / 10, 1e-12);
  assert.deepEqual(shardSizes(480, 7, 64), [480, 240, 120]);
  assert.deepEqual(shardSizes(6400, 7, 64), [6400, 3200, 1600, 800, 400, 200, 100]);
});

test('a digits classifier’s curve bends towards its floor: four sizes foretell the fifth within a quarter (card 38, check c)', () => {
  const errors = [0.2218, 0.1208, 0.0835, 0.0578, 0.0428];
  const sizes = [50, 100, 200, 400, 800];
  const fit = fitPowerLaw(weightless(errors, sizes));
  assert.ok(fit.r2 > 0.98);
  near(fit.beta, -0.581, 1e-3);
  const ahead = predictPowerLaw(fitPowerLaw(weightless(errors.slice(0, 4), sizes)), 800, 0.95).error;
  near(ahead, 0.0354, 5e-5 / 0.0354);
  assert.ok(Math.abs(Math.log(ahead / 0.0428)) < 0.25);
});
