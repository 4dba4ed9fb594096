import type { Card, HeatmapCard, Interval, NumberCard, Selection, TableCard } from '../../report/report.ts';
import { selection } from '../selection.ts';
import { number, percent } from '../wording.ts';
import { mistakesOf, type Order, ordered } from './confusion-order.ts';
import { type Confusion, mistakes } from './confusion-scores.ts';

export interface ConfusionOptions {
  readonly order: Order;
  readonly drawn: number;
}

/** Up to this many classes in the grid, the shares of predictions and of all rows have a layer too. */
const LAYERED = 100;
/** Cells whose rows the report names: the fullest; and how many rows of all of them together. */
const CELLS = 20_000;
const ROWS = 120_000;

/** Classes in the grid: all, or those with most mistakes, in the order asked for. */
const drawn = (confusion: Confusion, names: readonly string[], { order, drawn: most }: ConfusionOptions): readonly number[] => {
  const all = Array.from({ length: confusion.classes }, (_, k) => k);
  const { scores } = confusion;
  const shown = all.length <= most ? all : all.sort((a, b) => mistakesOf(scores[b]) - mistakesOf(scores[a]) || a - b).slice(0, most);
  return ordered(order, shown, confusion, names);
};

const cellSelections = ({ counts, classes, first }: Confusion, shown: readonly number[], names: readonly string[]) => {
  const place = new Map(shown.map((k, i) => [k, i]));
  const cells = [...first.keys()].flatMap((cell) => {
    const [i, j] = [place.get(Math.floor(cell / classes)), place.get(cell % classes)];
    return i === undefined || j === undefined ? [] : [{ cell, at: i * shown.length + j }];
  });
  const kept = cells.length <= CELLS ? cells : cells.sort((a, b) => counts[b.cell] - counts[a.cell] || a.cell - b.cell).slice(0, CELLS);
  const each = Math.max(1, Math.floor(ROWS / Math.max(1, kept.length)));
  return Object.fromEntries(
    kept.flatMap(({ cell, at }): [string, Selection][] => {
      const label = `${names[Math.floor(cell / classes)]} predicted as ${names[cell % classes]}`;
      const found = selection(label, counts[cell], first.get(cell)?.slice(0, each));
      return found ? [[String(at), found]] : [];
    }),
  );
};

