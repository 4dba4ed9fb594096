import type { Card, TableCard } from '../../report/report.ts';
import type { Discovery, Measure, Scores } from './discovery-scores.ts';

/** Measures that are no shares. */
export const inTargetUnits: ReadonlySet<Measure> = new Set(['daf', 'mae', 'rmse', 'r2']);

const shown: readonly Measure[] = [
  'prevalence',
  'precision',
  'recall',
  'f1',
  'daf',
  'accuracy',
  'tpr',
  'fpr',
  'tnr',
  'fnr',
  'mae',
  'rmse',
  'r2',
];
const heads: Readonly<Record<Measure, string>> = {
  prevalence: 'Prevalence',
  precision: 'Precision',
  recall: 'Recall',
  f1: 'F1',
  daf: 'DAF',
  accuracy: 'Accuracy',
  tpr: 'TPR',
  fpr: 'FPR',
  tnr: 'TNR',
  fnr: 'FNR',
  mae: 'MAE',
  rmse: 'RMSE',
  r2: 'R²',
};
export const finite = (x: number): number | null => (Number.isFinite(x) ? x : null);
const scoreColumns = shown.map((name) => ({
  name,
  label: heads[name],
  type: 'number' as const,
  ...(inTargetUnits.has(name) ? {} : { unit: 'fraction' as const }),
}));
const scoreCells = (s: Scores): (number | null)[] => shown.map((name) => finite(s[name].value));

export const subsets = (d: Discovery, main: Scores): TableCard => ({
  kind: 'table',
  title: 'Sets of rows',
  caption: 'The first of the list are taken by prediction; their acceleration is over the prevalence of all that they were taken from.',
  columns: [{ name: 'set', label: 'Rows', type: 'text' }, { name: 'rows', label: 'Count', type: 'number', unit: 'count' }, ...scoreColumns],
  rows: [
    ['All', main.rows, ...scoreCells(main)],
    ...(d.unique ? [['One of every group', d.unique.rows, ...scoreCells(d.unique)]] : []),
    ...(d.first ? [[`First ${d.first.list.length} by prediction`, d.first.scores.rows, ...scoreCells(d.first.scores)]] : []),
  ],
});

export const sensitivity = (d: Discovery): TableCard => ({
  kind: 'table',
  title: 'Moving the threshold',
  caption: 'Numbers that change much here hang on the very place of the threshold.',
  columns: [
    { name: 'threshold', label: 'Threshold', type: 'number' },
    { name: 'positives', label: 'Worth acting on', type: 'number', unit: 'count' },
    { name: 'acted', label: 'Acted on', type: 'number', unit: 'count' },
    { name: 'f1', label: 'F1', type: 'number', unit: 'fraction' },
    { name: 'f1Interval', label: 'F1 interval', type: 'interval', unit: 'fraction' },
    { name: 'daf', label: 'DAF', type: 'number' },
    { name: 'dafInterval', label: 'DAF interval', type: 'interval' },
  ],
  rows: d.moved.map(({ threshold, counts: [tp, fn, fp], f1, daf }) => [
    threshold,
    tp + fn,
    tp + fp,
    finite(f1.value),
    f1.interval,
    finite(daf.value),
    daf.interval,
  ]),
});

/** Place of every model by one measure; ties share the better place. */
export const places = (models: readonly Scores[], measure: Measure, best: 'low' | 'high'): number[] => {
  const value = (s: Scores): number => {
    const v = s[measure].value;
    return Number.isNaN(v) ? Number.POSITIVE_INFINITY : best === 'low' ? v : -v;
  };
  return models.map((m) => 1 + models.filter((other) => value(other) < value(m)).length);
};

export const comparison = (d: Discovery, names: readonly string[]): Card[] => {
  if (d.models.length < 2) return [];
  const [byError, byF1] = [places(d.models, 'mae', 'low'), places(d.models, 'f1', 'high')];
  return [
    {
      kind: 'table',
      title: 'Models',
      caption: 'Ordered by F1. A model that is good at numbers need not be good at decisions: look where the two places differ.',
      columns: [
        { name: 'model', label: 'Predictions', type: 'text' },
        { name: 'byError', label: 'Place by MAE', type: 'number', unit: 'count' },
        { name: 'byF1', label: 'Place by F1', type: 'number', unit: 'count' },
        ...scoreColumns,
      ],
      rows: d.models
        .map((m, i) => ({ place: byF1[i], i, cells: [names[i] ?? String(i + 1), byError[i], byF1[i], ...scoreCells(m)] }))
        .sort((a, b) => a.place - b.place || a.i - b.i)
        .map(({ cells }) => cells),
    },
    {
      kind: 'curve',
      title: 'Place by error and by decisions',
      caption:
        'Each line is a model, from its place by mean absolute error (left) to its place by F1 (right); 1 is best. Lines that cross are models whose error misleads.',
      x: { label: 'By MAE (0) and by F1 (1)', unit: 'none', min: 0, max: 1 },
      y: { label: 'Place', unit: 'count', min: 1, max: d.models.length },
      lines: d.models.map((_, i) => ({
        name: names[i] ?? String(i + 1),
        points: [
          [0, byError[i]],
          [1, byF1[i]],
        ],
      })),
    },
  ];
};
