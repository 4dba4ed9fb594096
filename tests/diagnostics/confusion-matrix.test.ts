import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { wilson } from '../../src/base/maths/proportion.ts';
import type { CardOf } from '../../src/report/report.ts';
import { measure, type Sample } from './cases.ts';
import { digits, sparse } from './golden.ts';

const near = (actual: unknown, expected: unknown, tolerance = 1e-13): void =>
  assert.ok(Math.abs(Number(actual) - Number(expected)) <= tolerance, `${actual} is not ${expected} ± ${tolerance}`);

const of = <K extends 'heatmap' | 'table' | 'number'>(
  cards: readonly { kind: string; title: string }[],
  kind: K,
  title: string,
): CardOf<K> => {
  const card = cards.find((c) => c.kind === kind && c.title === title);
  assert.ok(card, `${kind} '${title}'`);
  return card as CardOf<K>;
};

const one = (label: number, probs: readonly number[], row: number): Sample => ({ row, label, probs });

for (const [name, { golden, samples }] of Object.entries({ digits, sparse }))
  test(`counts, ratios and averages equal scikit-learn's on ${name}`, async () => {
    const { findings } = await measure('confusion-matrix', samples);
    const classes = golden.support.length;
    const grid = of(findings.cards, 'heatmap', 'Confusion matrix');
    assert.deepEqual(grid.layers[0].values, golden.confusion);
    for (const key of ['accuracy', 'balanced_accuracy', 'cohen_kappa', 'mcc', 'micro_f1']) near(findings.headline[key], golden[key]);
    for (const average of ['macro', 'weighted'])
      for (const score of ['precision', 'recall', 'f1']) near(findings.headline[`${average}_${score}`], golden[`${average}_${score}`]);
    const table = of(findings.cards, 'table', 'Classes');
    table.rows.forEach((row, k) => {
      assert.equal(row[1], golden.support[k]);
      near(row[3] ?? 0, golden.precision[k]);
      near(row[5] ?? 0, golden.recall[k]);
      near(row[7] ?? 0, golden.f1[k]);
    });
    assert.equal(findings.headline.rows, samples.length);
    for (const layer of grid.layers) assert.equal(layer.values.length, classes * classes);
  });

test('a class without predictions or rows has no ratio, and the share of an empty row or column is undefined', async () => {
  const { findings } = await measure('confusion-matrix', sparse.samples);
  const table = of(findings.cards, 'table', 'Classes').rows;
  assert.deepEqual(table[5].slice(1), [0, 0, null, null, null, null, null, null]);
  assert.equal(table[3][3], null, 'precision of a class never predicted');
  assert.equal(table[4][5], null, 'recall of a class never labelled');
  const [, byRow, byColumn] = of(findings.cards, 'heatmap', 'Confusion matrix').layers;
  assert.equal(byRow.values[5 * 6], null);
  assert.equal(byColumn.values[3], null);
});

test('normalised layers sum to one over rows, columns and all', async () => {
  const { findings } = await measure('confusion-matrix', digits.samples);
  const [, byRow, byColumn, overall] = of(findings.cards, 'heatmap', 'Confusion matrix').layers;
  const sum = (values: readonly (number | null)[], keep: (cell: number) => boolean): number =>
    values.reduce<number>((total, v, cell) => total + (keep(cell) ? (v ?? 0) : 0), 0);
  for (let k = 0; k < 10; k++) {
    near(
      sum(byRow.values, (cell) => Math.floor(cell / 10) === k),
      1,
    );
    near(
      sum(byColumn.values, (cell) => cell % 10 === k),
      1,
    );
  }
  near(
    sum(overall.values, () => true),
    1,
  );
});

test('intervals: Wilson for accuracy, precision and recall; for F1 that of TP/(TP+FP+FN) carried over', async () => {
  // 8 of 10 rows of class 0 found, none claimed wrongly: recall and TP/(TP+FP+FN) are both 8/10 (card E: 0.4901624715 to 0.9433178486).
  const samples = [
    ...Array.from({ length: 8 }, (_, i) => one(0, [1, 0], i)),
    one(0, [0, 1], 8),
    one(0, [0, 1], 9),
    one(1, [0, 1], 10),
    one(1, [0, 1], 11),
  ];
  const { findings } = await measure('confusion-matrix', samples);
  const [zero] = of(findings.cards, 'table', 'Classes').rows;
  const [low, high] = zero[6] as [number, number];
  near(low, 0.4901624715, 6e-11);
  near(high, 0.9433178486, 6e-11);
  assert.deepEqual(zero[4], wilson(8, 8, 0.95));
  near((zero[8] as [number, number])[0], (2 * low) / (1 + low));
  near((zero[8] as [number, number])[1], (2 * high) / (1 + high));
  const { low: a, high: b } = findings.intervals?.accuracy ?? { low: 0, high: 0 };
  assert.deepEqual([a, b], wilson(10, 12, 0.95));
  const wide = await measure('confusion-matrix', samples, { confidenceLevel: 0.99 });
  assert.ok((wide.findings.intervals?.accuracy.low ?? 1) < a);
});

