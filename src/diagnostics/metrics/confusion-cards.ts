import type { Card, HeatmapCard, Interval, TableCard } from '../../report/report.ts';
import { selection } from '../selection.ts';
import type { Averages, ClassScores } from './class-scores.ts';

export interface Confusion {
  readonly classes: number;
  readonly counts: Float64Array;
  readonly first: ReadonlyMap<number, readonly number[]>;
  readonly scores: readonly ClassScores[];
  readonly mean: Averages;
  readonly rows: number;
  readonly accuracyInterval: readonly [number, number] | null;
}

/** A mistake: rows of class `actual` predicted as `predicted`. */
export interface Mistake {
  readonly actual: number;
  readonly predicted: number;
  readonly count: number;
  readonly cell: number;
}

/** Cells off the diagonal, the fullest first; ties in row-major order. */
export const mistakes = ({ counts, classes, first }: Confusion): Mistake[] =>
  [...first.keys()]
    .map((cell) => ({ actual: Math.floor(cell / classes), predicted: cell % classes, count: counts[cell], cell }))
    .filter((m) => m.actual !== m.predicted)
    .sort((a, b) => b.count - a.count || a.cell - b.cell);

/** Classes drawn in the grid: all, or above `GRID` those with most mistakes; in index order. */
const GRID = 40;
const drawn = ({ classes, scores }: Confusion): number[] => {
  const all = Array.from({ length: classes }, (_, k) => k);
  const wrong = (k: number): number => scores[k].rows + scores[k].predicted - 2 * scores[k].hits;
  return classes <= GRID
    ? all
    : all
        .sort((a, b) => wrong(b) - wrong(a) || a - b)
        .slice(0, GRID)
        .sort((a, b) => a - b);
};

const grid = (confusion: Confusion, names: readonly string[]): HeatmapCard => {
  const { classes, counts, scores, first, rows } = confusion;
  const shown = drawn(confusion);
  const layer = (of: (actual: number, predicted: number, count: number) => number | null): (number | null)[] =>
    shown.flatMap((a) => shown.map((p) => of(a, p, counts[a * classes + p])));
  const share = (n: number, of: number): number | null => (of === 0 ? null : n / of);
  const cells = shown.flatMap((a, i) =>
    shown.flatMap((p, j) => {
      const found = selection(`${names[a]} predicted as ${names[p]}`, counts[a * classes + p], first.get(a * classes + p));
      return found ? [[String(i * shown.length + j), found] as const] : [];
    }),
  );
  return {
    kind: 'heatmap',
    diagonal: true,
    title: 'Confusion matrix',
    caption:
      shown.length < classes
        ? `Rows are the actual class, columns the predicted one. The ${shown.length} of ${classes} classes with most mistakes are drawn; the tables below cover all.`
        : 'Rows are the actual class, columns the predicted one; the diagonal holds the right answers. Choose a cell to see its samples.',
    rows: { label: 'Actual', names: shown.map((k) => names[k]) },
    columns: { label: 'Predicted', names: shown.map((k) => names[k]) },
    layers: [
      { name: 'Count', unit: 'count', values: layer((_a, _p, n) => n) },
      { name: 'Share of actual class', unit: 'fraction', values: layer((a, _p, n) => share(n, scores[a].rows)), domain: [0, 1] },
      { name: 'Share of predicted class', unit: 'fraction', values: layer((_a, p, n) => share(n, scores[p].predicted)), domain: [0, 1] },
      { name: 'Share of all rows', unit: 'fraction', values: layer((_a, _p, n) => share(n, rows)), domain: [0, 1] },
    ],
    selections: Object.fromEntries(cells),
  };
};

