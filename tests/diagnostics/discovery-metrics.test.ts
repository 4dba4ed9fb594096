import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { Fault, type FaultCode } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import { choose, type OptionValue } from '../../src/base/option.ts';
import { random } from '../../src/base/random.ts';
import type { Findings } from '../../src/diagnostics/define.ts';
import { discoveryMetrics } from '../../src/diagnostics/metrics/discovery-metrics.ts';
import type { Discovery } from '../../src/diagnostics/metrics/discovery-scores.ts';
import type { Evidence } from '../../src/evidence/evidence.ts';
import type { Card, CardOf } from '../../src/report/report.ts';
import { batchOf, subjectOf } from './cases.ts';

interface Table {
  readonly y: readonly number[];
  /** One column of predictions, or several. */
  readonly p: readonly number[] | readonly (readonly number[])[];
  readonly groups?: Readonly<Record<string, readonly string[]>>;
  readonly names?: readonly string[];
}

const measure = async (
  { y, p, groups = {}, names }: Table,
  options: Record<string, OptionValue> = {},
): Promise<{ readonly result: Discovery; readonly findings: Findings }> => {
  assert.ok(discoveryMetrics.shape === 'fold');
  const columns = (Array.isArray(p[0]) ? p : [p]) as readonly (readonly number[])[];
  const batch: Evidence = {
    ...batchOf(y.map((target, row) => ({ row, label: 0, probs: [1], target }))),
    predictions: { rows: y.length, cols: columns.length, data: Float64Array.from(y.flatMap((_, i) => columns.map((c) => c[i]))) },
    groups,
  };
  const chosen = choose('discovery-metrics', discoveryMetrics.options, options);
  const subject = { ...subjectOf(0, y.length, 'values'), ...(names ? { predictions: names } : {}) };
  const state = discoveryMetrics.start(chosen, subject);
  discoveryMetrics.add(state, batch, chosen);
  const result = (await discoveryMetrics.result(state, chosen, quietJob())) as Discovery;
  return { result, findings: discoveryMetrics.report(result, chosen, subject) };
};
const headline = async (table: Table, options?: Record<string, OptionValue>) => (await measure(table, options)).findings.headline;
const near = (actual: unknown, expected: number, tolerance = 5.1e-11): void =>
  assert.ok(Math.abs(Number(actual) - expected) <= tolerance, `${actual} is not ${expected} ± ${tolerance}`);
const card = <K extends Card['kind']>(cards: readonly Card[], kind: K, title: string): CardOf<K> => {
  const found = cards.find((c) => c.kind === kind && c.title === title);
  assert.ok(found, `${kind} '${title}'`);
  return found as CardOf<K>;
};
const code =
  (expected: FaultCode, words = /./) =>
  (error: unknown) =>
    Fault.is(error, expected) && words.test(error.message);

// Card 53, check (a), printed there to ten digits.
const y = [-0.05, -0.02, 0, 0.01, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3];
const p = [-0.03, 0.02, -0.01, -0.02, 0.01, 0.06, -0.01, 0.1, 0.25, 0.28];

test('known answers of the card', async () => {
  const { result, findings } = await measure({ y, p }, { topK: 10 });
  const h = findings.headline;
  assert.deepEqual([h.tp, h.fn, h.fp, h.tn, h.rows, h.precision, h.accuracy], [2, 1, 2, 5, 10, 0.5, 0.7]);
  const bars = card(findings.cards, 'bars', 'Decisions by target');
  assert.equal(bars.stacked, true, 'what rows become are parts of the histogram of targets');
  assert.equal(
    bars.series.flatMap((one) => one.values).reduce<number>((sum, n) => sum + (n ?? 0), 0),
    10,
  );
  for (const [name, value] of Object.entries({
    recall: 0.6666666667,
    f1: 0.5714285714,
    daf: 1.6666666667,
    tnr: 0.7142857143,
    mae: 0.031,
    rmse: 0.0386005181,
    r2: 0.8585801063,
  }))
    near(h[name], value);
  assert.deepEqual(
    result.first?.list.map((c) => c.row),
    [0, 3, 2, 6, 4, 1, 5, 7, 8, 9],
  );
  assert.deepEqual(
    result.steps.map((s) => s.precision),
    [1, 0.5, 2 / 3, 0.5],
  );
  assert.deepEqual(
    result.steps.map((s) => s.recall),
    [1 / 3, 1 / 3, 2 / 3, 2 / 3],
  );
  assert.deepEqual(
    card(findings.cards, 'heatmap', 'Decisions').layers[0].values.map((n, k) => [n, result.selected[k]]),
    [
      [2, [0, 2]],
      [1, [1]],
      [2, [3, 6]],
      [5, [4, 5, 7, 8, 9]],
    ],
  );
});

interface Golden {
  readonly y: number[];
  readonly p: number[];
  readonly group: number[];
  readonly below: Record<string, number>;
  readonly above: Record<string, number>;
  readonly unique: Record<string, number>;
  readonly rolling: [number, number, number][];
  readonly curve: { cumulative: number[]; mae: number[] };
}
const golden: Golden = JSON.parse(readFileSync(new URL('../golden/diagnostics/discovery.json', import.meta.url), 'utf8'));

