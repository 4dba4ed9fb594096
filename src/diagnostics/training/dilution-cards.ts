import type { Card, Interval } from '../../report/report.ts';
import { headlineLines } from '../headline-line.ts';
import { selection } from '../selection.ts';
import { number, percent } from '../wording.ts';
import type { Dilution, DilutionAsk, FrequencyBin } from './dilution-scores.ts';

/** With fewer classes there is little to dilute. */
const FEW = 10;
/** Classes in the table at most: those with the least gradient of their own. */
const LISTED = 200;

const ratio = ({ positive, negative }: FrequencyBin): number => positive / negative;
const bin = ({ bins }: Dilution, name: FrequencyBin['name']): FrequencyBin | undefined =>
  bins.find((b) => b.name === name && b.classes > 0);

export const dilutionHeadline = (r: Dilution, { activation }: DilutionAsk): Record<string, number> => ({
  rows: r.rows,
  classes: r.classes,
  ...(activation === 'sigmoid'
    ? { positive_to_negative: r.positive.value, positive_to_mean_negative: r.positive.value * (r.classes - 1), subset_slope: r.slope }
    : {}),
  hard_share: r.hard.value,
  ...Object.fromEntries(
    r.bins.flatMap((b) => [
      [`classes_${b.name}`, b.classes],
      [`positive_to_negative_${b.name}`, b.classes > 0 ? ratio(b) : Number.NaN],
      [`recall_${b.name}`, b.rows > 0 ? b.right / b.rows : Number.NaN],
    ]),
  ),
});

export const dilutionIntervals = (r: Dilution, { activation, confidenceLevel: level }: DilutionAsk): Record<string, Interval> => {
  const delta = (found: Dilution['hard'], most: number): Interval | undefined =>
    found.interval
      ? { low: found.interval[0], high: Math.min(most, found.interval[1]), level, method: 'delta method on the log ratio' }
      : undefined;
  const of = {
    positive_to_negative: activation === 'sigmoid' ? delta(r.positive, Number.MAX_VALUE) : undefined,
    hard_share: delta(r.hard, 1),
  };
  return Object.fromEntries([
    ...Object.entries(of).flatMap(([name, interval]) => (interval ? [[name, interval] as const] : [])),
    ...r.bins.flatMap(({ name, recall }) =>
      recall ? [[`recall_${name}`, { low: recall[0], high: recall[1], level, method: 'Wilson' }] as const] : [],
    ),
  ]);
};

const numbers = (r: Dilution, chosen: DilutionAsk): Card => {
  const line = headlineLines(dilutionHeadline(r, chosen), dilutionIntervals(r, chosen));
  return {
    kind: 'number',
    title: 'Gradient at the logits',
    caption:
      chosen.activation === 'sigmoid'
        ? chosen.loss === 'focal'
          ? 'Positive: Σ |∂L/∂z| over own classes, of the focal loss. Negative: the same over all others. Hard: the share of the negative one that the hard negatives carry.'
          : 'Positive: Σ (1 − p) over own classes. Negative: Σ p over all others. Hard: the share of the negative one that the hard negatives carry.'
        : 'With softmax a row pulls its own class up exactly as much as it pushes all others down, so the two masses are equal; dilution shows class by class.',
    values: [
      line('rows', 'Rows', 'count'),
      line('classes', 'Classes', 'count'),
      ...(chosen.activation === 'sigmoid'
        ? [
            line('positive_to_negative', 'Positive to negative gradient (R_pos)', 'none'),
            line('positive_to_mean_negative', 'Positive to mean negative gradient of one class', 'none', 'R_pos · (C − 1)'),
            line('subset_slope', 'Slope of ln R_pos over ln(C − 1)', 'none', '−1 where other classes are alike'),
          ]
        : []),
      line('hard_share', 'Share carried by hard negatives (R_hard)', 'fraction'),
      ...r.bins
        .filter((b) => b.classes > 0)
        .flatMap((b) => [
          line(`positive_to_negative_${b.name}`, `Positive to negative gradient, ${b.name} classes`, 'none'),
          line(`recall_${b.name}`, `Recall, ${b.name} classes`, 'fraction'),
        ]),
    ],
  };
};

const curve = (r: Dilution, { activation }: DilutionAsk): Card[] =>
  r.subsets.length < 2
    ? []
    : [
        {
          kind: 'curve',
          title: 'With fewer classes',
          caption: 'The same scores, with random subsets of the classes: rows whose class is in the subset, means over eight draws.',
          x: { label: 'Classes', unit: 'count', scale: 'log' },
          y: { label: 'Ratio', unit: 'none', scale: 'log' },
          lines: [
            ...(activation === 'sigmoid'
              ? [{ name: 'positive to negative (R_pos)', points: r.subsets.map((p) => [p.classes, p.positive] as const) }]
              : []),
            { name: 'share of hard negatives (R_hard)', points: r.subsets.map((p) => [p.classes, p.hard] as const) },
          ],
        },
      ];

