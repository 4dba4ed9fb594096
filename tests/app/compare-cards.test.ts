import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { compare } from '../../src/app/compare.ts';
import { cardDifferences } from '../../src/app/compare-cards.ts';
import { diagnose } from '../../src/app/diagnose.ts';
import type { AppJob } from '../../src/app/ports.ts';
import { quietJob } from '../../src/base/job.ts';
import type { RunRequest } from '../../src/base/request.ts';
import { world } from '../../src/jobs/world.ts';
import { toJson } from '../../src/report/json.ts';
import type { Card, CardOf, Report } from '../../src/report/report.ts';

const axis = { label: 'x', unit: 'none' } as const;
const names = ['one', 'two'] as const;
const laid = (a: Card, b: Card, { sameRows = false, sameLevel = true } = {}): readonly Card[] =>
  cardDifferences({ cards: [a] }, { cards: [b] }, { names, sameRows, sameLevel, correlations: {} }).cards;
const near = (found: unknown, wanted: readonly number[]): void => {
  assert.ok(Array.isArray(found));
  wanted.forEach((value, i) => {
    // Sums of two float64.
    assert.ok(Math.abs(Number(found[i]) - value) < 1e-12, `${found} is not ${wanted}`);
  });
};
// 0.9 in [0.8, 0.95] less 0.7 in [0.6, 0.8], by hand: 0.2 − √(0.1² + 0.1²) and 0.2 + √(0.05² + 0.1²).
const difference = [0.2 - Math.sqrt(0.02), 0.2 + Math.sqrt(0.0125)];

test('bars and curves are laid on each other, and told apart with an interval', () => {
  const bar = (value: number, low: number, high: number): CardOf<'bars'> => ({
    kind: 'bars',
    title: 'Recall',
    x: axis,
    y: axis,
    categories: ['a', 'b'],
    series: [{ name: 'recall', values: [value, null], intervals: [[low, high], null] }],
  });
  const [together, apart] = laid(bar(0.9, 0.8, 0.95), bar(0.7, 0.6, 0.8)) as readonly CardOf<'bars'>[];
  assert.deepEqual(
    together.series.map(({ name }) => name),
    ['one', 'two'],
  );
  assert.equal(apart.title, 'Recall: difference');
  near(apart.series[0].intervals?.[0], difference);
  assert.deepEqual([apart.series[0].values[1], apart.series[0].intervals?.[1]], [null, null]);
  const line = (y: number, low: number, high: number): CardOf<'curve'> => ({
    kind: 'curve',
    title: 'Risk',
    x: axis,
    y: axis,
    lines: [{ name: 'risk', points: [[0.5, y]], intervals: [[low, high]] }],
  });
  const [, curve] = laid(line(0.9, 0.8, 0.95), line(0.7, 0.6, 0.8)) as readonly CardOf<'curve'>[];
  near(curve.lines[0].intervals?.[0], difference);
  near(curve.lines[0].points[0], [0.5, 0.2]);
  const [, bare] = laid(line(0.9, 0.8, 0.95), line(0.7, 0.6, 0.8), { sameLevel: false }) as readonly CardOf<'curve'>[];
  assert.equal(bare.lines[0].intervals, undefined, 'intervals of two levels give none of the difference');
});

test('a table gives the interval that stands beside each number; row numbers are keys on the same rows alone', () => {
  const table = (value: number, span: readonly [number, number], row: number): CardOf<'table'> => ({
    kind: 'table',
    title: 'Per class',
    columns: [
      { name: 'row', label: 'Row', type: 'row' },
      { name: 'recall', label: 'Recall', type: 'number', unit: 'fraction' },
      { name: 'interval', label: '95 % Wilson', type: 'interval', unit: 'fraction' },
    ],
    rows: [[row, value, span]],
  });
  const [a, b] = [table(0.9, [0.8, 0.95], 3), table(0.7, [0.6, 0.8], 3)];
  assert.deepEqual(laid(a, b), []);
  const [both] = laid(a, b, { sameRows: true }) as readonly CardOf<'table'>[];
  assert.deepEqual(
    both.columns.map(({ label }) => label),
    ['Row', 'Recall, first', 'other', 'difference', '95 % Wilson'],
  );
  near(both.rows[0][4], difference);
});

