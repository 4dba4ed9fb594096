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
import { world } from '../../src/jobs/world.ts';
import { toJson } from '../../src/report/json.ts';
import type { Card, CardOf } from '../../src/report/report.ts';

const axis = { label: 'x', unit: 'none' } as const;
const names = ['one', 'two'] as const;
const laid = (a: Card, b: Card, { sameRows = false, sameLevel = true } = {}): readonly Card[] =>
  cardDifferences({ cards: [a] }, { cards: [b] }, { names, sameRows, sameLevel }).cards;
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

test('two regression runs: every score with the interval of its difference, and the points of both', async () => {
  const ports = await world();
  const job = (): AppJob => ({ ...quietJob(), live: () => {} });
  const folder = mkdtempSync(join(tmpdir(), 'assay-compare-cards-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const run = async (name: string, noise: number): Promise<string> => {
    const rows = Array.from({ length: 80 }, (_, i) => `${i},${Math.sin(i)},${Math.sin(i) + noise * Math.cos(7 * i)}`);
    const path = join(folder, `${name}.csv`);
    writeFileSync(path, ['id,target,prediction', ...rows].join('\n'));
    const report = await diagnose({ id: 'regression-report', data: { path }, options: {}, device: 'cpu', seed: 0 }, ports, job());
    writeFileSync(join(folder, `${name}.json`), toJson(report));
    return join(folder, `${name}.json`);
  };
  const found = await compare({ runs: [await run('near', 0.1), await run('far', 0.4)] }, ports, job());
  assert.equal(found.outcome, 'measured');
  const scores = found.cards.find((card): card is CardOf<'table'> => card.title === 'Scores');
  const mae = scores?.rows.find(([label]) => label === 'Mean absolute error');
  assert.ok(mae && Array.isArray(mae[4]) && mae[4][0] < Number(mae[3]) && Number(mae[3]) < mae[4][1], String(mae));
  // |cos| has the mean 2/π: 0.1 and 0.4 of it.
  assert.ok(Math.abs(Number(mae[3]) + (0.3 * 2) / Math.PI) < 0.01, String(mae[3]));
  const points = found.cards.find((card): card is CardOf<'scatter'> => card.kind === 'scatter');
  assert.deepEqual(
    points?.groups.map((group) => group.points.length),
    [80, 80],
  );
});