const binCards = (r: Dilution): Card[] => {
  const bins = r.bins.filter((b) => b.classes > 0);
  if (bins.length === 0) return [];
  return [
    {
      kind: 'bars',
      title: 'By frequency of the class',
      caption: 'A class whose own rows pull it up less than other rows push it down is forgotten between its rows.',
      x: { label: 'Classes by rows', unit: 'none' },
      y: { label: 'Positive to negative gradient, and recall', unit: 'none', min: 0 },
      categories: bins.map((b) => `${b.name} (${b.classes})`),
      series: [
        {
          name: 'positive to negative gradient',
          values: bins.map((b) => (b.negative > 0 ? ratio(b) : null)),
          selections: bins.map((b) => selection(`rows of ${b.name} classes`, b.rows, b.first)),
        },
        { name: 'recall', values: bins.map((b) => b.right / b.rows), intervals: bins.map((b) => b.recall) },
      ],
    },
  ];
};

const table = ({ sums, rows, classes }: Dilution, name: (c: number) => string): Card => {
  const list = Array.from({ length: classes }, (_, c) => c)
    .map((c) => ({ c, ratio: sums.positive[c] / sums.negative[c] }))
    .sort((a, b) => (Number.isNaN(a.ratio) ? 1 : Number.isNaN(b.ratio) ? -1 : a.ratio - b.ratio) || a.c - b.c)
    .slice(0, LISTED);
  const known = (x: number): number | null => (Number.isFinite(x) ? x : null);
  return {
    kind: 'table',
    title: 'Gradient of every class',
    caption: `Ordered by the ratio${classes > LISTED ? `, the ${LISTED} smallest of ${classes}` : ''}. The first bias is ln of the share of rows: what biasInit 'optimal' gives a softmax.`,
    columns: [
      { name: 'class', label: 'Class', type: 'text' },
      { name: 'rows', label: 'Rows', type: 'number', unit: 'count' },
      { name: 'positive', label: 'Positive gradient', type: 'number', unit: 'none' },
      { name: 'negative', label: 'Negative gradient', type: 'number', unit: 'none' },
      { name: 'ratio', label: 'Ratio', type: 'number', unit: 'none' },
      { name: 'recall', label: 'Recall', type: 'number', unit: 'fraction' },
      { name: 'share', label: 'Share of rows', type: 'number', unit: 'fraction' },
      { name: 'mean', label: 'Mean probability', type: 'number', unit: 'fraction' },
      { name: 'bias', label: 'First bias', type: 'number', unit: 'none' },
    ],
    rows: list.map(({ c, ratio: own }) => [
      name(c),
      sums.rows[c],
      sums.positive[c],
      sums.negative[c],
      known(own),
      known(sums.right[c] / sums.rows[c]),
      known(sums.rows[c] / rows),
      known(sums.mean[c] / rows),
      known(Math.log(sums.rows[c] / rows)),
    ]),
  };
};

export const dilutionCards = (r: Dilution, chosen: DilutionAsk, name: (c: number) => string): Card[] => [
  numbers(r, chosen),
  ...binCards(r),
  ...curve(r, chosen),
  table(r, name),
];

export const dilutionNotes = ({ classes }: Dilution): string[] =>
  classes >= FEW ? [] : [`With ${classes} classes there is little gradient to dilute: read the classes one by one.`];

export const dilutionGuide = (r: Dilution, { activation }: DilutionAsk): string => {
  if (r.rows === 0) return 'There are no rows to judge: choose a split that holds some, best the training rows.';
  const [rare, frequent] = [bin(r, 'rare') ?? bin(r, 'common'), bin(r, 'frequent')];
  const opening =
    activation === 'sigmoid'
      ? `For a unit of gradient that pushes other classes down, ${number(r.positive.value)} pull the own class up, over ${r.classes} classes; with one sigmoid a class this falls as one over their number.`
      : `With softmax every row pulls its class up as much as it pushes the others down, so the question is which classes get their share.`;
  const tail =
    !rare || !frequent || rare.name === frequent.name
      ? ' All classes have about as many rows, so no tail is starved; a class with a low ratio in the table is confused rather than rare.'
      : ratio(rare) < 0.5 * ratio(frequent)
        ? ` The ${rare.name} classes receive ${number(ratio(rare))} of positive for each unit of negative gradient where frequent ones receive ${number(ratio(frequent))}: their weights are mostly pushed away. Category queries, class weights, a balanced sampler or biasInit 'optimal' act on that.`
        : ` The ${rare.name} classes receive as much gradient of their own as frequent ones (${number(ratio(rare))} against ${number(ratio(frequent))}): where their recall is low, features or labels are the reason, not dilution.`;
  return `${opening} Hard negatives carry ${percent(r.hard.value)} of the negative gradient.${tail} Measure on the rows that are trained on; at another stage of training, or with other rows, the ratios change.`;
};