test('scikit-learn’s numbers on either side of a threshold', async () => {
  // Sums in another order differ in the last digits.
  const below = await headline(golden);
  for (const [name, value] of Object.entries(golden.below)) near(below[name], value, 1e-12);
  const above = await headline(golden, { threshold: 0.2, direction: 'above' });
  for (const [name, value] of Object.entries(golden.above)) near(above[name], value, 1e-12);
});

test('one row of every group, and the first of the list among them, against the prevalence of all of them', async () => {
  const { result } = await measure({ ...golden, groups: { group: golden.group.map(String) } }, { dedupe: 'first-per-group', topK: 40 });
  const { precision_first, daf_first, tp, fn, fp, tn, ...scores } = golden.unique;
  assert.deepEqual(result.unique?.counts, [tp, fn, fp, tn]);
  for (const [name, value] of Object.entries(scores)) near(result.unique?.[name as 'mae'].value, value, 1e-12);
  near(result.first?.scores.precision.value, precision_first, 1e-15);
  near(result.first?.scores.daf.value, daf_first, 1e-12);
});

test('NumPy’s rolling error, and precision and error down the list', async () => {
  const { result } = await measure(golden);
  assert.equal(result.steps.length, golden.curve.cumulative.length);
  for (const [k, step] of result.steps.entries()) {
    near(step.precision, golden.curve.cumulative[k], 1e-15);
    near(step.mae, golden.curve.mae[k], 1e-12);
  }
  // Every window that both hold: above 400 centres only some are drawn.
  const expected = new Map(golden.rolling.map(([at, mae, rows]) => [Math.round(at * 500), { mae, rows }]));
  assert.ok(result.rolling.length > 100);
  for (const point of result.rolling) {
    const one = expected.get(Math.round(point.at * 500));
    assert.equal(point.rows, one?.rows);
    near(point.mae, one?.mae ?? Number.NaN, 1e-12);
    assert.equal(point.peril, point.mae > Math.abs(point.at));
  }
});

/** Multiples of 1/64: adding constants to them is exact. */
const dyadic = fc.integer({ min: -128, max: 128 }).map((k) => k / 64);
const pairs = fc.array(fc.tuple(dyadic, dyadic), { minLength: 2, maxLength: 40 });
const decided = ['tp', 'fn', 'fp', 'tn', 'precision', 'recall', 'f1', 'daf', 'fpr', 'tnr', 'fnr'] as const;

test('rates are complements, DAF is bounded, a common shift and a turned sign change no decision', async () => {
  await fc.assert(
    fc.asyncProperty(pairs, dyadic, async (rows, c) => {
      const [a, b] = [rows.map(([v]) => v), rows.map(([, v]) => v)];
      const h = await headline({ y: a, p: b });
      if (h.tn + h.fp > 0) near(h.fpr + h.tnr, 1, 1e-15);
      if (h.tp + h.fn > 0) near(h.tpr + h.fnr, 1, 1e-15);
      if (Number.isFinite(h.daf)) assert.ok(h.daf <= 1 / h.prevalence + 1e-12);
      const moved = await headline({ y: a.map((v) => v + c), p: b.map((v) => v + c) }, { threshold: c });
      const turned = await headline({ y: a.map((v) => -v), p: b.map((v) => -v) }, { direction: 'above' });
      for (const name of decided) assert.deepEqual([moved[name], turned[name]], [h[name], h[name]], name);
      const right = await headline({ y: a, p: a });
      assert.ok(right.tp === 0 ? Number.isNaN(right.f1) : right.f1 === 1);
      if (right.tp > 0) near(right.daf, 1 / right.prevalence, 1e-12);
      assert.equal(right.mae, 0);
    }),
    { numRuns: 60 },
  );
});

test('a missing prediction is left and not measured; it never adds to those acted on', async () => {
  const gaps = p.map((v, i) => (i === 0 || i === 9 ? Number.NaN : v));
  const { findings } = await measure({ y, p: gaps });
  const h = findings.headline;
  assert.deepEqual([h.tp, h.fn, h.fp, h.tn, h.rows, h.missing], [1, 2, 2, 5, 10, 2]);
  near(h.mae, (0.031 * 10 - 0.04) / 8, 1e-15);
  assert.match(findings.notes?.join(' ') ?? '', /2 rows have no prediction: counted as left/);
  const left = await headline({ y, p: gaps }, { missing: 'leave-out' });
  assert.deepEqual([left.tp, left.fn, left.fp, left.tn, left.rows], [1, 1, 2, 4, 8]);
  await assert.rejects(measure({ y, p: y.map(() => Number.NaN) }), code('diagnostic/no-predictions', /All 10/));
});