const ports = await world();
const folder = mkdtempSync(join(tmpdir(), 'assay-compare-cards-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const job = (): AppJob => ({ ...quietJob(), live: () => {} });

interface Predicted {
  readonly target: readonly number[];
  readonly prediction: readonly number[];
}
const wave = ({ noise = 0.1, n = 80, shift = 0 } = {}): Predicted => {
  const target = Array.from({ length: n }, (_, i) => Math.sin(i + shift));
  return { target, prediction: target.map((v, i) => v + noise * Math.cos(7 * i)) };
};
/** A saved regression report of a table. */
const regression = async (name: string, { target, prediction }: Predicted, options: RunRequest['options'] = {}): Promise<string> => {
  const path = join(folder, `${name}.csv`);
  writeFileSync(path, ['target,prediction', ...target.map((v, i) => `${v},${prediction[i]}`)].join('\n'));
  const report = await diagnose({ id: 'regression-report', data: { path }, options, device: 'cpu', seed: 0 }, ports, job());
  writeFileSync(join(folder, `${name}.json`), toJson(report));
  return join(folder, `${name}.json`);
};
const runs = (a: string, b: string): Promise<Report> => compare({ runs: [a, b] }, ports, job());
const tableOf = ({ cards }: Report, title: string): CardOf<'table'> | undefined =>
  cards.find((card): card is CardOf<'table'> => card.kind === 'table' && card.title === title);

test('two regression runs on the same rows: the interval of a mean is that of its differences row by row', async () => {
  const [near80, far80] = [wave({ noise: 0.1 }), wave({ noise: 0.4 })];
  const found = await runs(await regression('near', near80), await regression('far', far80));
  assert.equal(found.outcome, 'measured');
  for (const [name, of] of [
    ['mae', Math.abs],
    ['bias', (e: number) => e],
  ] as const) {
    const d = near80.target.map((m, i) => of(near80.prediction[i] - m) - of(far80.prediction[i] - m));
    const mean = d.reduce((sum, v) => sum + v, 0) / d.length;
    const half = 1.959963984540054 * Math.sqrt(d.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (d.length - 1) / d.length);
    const { low, high, method } = found.intervals[`${name}_difference`];
    assert.equal(method, 'paired by row');
    // Variances and a covariance of sums of 80 float64, in two orders.
    assert.ok(Math.abs(low - (mean - half)) < 1e-9 && Math.abs(high - (mean + half)) < 1e-9, `${name}: ${low} to ${high}`);
    const score = tableOf(found, 'Scores')?.rows.find(([, , , difference]) => difference === found.headline[`${name}_difference`]);
    assert.deepEqual(score?.[4], [low, high], 'the card says the same');
  }
  for (const name of ['srcc', 'plcc', 'krcc', 'mae', 'rmse', 'r2', 'bias']) assert.ok(found.intervals[`${name}_difference`], name);
  // |cos| has the mean 2/π: 0.1 and 0.4 of it.
  assert.ok(Math.abs(found.headline.mae_difference + (0.3 * 2) / Math.PI) < 0.01);
  assert.match(found.notes.join(' '), /two files .* the same targets in the same order/);
  assert.match(found.guide, /near\.csv is closer to the target on 100 % of 80 rows/);
  const scatters = found.cards.filter((card): card is CardOf<'scatter'> => card.kind === 'scatter');
  assert.deepEqual(
    scatters.map(({ title, groups }) => [title, groups.map(({ points }) => points.length)]),
    [
      ['Errors of both', [80]],
      ['Target against prediction', [80, 80]],
      ['Residual against prediction', [80, 80]],
    ],
  );
  assert.equal(tableOf(found, 'Rows that change most')?.rows.length, 12);
  assert.equal(found.samples.length, 80, 'its rows can be looked at');
});

test('pairs tell apart what independent runs of the same rows would not', async () => {
  const base = wave({ noise: 0.4, n: 400 });
  const shifted = { ...base, prediction: base.prediction.map((v, i) => v + 0.01 * Math.sign(v - base.target[i])) };
  const [one, two] = [await regression('base', base), await regression('shifted', shifted)];
  const paired = (await runs(one, two)).intervals.mae_difference;
  assert.ok(paired.high < 0, `${paired.low} to ${paired.high}`);
  const other = await regression('elsewhere', { ...shifted, target: shifted.target.map((v, i) => (i === 399 ? v + 1e-9 : v)) });
  const found = await runs(one, other);
  assert.match(found.notes.join(' '), /different rows/);
  const { low, high, method } = found.intervals.mae_difference;
  assert.equal(method, 'MOVER, as if independent');
  assert.ok(low < 0 && high > 0, `${low} to ${high}`);
});

test('regression runs that are not of the same rows, of few rows, or of two levels, are no pairs', async () => {
  const one = await regression('one', wave());
  for (const [name, path, said] of [
    ['other rows', await regression('turned', wave({ shift: 1 })), /different rows/],
    ['more rows', await regression('longer', wave({ n: 90 })), /different rows/],
  ] as const) {
    const found = await runs(one, path);
    assert.match(found.notes.join(' '), said, name);
    assert.equal(found.intervals.mae_difference.method, 'MOVER, as if independent', name);
    assert.ok(!found.cards.some(({ title }) => title === 'Errors of both'), name);
  }
  const few = await runs(await regression('few', wave({ n: 6 })), await regression('few-too', wave({ n: 6, noise: 0.3 })));
  assert.equal(few.intervals.mae_difference.method, 'MOVER, as if independent');
  const wider = await runs(one, await regression('wider', wave({ noise: 0.3 }), { confidenceLevel: 0.9 }));
  assert.deepEqual(
    Object.keys(wider.intervals).filter((name) => name.endsWith('_difference')),
    [],
  );
  assert.match(wider.notes.join(' '), /confidenceLevel 0.95 and 0.9/);
});

test('a regression run against itself: no difference, and nothing that speaks for either', async () => {
  const one = await regression('itself', wave());
  const found = await runs(one, one);
  assert.match(found.guide, /are equal/);
  // 1 − ρ of equal series is a rounding away from 0, and its root is taken.
  for (const [name, { low, high }] of Object.entries(found.intervals))
    if (name.endsWith('_difference')) assert.ok(Math.abs(low) < 1e-7 && Math.abs(high) < 1e-7, `${name}: ${low} to ${high}`);
});

test('rows beyond those that reports show are taken for like them', async () => {
  const [one, two] = [wave({ n: 3000, noise: 0.4 }), wave({ n: 3000, noise: 0.5 })];
  const found = await runs(await regression('long', one), await regression('long-too', two));
  assert.match(found.notes.join(' '), /The 1000 rows .* as if the other 2000 rows were like them/);
  // 0.1·|cos|: its deviation is 0.1·√(½ − 4/π²), and a correlation of 1 leaves no more than that of the errors.
  const half = (1.96 * 0.1 * Math.sqrt(0.5 - 4 / Math.PI ** 2)) / Math.sqrt(3000);
  const { low, high } = found.intervals.mae_difference;
  // A sample of 1000 of 3000.
  assert.ok(Math.abs((high - low) / 2 - half) < 0.05 * half, `${low} to ${high}, ± ${half}`);
});