const grid = (confusion: Confusion, names: readonly string[], options: ConfusionOptions): HeatmapCard => {
  const { classes, counts, scores, rows } = confusion;
  const shown = drawn(confusion, names, options);
  const layer = (of: (actual: number, predicted: number, count: number) => number | null): (number | null)[] =>
    shown.flatMap((a) => shown.map((p) => of(a, p, counts[a * classes + p])));
  const share = (n: number, of: number): number | null => (of === 0 ? null : n / of);
  const what =
    shown.length < classes ? ` The ${shown.length} of ${classes} classes with most mistakes are drawn; the tables below cover all.` : '';
  const beside = options.order === 'similarity' || (options.order === 'auto' && shown.length > 30);
  return {
    kind: 'heatmap',
    diagonal: true,
    title: 'Confusion matrix',
    caption: `Rows are the actual class, columns the predicted one; the diagonal holds the right answers.${what}${beside ? ' Classes that are confused stand beside each other (average linkage of the shares of mistakes).' : ''} Choose a cell to see its samples.`,
    rows: { label: 'Actual', names: shown.map((k) => names[k]) },
    columns: { label: 'Predicted', names: shown.map((k) => names[k]) },
    layers: [
      { name: 'Count', unit: 'count', values: layer((_a, _p, n) => n) },
      { name: 'Share of actual class', unit: 'fraction', values: layer((a, _p, n) => share(n, scores[a].rows)), domain: [0, 1] },
      ...(shown.length > LAYERED
        ? []
        : ([
            {
              name: 'Share of predicted class',
              unit: 'fraction',
              values: layer((_a, p, n) => share(n, scores[p].predicted)),
              domain: [0, 1],
            },
            { name: 'Share of all rows', unit: 'fraction', values: layer((_a, _p, n) => share(n, rows)), domain: [0, 1] },
          ] as const)),
    ],
    selections: cellSelections(confusion, shown, names),
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

const costCards = (confusion: Confusion, names: readonly string[], intervals: Readonly<Record<string, Interval>>): Card[] => {
  const { cost, classes, rows } = confusion;
  if (!cost) return [];
  const total = cost.mean * rows;
  const value = (name: string, label: string, of: number, note?: string): NumberCard['values'][number] => ({
    name,
    label,
    value: of,
    unit: 'none',
    ...(intervals[name] ? { interval: intervals[name] } : {}),
    ...(note === undefined ? {} : { note }),
  });
  const costly = mistakes(confusion)
    .map((m) => ({ ...m, cost: m.count * cost.costs.values[m.cell] }))
    .filter((m) => m.cost !== 0)
    .sort((a, b) => b.cost - a.cost || a.cell - b.cell)
    .slice(0, TOP);
  return [
    {
      kind: 'number',
      title: 'Cost',
      caption: 'Mean cost of a row under the table of costs given.',
      values: [
        value('expected_cost', 'Cost of a row, as answered', cost.mean),
        value('constant_cost', `Always answering ${names[cost.constant.answer]}, the cheapest single answer`, cost.constant.mean),
        ...(cost.decided
          ? [
              value(
                'least_expected_cost',
                'Answering by least expected cost instead of highest probability',
                cost.decided.mean,
                `It changes ${number(cost.decided.changed)} of ${number(rows)} answers (${percent(cost.decided.changed / rows)}); it pays as far as the probabilities are calibrated.`,
              ),
              { name: 'decisions_changed', label: 'Answers it changes', value: cost.decided.changed, unit: 'count' as const },
            ]
          : []),
      ],
    },
    {
      kind: 'table',
      title: 'Most costly confusions',
      caption: 'Pairs of actual and predicted class by what they cost in all, each with its first sample.',
      columns: [
        { name: 'actual', label: 'Actual', type: 'text' },
        { name: 'predicted', label: 'Predicted', type: 'text' },
        { name: 'count', label: 'Rows', type: 'number', unit: 'count' },
        { name: 'each', label: 'Cost of one', type: 'number' },
        { name: 'cost', label: 'Cost in all', type: 'number' },
        { name: 'share', label: 'Share of all cost', type: 'number', unit: 'fraction' },
        { name: 'row', label: 'First sample', type: 'row' },
      ],
      rows: costly.map((m) => [
        names[m.actual],
        names[m.predicted],
        m.count,
        cost.costs.values[m.actual * classes + m.predicted],
        m.cost,
        total === 0 ? null : m.cost / total,
        confusion.first.get(m.cell)?.[0] ?? null,
      ]),
    },
  ];
};

export const confusionCards = (
  confusion: Confusion,
  names: readonly string[],
  intervals: Readonly<Record<string, Interval>>,
  options: ConfusionOptions,
): Card[] => {
  const { mean } = confusion;
  const value = (name: string, label: string, v: number): NumberCard['values'][number] => ({
    name,
    label,
    value: Number.isNaN(v) ? null : v,
    unit: 'fraction',
    ...(intervals[name] ? { interval: intervals[name] } : {}),
  });
  return [
    {
      kind: 'number',
      title: 'Scores',
      caption:
        'Macro: every class weighs the same. Weighted: every row weighs the same. Micro F1 equals accuracy when each row has one label.',
      values: [
        value('accuracy', 'Accuracy', mean.accuracy),
        value('majority_rate', 'Accuracy of always answering the most frequent class', mean.majority),
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
    ...costCards(confusion, names, intervals),
    grid(confusion, names, options),
    topMistakes(confusion, names),
    perClass(confusion, names),
  ];
};