test('an error of an intermediate quantity carries over one to one', async () => {
  const trueE = y.map((_, i) => 3 * i + 0.5);
  const words = (v: readonly number[]) => v.map(String);
  // y + (ê − e): from the predictions themselves, or from a column.
  const given = await headline({ y, p: p.map((v, i) => trueE[i] + (v - y[i])), groups: { e: words(trueE) } }, { trueQuantity: 'e' });
  near(given.mae, 0.031, 1e-12);
  const columns = { e: words(trueE), predicted: words(p.map((v, i) => trueE[i] + (v - y[i]))) };
  const named = await headline({ y, p: y.map(() => 0), groups: columns }, { trueQuantity: 'e', predictedQuantity: 'predicted' });
  near(named.rmse, 0.0386005181);
  await assert.rejects(measure({ y, p, groups: columns }, { predictedQuantity: 'predicted' }), code('diagnostic/quantity'));
});

test('bad input is refused or told: no positives, ids given twice, no groups, other units, too many wanted', async () => {
  const none = await measure({ y: y.map((v) => v + 1), p });
  assert.match(
    none.findings.notes?.[0] ?? '',
    /^0 of 10 rows satisfy target ≤ 0, so recall, F1 and DAF are undefined: check threshold and direction/,
  );
  assert.ok(Number.isNaN(none.findings.headline.daf) && Number.isNaN(none.findings.headline.recall));
  assert.match(none.findings.guide, /0 of 10 rows/);
  const ids = ['a', 'b', 'c', 'a', 'e', 'f', 'b', 'h', 'i', 'a'];
  await assert.rejects(
    measure({ y, p, groups: { id: ids } }, { id: 'id' }),
    code('diagnostic/duplicate-id', /row 3 has that of row 0, and 2 more rows repeat one/),
  );
  await assert.rejects(measure({ y, p }, { dedupe: 'first-per-group' }), code('diagnostic/no-group'));
  const wide = await measure({ y, p: p.map((v) => 1000 * v) });
  assert.match(wide.findings.notes?.join(' ') ?? '', /times as wide as targets: are both in the same unit/);
  const many = await measure({ y, p }, { topK: 1000 });
  assert.equal(many.result.first?.list.length, 10);
  await assert.rejects(measure({ y, p: [p, p] }), code('diagnostic/entry'));
});

test('a better regressor is not the better screener (card 53, check c): error small but next to the threshold', async () => {
  const r = random(53, 'screening');
  const target = Array.from({ length: 200_000 }, () => 0.12 + 0.15 * r.normal());
  const a = target.map((v) => v + 0.045 * r.normal());
  const b = target.map((v) => v - 0.03 + 0.01 * r.normal());
  const { result, findings } = await measure({ y: target, p: [a, b], names: ['a', 'b'] }, { compare: true, entry: 1 });
  const [first, second] = result.models;
  assert.ok(second.mae.value < first.mae.value && second.r2.value > first.r2.value);
  assert.ok(second.fpr.value > 1.4 * first.fpr.value && second.precision.value < first.precision.value);
  // The card's figures, from another generator: their standard errors at 200,000 rows are below 0.002.
  for (const [found, expected] of [
    [first.mae, 0.036],
    [second.mae, 0.03],
    [first.r2, 0.91],
    [second.r2, 0.956],
    [first.precision, 0.823],
    [second.precision, 0.774],
    [first.fpr, 0.05],
    [second.fpr, 0.079],
    [first.f1, 0.842],
    [second.f1, 0.873],
  ] as const)
    near(found.value, expected, 0.006);
  const models = card(findings.cards, 'table', 'Models');
  assert.deepEqual(
    models.rows.map((row) => row.slice(0, 3)),
    [
      ['b', 1, 1],
      ['a', 2, 2],
    ],
  );
  // The list was cut many times on the way.
  const order = Array.from(a, (_, i) => i).sort((i, j) => a[i] - a[j] || i - j);
  assert.deepEqual(
    result.first?.list.map((c) => c.row),
    order.slice(0, 10_000),
  );
  assert.ok(result.steps.length <= 401 && result.rolling.length <= 401);
});

test('intervals cover the truth about as often as they say', async () => {
  const r = random(9, 'coverage');
  const sd = 0.5;
  const draw = (n: number) => {
    const target = Array.from({ length: n }, () => r.normal());
    return { y: target, p: target.map((v) => v + sd * r.normal()) };
  };
  const truth = await headline(draw(400_000), { threshold: -0.5 });
  const covered: Record<string, number> = {};
  const draws = 250;
  for (let k = 0; k < draws; k++) {
    const { intervals } = (await measure(draw(300), { threshold: -0.5 })).findings;
    for (const name of ['precision', 'recall', 'f1', 'daf', 'accuracy', 'fpr', 'mae', 'rmse', 'r2'])
      covered[name] =
        (covered[name] ?? 0) + Number((intervals?.[name]?.low ?? 1) <= truth[name] && truth[name] <= (intervals?.[name]?.high ?? 0));
  }
  // 95 % of 250 with a standard error of 1.4 %; F1's interval takes TP + FP + FN as fixed, which costs a little.
  for (const [name, n] of Object.entries(covered)) assert.ok(n / draws > 0.9 && n / draws <= 1, `${name}: ${n / draws}`);
});