test('a cell names its first 24 rows in row order and how many there are; the fullest mistake comes first', async () => {
  const samples = [...Array.from({ length: 30 }, (_, i) => one(0, [0, 1, 0], 100 - i)), one(1, [0, 0, 1], 200), one(2, [0, 0, 1], 201)];
  const { findings } = await measure('confusion-matrix', samples);
  const cell = of(findings.cards, 'heatmap', 'Confusion matrix').selections?.['1'];
  assert.deepEqual(cell, { label: 'class 0 predicted as class 1', total: 30, rows: Array.from({ length: 24 }, (_, i) => 71 + i) });
  const top = of(findings.cards, 'table', 'Most frequent confusions').rows;
  assert.deepEqual(top, [
    ['class 0', 'class 1', 30, 1, 0, 71],
    ['class 1', 'class 2', 1, 1, 0, 200],
  ]);
});

test('ties of probability go to the lowest index', async () => {
  const { findings } = await measure('confusion-matrix', [one(1, [0.5, 0.5], 0)]);
  assert.equal(findings.headline.accuracy, 0);
});

test('more classes than are drawn: the grid holds those with most mistakes, the tables all', async () => {
  const hot = (k: number): number[] => Array.from({ length: 60 }, (_, j) => (j === k ? 1 : 0));
  const samples = Array.from({ length: 60 }, (_, k) => one(k, hot(k < 2 ? 1 - k : k), k));
  const { findings } = await measure('confusion-matrix', samples, { drawn: 40, order: 'index' });
  const grid = of(findings.cards, 'heatmap', 'Confusion matrix');
  assert.equal(grid.rows.names.length, 40);
  assert.deepEqual(grid.rows.names.slice(0, 3), ['class 0', 'class 1', 'class 2']);
  assert.deepEqual(grid.selections?.['1'], { label: 'class 0 predicted as class 1', total: 1, rows: [0] });
  assert.equal(of(findings.cards, 'table', 'Classes').rows.length, 60);
});

test('a label outside the classes names the row; batches of different width are refused', async () => {
  await assert.rejects(measure('confusion-matrix', [one(0, [1, 0], 4), one(2, [1, 0], 9)]), (e) => {
    assert.ok(Fault.is(e, 'diagnostic/label'));
    assert.deepEqual(e.detail, { row: 9, label: 2, classes: 2 });
    return true;
  });
  await assert.rejects(measure('confusion-matrix', [one(-1, [1, 0], 4)]), (e) => Fault.is(e, 'diagnostic/label'));
});

test('the guide is about these numbers: no mistakes, a lopsided confusion, a mutual one, a model no better than the class frequencies', async () => {
  const guide = async (samples: Sample[]): Promise<string> => (await measure('confusion-matrix', samples)).findings.guide;
  const rows = (n: number, label: number, predicted: number): Sample[] =>
    Array.from({ length: n }, (_, i) => one(label, predicted === 0 ? [1, 0] : [0, 1], i));
  assert.match(await guide(rows(50, 0, 0)), /No mistake was seen.*up to 7\.1 %/);
  assert.match(
    await guide([...rows(50, 0, 0), ...rows(40, 1, 1), ...rows(9, 1, 0)]),
    /class 1 predicted as class 0: 9 of 49 rows, and only 0 the other way round/,
  );
  assert.match(
    await guide([...rows(50, 0, 0), ...rows(40, 1, 1), ...rows(9, 1, 0), ...rows(7, 0, 1)]),
    /and 7 the other way round, which does not show a leaning/,
  );
  assert.match(await guide([...rows(50, 0, 0), ...rows(10, 1, 0)]), /most frequent class would score 83\.3 %/);
  assert.match(
    await guide([...rows(5, 0, 0), ...rows(3, 0, 1)]),
    /Every row is labelled class 0, so only the recall of that class is measured.*wrong answer is class 1: 3 rows/,
  );
  assert.match(await guide(rows(1, 0, 1)), /right on 0 of 1 row,/);
  assert.match(await guide([]), /no rows/);
});
