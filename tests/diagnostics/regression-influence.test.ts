import assert from 'node:assert/strict';
import { test } from 'node:test';
import { averageRanks, kendall, pearson } from '../../src/base/maths/correlation.ts';
import { pairedSpan } from '../../src/base/maths/difference.ts';
import { random } from '../../src/base/random.ts';
import { scoreCorrelations } from '../../src/diagnostics/metrics/regression-influence.ts';
import { type RegressionScore, regressionScoreNames, regressionScores } from '../../src/diagnostics/metrics/regression-scores.ts';
import { addRegression, regressionState } from '../../src/diagnostics/metrics/regression-state.ts';

const mean = (x: Float64Array): number => x.reduce((sum, v) => sum + v, 0) / x.length;
const scores = (x: Float64Array, m: Float64Array): Readonly<Record<RegressionScore, number>> => {
  const e = x.map((v, i) => v - m[i]);
  const mse = mean(e.map((v) => v * v));
  const order = Uint32Array.from(x, (_, i) => i).sort((a, b) => x[a] - x[b] || m[a] - m[b]);
  const sorted = (of: Float64Array): Float64Array => Float64Array.from(order, (i) => of[i]);
  const mm = mean(m);
  return {
    mae: mean(e.map(Math.abs)),
    bias: mean(e),
    rmse: Math.sqrt(mse),
    r2: 1 - mse / mean(m.map((v) => (v - mm) ** 2)),
    plcc: pearson(x, m),
    srcc: pearson(averageRanks(x), averageRanks(m)),
    krcc: kendall(sorted(x), sorted(m)),
  };
};

test('the correlation of influences is that of jackknife estimates, for every score', () => {
  const draw = random(4, 'influence');
  const n = 300;
  const of = (): Float64Array => Float64Array.from({ length: n }, () => draw.normal());
  const [m, shared] = [of(), of()];
  const predicted = (own: number): Float64Array => {
    const noise = of();
    return m.map((v, i) => 0.8 * v + 0.6 * shared[i] + own * noise[i]);
  };
  const [a, b] = [predicted(0.3), predicted(0.5)];
  const found = scoreCorrelations(a, b, m);
  const left = Array.from({ length: n }, (_, out) => {
    const keep = (x: Float64Array): Float64Array => x.filter((_, i) => i !== out);
    return [scores(keep(a), keep(m)), scores(keep(b), keep(m))] as const;
  });
  for (const name of regressionScoreNames) {
    const wanted = pearson(
      Float64Array.from(left, ([x]) => x[name]),
      Float64Array.from(left, ([, y]) => y[name]),
    );
    // Leaving one of 300 rows out is the influence up to terms of 1/300.
    assert.ok(Math.abs(found[name] - wanted) < 0.02, `${name}: ${found[name]} is not ${wanted}`);
    assert.ok(found[name] > 0.1 && found[name] < 0.999, `${name}: ${found[name]} tells something`);
  }
});

test('a prediction that never varies goes with nothing; equal ones go together', () => {
  const m = Float64Array.from({ length: 20 }, (_, i) => i);
  const flat = m.map(() => 3);
  assert.equal(scoreCorrelations(flat, m, m).plcc, 0);
  assert.equal(scoreCorrelations(m, m, m).mae, 0, 'errors that are all 0');
  const noisy = m.map((v, i) => v + Math.sin(3 * i));
  for (const r of Object.values(scoreCorrelations(noisy, noisy, m))) assert.ok(Math.abs(r - 1) < 1e-12);
});

test('half widths of two that move together: the root of s² + t² − 2rst', () => {
  // 3 and 4 at r = 0.5: √(9 + 16 − 12) = √13.
  assert.deepEqual(pairedSpan(10, [7, 13], 4, [0, 8], 0.5), [6 - Math.sqrt(13), 6 + Math.sqrt(13)]);
  assert.deepEqual(pairedSpan(10, [6, 12], 4, [1, 7], 1), [6, 6]);
});

test('paired intervals of 95 % hold the true difference in 95 of 100 draws, where errors move together', () => {
  const draw = random(11, 'coverage');
  const sample = (n: number): readonly [Float64Array, Float64Array, Float64Array] => {
    const m = Float64Array.from({ length: n }, () => draw.normal());
    const shared = m.map(() => draw.normal());
    const predicted = (size: number, shift: number): Float64Array => m.map((v, i) => v + size * (shared[i] + 0.3 * draw.normal()) + shift);
    return [m, predicted(0.4, 0), predicted(0.6, 0.1)];
  };
  const [m, a, b] = sample(100_000);
  const [one, two] = [scores(a, m), scores(b, m)];
  const names = ['srcc', 'plcc', 'mae', 'rmse', 'r2', 'bias'] as const;
  const held = Object.fromEntries(names.map((name) => [name, 0])) as Record<(typeof names)[number], number>;
  const draws = 400;
  for (let k = 0; k < draws; k++) {
    const [targets, x, y] = sample(80);
    const [p, q] = [x, y].map((of) => {
      const state = regressionState();
      const rows = Float64Array.from(targets, (_, i) => i);
      addRegression(state, { predictions: { rows: 80, cols: 1, data: of }, targets, rows }, 0, false);
      return regressionScores(state, 0.95);
    });
    const correlations = scoreCorrelations(x, y, targets);
    for (const name of names) {
      const [c, d] = [p[name], q[name]];
      assert.ok(c.interval && d.interval);
      const [low, high] = pairedSpan(c.value, c.interval, d.value, d.interval, correlations[name]);
      const truth = one[name] - two[name];
      if (low <= truth && truth <= high) held[name]++;
    }
  }
  // 400 draws: four standard errors are 0.044. 80 rows are few for the asymptotics of PLCC, RMSE and R².
  for (const name of names) assert.ok(held[name] / draws > 0.9 && held[name] / draws < 0.994, `${name}: ${held[name] / draws}`);
});
