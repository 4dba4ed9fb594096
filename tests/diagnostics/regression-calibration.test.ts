import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import { choose, type OptionValue } from '../../src/base/option.ts';
import { random } from '../../src/base/random.ts';
import { regressionCalibration } from '../../src/diagnostics/calibration/regression-calibration.ts';
import type { Findings, Fold } from '../../src/diagnostics/define.ts';
import type { CardOf } from '../../src/report/report.ts';
import { batchOf, subjectOf } from './cases.ts';

/** Values by SciPy and scikit-learn (golden/make/regression-calibration.py). */
const golden: {
  readonly mean: number[];
  readonly sd: number[];
  readonly y: number[];
  readonly normal: Readonly<Record<'error' | 'kuleshov' | 'coverage_90' | 'ks' | 'pinball' | 'crps' | 'nll' | 'square', number>> & {
    readonly observed: number[];
    readonly pit: number[];
  };
  readonly levels: number[];
  readonly quantiles: number[][];
  readonly quantile: { readonly observed: number[]; readonly pinball: number[]; readonly coverage_50: number };
} = JSON.parse(readFileSync(new URL('../golden/diagnostics/regression-calibration.json', import.meta.url), 'utf8'));

const fold = regressionCalibration as Fold;
const near = (actual: number | undefined, expected: number, tolerance: number, what = ''): void =>
  assert.ok(actual !== undefined && Math.abs(actual - expected) <= tolerance, `${what} ${actual} is not ${expected} ± ${tolerance}`);

interface Given {
  readonly rows: readonly (readonly number[])[];
  readonly y: readonly number[];
  readonly names?: readonly string[];
  readonly groups?: Readonly<Record<string, readonly string[]>>;
}
const batch = ({ rows, y, groups = {} }: Given, from = 0) => ({
  ...batchOf(rows.map((_, row) => ({ row: from + row, label: 0, probs: [1] }))),
  predictions: { rows: rows.length, cols: rows[0].length, data: Float64Array.from(rows.flat()) },
  targets: Float64Array.from(y),
  groups,
});
const measure = async (given: Given, options: Record<string, OptionValue> = {}): Promise<Findings> => {
  const chosen = choose('regression-calibration', fold.options, options);
  const subject = { ...subjectOf(0, given.rows.length, 'values'), ...(given.names ? { predictions: given.names } : {}) };
  const state = fold.start(chosen, subject);
  fold.add(state, batch(given), chosen);
  return fold.report(await fold.result(state, chosen, quietJob()), chosen, subject);
};
const card = <K extends 'curve' | 'table' | 'bars'>(findings: Findings, title: string): CardOf<K> =>
  findings.cards.find((c) => c.title === title) as CardOf<K>;

const { mean, sd, y } = golden;
const pairs: Given = { rows: mean.map((m, i) => [m, sd[i]]), y, names: ['mean', 'sd'] };

test('normal forecasts agree with SciPy and scikit-learn', async () => {
  const findings = await measure(pairs);
  const h = findings.headline;
  near(h.quantile_ce, golden.normal.error, 1e-12);
  near(19 * h.quantile_rmsce ** 2, golden.normal.kuleshov, 1e-12, 'the squared error summed over levels, as Kuleshov et al. have it');
  near(h.coverage_90, golden.normal.coverage_90, 1e-12);
  // Ranks of the PIT are kept to 1e-4.
  near(h.ks, golden.normal.ks, 1e-4);
  near(h.pinball, golden.normal.pinball, 1e-12);
  // The reference integrates numerically.
  near(h.crps, golden.normal.crps, 1e-7);
  near(h.nll, golden.normal.nll, 1e-12);
  near(h.standardised_square, golden.normal.square, 1e-12);
  const curve = card<'curve'>(findings, 'Quantile calibration');
  golden.normal.observed.forEach((v, k) => {
    near(curve.lines[0].points[k][1], v, 1e-15);
  });
  const pit = card<'bars'>(findings, 'PIT histogram');
  golden.normal.pit.forEach((n, k) => {
    near(pit.series[0].values[k] ?? 0, (20 * n) / y.length, 1e-12);
    assert.equal(pit.series[0].selections?.[k]?.total ?? 0, n);
  });
  assert.match(findings.guide, /too narrow/);
});

test('quantiles, by their names, by levels, in any order, agree with scikit-learn', async () => {
  const names = golden.levels.map((level) => `quantile_${level}`);
  const named = await measure({ rows: golden.quantiles, y, names });
  const backwards = await measure({ rows: golden.quantiles.map((q) => q.toReversed()), y, names: names.toReversed() });
  const given = await measure({ rows: golden.quantiles, y }, { levels: golden.levels.join(', ') });
  assert.deepEqual(backwards, named);
  assert.deepEqual(given, named);
  const levels = card<'table'>(named, 'Levels');
  golden.levels.forEach((level, k) => {
    assert.equal(levels.rows[k][0], level);
    near(levels.rows[k][1] as number, golden.quantile.observed[k], 1e-15);
    near(levels.rows[k][4] as number, golden.quantile.pinball[k], 1e-12);
  });
  near(named.headline.coverage_50, golden.quantile.coverage_50, 1e-15);
  near(named.headline.crps, 2 * named.headline.pinball, 1e-12);
});