const perClass = ({ scores }: Confusion, names: readonly string[]): TableCard => ({
  kind: 'table',
  title: 'Classes',
  caption:
    'Precision: of the rows predicted as the class, the share that is. Recall: of its rows, the share found. F1: their harmonic mean. Intervals are Wilson’s; that of F1 is Wilson’s for TP/(TP+FP+FN), carried over.',
  columns: [
    { name: 'class', label: 'Class', type: 'text' },
    { name: 'rows', label: 'Rows', type: 'number', unit: 'count' },
    { name: 'predicted', label: 'Predicted', type: 'number', unit: 'count' },
    { name: 'precision', label: 'Precision', type: 'number', unit: 'fraction' },
    { name: 'precision_interval', label: 'Interval', type: 'interval', unit: 'fraction' },
    { name: 'recall', label: 'Recall', type: 'number', unit: 'fraction' },
    { name: 'recall_interval', label: 'Interval', type: 'interval', unit: 'fraction' },
    { name: 'f1', label: 'F1', type: 'number', unit: 'fraction' },
    { name: 'f1_interval', label: 'Interval', type: 'interval', unit: 'fraction' },
  ],
  rows: scores.map((s, k) => [
    names[k],
    s.rows,
    s.predicted,
    s.precision,
    s.precisionInterval,
    s.recall,
    s.recallInterval,
    s.f1,
    s.f1Interval,
  ]),
});

/** Longest list of mistakes shown. */
const TOP = 20;
const topMistakes = (confusion: Confusion, names: readonly string[]): TableCard => ({
  kind: 'table',
  title: 'Most frequent confusions',
  caption: 'Pairs of actual and predicted class, the most frequent first, each with its first sample.',
  columns: [
    { name: 'actual', label: 'Actual', type: 'text' },
    { name: 'predicted', label: 'Predicted', type: 'text' },
    { name: 'count', label: 'Rows', type: 'number', unit: 'count' },
    { name: 'share', label: 'Share of actual class', type: 'number', unit: 'fraction' },
    { name: 'reverse', label: 'The other way round', type: 'number', unit: 'count' },
    { name: 'row', label: 'First sample', type: 'row' },
  ],
  rows: mistakes(confusion)
    .slice(0, TOP)
    .map((m) => [
      names[m.actual],
      names[m.predicted],
      m.count,
      m.count / confusion.scores[m.actual].rows,
      confusion.counts[m.predicted * confusion.classes + m.actual],
      confusion.first.get(m.cell)?.[0] ?? null,
    ]),
});

export const confusionCards = (confusion: Confusion, names: readonly string[], accuracy: Interval | null): Card[] => {
  const { mean } = confusion;
  const value = (name: string, label: string, v: number) => ({ name, label, value: Number.isNaN(v) ? null : v, unit: 'fraction' }) as const;
  return [
    {
      kind: 'number',
      title: 'Scores',
      caption:
        'Macro: every class weighs the same. Weighted: every row weighs the same. Micro F1 equals accuracy when each row has one label.',
      values: [
        { ...value('accuracy', 'Accuracy', mean.accuracy), ...(accuracy ? { interval: accuracy } : {}) },
        { ...value('majority_rate', 'Accuracy of always answering the most frequent class', mean.majority) },
        value('balanced_accuracy', 'Balanced accuracy (mean recall of labelled classes)', mean.balancedAccuracy),
        value('macro_f1', 'Macro F1', mean.macroF1),
        value('macro_precision', 'Macro precision', mean.macroPrecision),
        value('macro_recall', 'Macro recall', mean.macroRecall),
        value('micro_f1', 'Micro F1', mean.microF1),
        value('weighted_f1', 'Weighted F1', mean.weightedF1),
        value('weighted_precision', 'Weighted precision', mean.weightedPrecision),
        value('weighted_recall', 'Weighted recall', mean.weightedRecall),
        { ...value('cohen_kappa', 'Cohen’s kappa', mean.cohenKappa), unit: 'none' },
        { ...value('mcc', 'Matthews correlation coefficient', mean.mcc), unit: 'none' },
        { name: 'rows', label: 'Rows', value: confusion.rows, unit: 'count' },
      ],
    },
    grid(confusion, names),
    topMistakes(confusion, names),
    perClass(confusion, names),
  ];
};