test('a spread in a column, a variance, a log-variance and swapped columns say the same', async () => {
  const expected = (await measure(pairs)).headline;
  const ways: readonly (readonly [Given, Record<string, OptionValue>])[] = [
    [{ rows: mean.map((m) => [m]), y, groups: { s: sd.map(String) } }, { spread: 's' }],
    [{ rows: mean.map((m, i) => [m, sd[i] ** 2]), y }, { form: 'mean-variance' }],
    [{ rows: mean.map((m, i) => [m, 2 * Math.log(sd[i])]), y }, { form: 'mean-log-variance' }],
    [{ rows: mean.map((m, i) => [sd[i], m]), y, names: ['sigma', 'mu'] }, {}],
    [{ rows: mean.map((m, i) => [m, sd[i] ** 2]), y, names: ['mean', 'variance'] }, {}],
    [{ rows: mean.map((m, i) => [2 * Math.log(sd[i]), m]), y, names: ['log_variance', 'mean'] }, {}],
    [{ rows: mean.map((m, i) => [sd[i] ** 2, m]), y, names: ['var', 'mu'] }, { form: 'mean-variance' }],
  ];
  for (const [given, options] of ways) {
    const h = (await measure(given, options)).headline;
    for (const name of Object.keys(expected)) near(h[name], expected[name], 1e-9, name);
  }
});

test('an interval is judged by what it holds', async () => {
  const rows = mean.map((m, i) => [m - sd[i], m + sd[i]]);
  const findings = await measure({ rows, y, names: ['lower', 'upper'] }, { coverage: 0.8 });
  const inside = y.filter((v, i) => v >= rows[i][0] && v <= rows[i][1]).length / y.length;
  near(findings.headline.coverage_80, inside, 1e-15);
  const table = card<'table'>(findings, 'Central intervals');
  near(table.rows[0][3] as number, (2 * sd.reduce((a, b) => a + b, 0)) / sd.length, 1e-12);
  const swapped = await measure({ rows: rows.map(([a, b]) => [b, a]), y, names: ['upper', 'lower'] }, { coverage: 0.8 });
  assert.deepEqual(swapped.headline, findings.headline);
});

test('calibrated forecasts are not rejected, and their noise floor is that of the draws', async () => {
  const r = random(3, 'calibrated');
  const rows = Array.from({ length: 2000 }, () => [r.normal(), 0.5 + r.next()]);
  const findings = await measure({ rows, y: rows.map(([m, s]) => m + s * r.normal()), names: ['mean', 'sd'] });
  assert.ok(findings.headline.quantile_ce_p_value > 0.01);
  near(findings.headline.quantile_ce, findings.headline.noise_floor, 4 * findings.headline.noise_floor_sd);
  const { low, high } = findings.intervals?.coverage_90 ?? { low: 1, high: 0 };
  assert.ok(low < 0.9 && 0.9 < high);
  assert.match(findings.guide, /no evidence of miscalibration/);
});

test('parts merged are the whole; missing targets are counted; crossing quantiles are told', async () => {
  const chosen = choose('regression-calibration', fold.options, {});
  const subject = { ...subjectOf(0, 0, 'values'), predictions: ['mean', 'sd'] };
  const of = (from: number, to: number): unknown => {
    const state = fold.start(chosen, subject);
    fold.add(state, batch({ rows: pairs.rows.slice(from, to), y: y.slice(from, to) }, from), chosen);
    return state;
  };
  const [a, b] = [of(0, 60), of(60, 150)];
  fold.merge(a, b);
  const merged = fold.report(await fold.result(a, chosen, quietJob()), chosen, subject);
  const whole = await measure(pairs);
  // Sums of float64 in another order.
  for (const name of Object.keys(whole.headline)) near(merged.headline[name], whole.headline[name], 1e-12, name);
  const some = await measure({ ...pairs, y: y.map((v, i) => (i === 3 ? Number.NaN : v)) });
  assert.equal(some.headline.rows, 149);
  assert.match(some.notes?.join(' ') ?? '', /1 row has no target/);
  const crossing = await measure({
    rows: [
      [1, 0, 2],
      [0, 1, 2],
    ],
    y: [0.5, 0.5],
    names: ['q_0.1', 'q_0.5', 'q_0.9'],
  });
  assert.match(crossing.notes?.join(' ') ?? '', /In 1 row/);
});

test('bad input: no form that fits, a spread that is none, levels that are none', async () => {
  const code = (expected: string, words: RegExp) => (error: unknown) =>
    error instanceof Fault && error.code === expected && words.test(error.message);
  await assert.rejects(measure({ rows: [[1, 2, 3]], y: [1] }), code('diagnostic/forecast', /3 values a row/));
  await assert.rejects(measure({ rows: [[1, 2]], y: [1], names: ['a', 'b'] }), code('diagnostic/forecast', /\(a, b\)/));
  await assert.rejects(measure({ rows: [[1, 2]], y: [1] }, { levels: '0.1,0.5,0.9' }), code('diagnostic/forecast', /levels/));
  await assert.rejects(measure({ rows: [[1, 2]], y: [1] }, { levels: '0.1,1.5e3' }), code('option/value', /between 0 and 1/));
  for (const bad of [0, -1, Number.NaN])
    await assert.rejects(measure({ rows: [[1, bad]], y: [1] }, { form: 'mean-sd' }), code('diagnostic/spread', /Row 0/));
  assert.match((await measure({ rows: [[1]], y: [1] })).notes?.join(' ') ?? '', /read as the median/);
});
