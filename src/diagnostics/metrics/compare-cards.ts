import { wilson } from '../../base/maths/proportion.ts';
import type { Axis, Card, HeatmapCard, Selection, TableCard, Unit } from '../../report/report.ts';
import { selection } from '../selection.ts';
import { number } from '../wording.ts';
import type { CompareOptions, Comparison, SureBin } from './compare-scores.ts';
import { valueCards } from './compare-value-cards.ts';

const labels: Readonly<Record<Comparison['compared'][number]['name'], readonly [string, Unit]>> = {
  accuracy: ['Accuracy', 'fraction'],
  nll: ['Log loss', 'nats'],
  brier: ['Brier score', 'none'],
  ece: ['ECE', 'fraction'],
  macro_f1: ['Macro F1', 'fraction'],
  auroc: ['AUROC', 'none'],
  auprc: ['AUPRC', 'none'],
};

const differences = (c: Comparison, level: number): Card => ({
  kind: 'number',
  title: 'Differences',
  caption: `${c.names[0]} less ${c.names[1]}, on the same ${c.rows} rows. Lower is better for log loss, Brier score and ECE, higher for the others; ECE is over 15 bins of equal width.`,
  values: [
    ...c.compared.map(({ name, value, interval }) => ({
      name: `${name}_difference`,
      label: `${labels[name][0]}: difference`,
      value,
      unit: labels[name][1],
      reference: 0,
      ...(interval ? { interval: { low: interval[0], high: interval[1], level, method: 'paired' } } : {}),
    })),
    ...c.names.map((model, s) => {
      const { of, intervals } = c.compared[0];
      const interval = intervals[s];
      return {
        name: s === 0 ? 'accuracy' : 'against_accuracy',
        label: `Accuracy of ${model}`,
        value: of[s],
        unit: 'fraction' as const,
        ...(interval ? { interval: { low: interval[0], high: interval[1], level, method: 'Wilson' } } : {}),
      };
    }),
    { name: 'disagreement', label: 'Rows answered differently', value: c.different / c.rows, unit: 'fraction' },
    { name: 'rows', label: 'Rows', value: c.rows, unit: 'count' },
  ],
});

/** Columns of a table of scores: of either with its interval, and of their difference. */
export const scoreColumns = (names: Comparison['names']): TableCard['columns'] => [
  { name: 'measure', label: 'Measure', type: 'text' },
  { name: 'first', label: names[0], type: 'number' },
  { name: 'first_interval', label: 'Interval', type: 'interval' },
  { name: 'other', label: names[1], type: 'number' },
  { name: 'other_interval', label: 'Interval', type: 'interval' },
  { name: 'difference', label: 'Difference', type: 'number' },
  { name: 'difference_interval', label: 'Interval', type: 'interval' },
];

const scores = (c: Comparison): TableCard => ({
  kind: 'table',
  title: 'Scores',
  caption: `Difference: ${c.names[0]} less ${c.names[1]}, on the same rows; less is better for log loss, Brier score and ECE. p: chance of at least such a difference between equals, by resampling rows for both at once; it is at least 1 in the number of resamples. ${c.compared.length} are tested: the least of so many p-values is small by chance more often than one.`,
  columns: [...scoreColumns(c.names), { name: 'p', label: 'p', type: 'number' }],
  rows: c.compared.map(({ name, of, intervals, value, interval, p }) => [
    labels[name][0],
    of[0],
    intervals[0],
    of[1],
    intervals[1],
    value,
    interval,
    p,
  ]),
});

const rightBy = (c: Comparison): HeatmapCard => {
  const [both, mine, theirs, none] = c.right;
  const cells = ['both are right', `${c.names[0]} alone is right`, `${c.names[1]} alone is right`, 'both are wrong'];
  return {
    kind: 'heatmap',
    title: 'Who is right',
    caption: `Rows by whether each answers them right. Only the two cells where one is right alone tell them apart: McNemar, ${c.mcNemar.method}, p = ${number(c.mcNemar.p)}. Choose a cell to see its samples.`,
    rows: { label: c.names[0], names: ['right', 'wrong'] },
    columns: { label: c.names[1], names: ['right', 'wrong'] },
    layers: [
      { name: 'Rows', unit: 'count', values: [both, mine, theirs, none] },
      { name: 'Share of all rows', unit: 'fraction', values: c.right.map((n) => n / c.rows), domain: [0, 1] },
    ],
    selections: Object.fromEntries(
      c.right.flatMap((n, cell): [string, Selection][] => {
        const found = selection(cells[cell], n, c.rightRows[cell]);
        return found ? [[String(cell), found]] : [];
      }),
    ),
  };
};

const mcNemarCard = (c: Comparison): Card => ({
  kind: 'number',
  title: 'McNemar’s test',
  caption: `Whether the rows that one alone gets right are split unevenly by more than chance. Read here: ${c.mcNemar.method}; exact with fewer than 25 such rows, mid-p up to 1,000, χ² above.`,
  values: [
    { name: 'right_alone', label: `${c.names[0]} alone is right`, value: c.right[1], unit: 'count' },
    { name: 'against_right_alone', label: `${c.names[1]} alone is right`, value: c.right[2], unit: 'count' },
    { name: 'mcnemar_p', label: `p (${c.mcNemar.method})`, value: c.mcNemar.p, unit: 'none' },
    { name: 'mcnemar_exact_p', label: 'p, exact binomial', value: c.mcNemar.exact, unit: 'none' },
    { name: 'mcnemar_mid_p', label: 'p, mid-p', value: c.mcNemar.midP, unit: 'none' },
    { name: 'mcnemar_chi2', label: 'χ² with continuity correction', value: c.mcNemar.chi2, unit: 'none' },
    { name: 'mcnemar_chi2_p', label: 'p of χ²', value: c.mcNemar.chi2P, unit: 'none' },
  ],
});

/** Classes drawn in the grid of answers, and rows of its table. */
const GRID = 30;
const LISTED = 40;

const answers = (c: Comparison): Card[] => {
  if (c.disagreements.length === 0) return [];
  const apart = new Float64Array(c.classNames.length);
  for (const { said, rows } of c.disagreements) for (const k of said) apart[k] += rows;
  const shown = Array.from(apart, (_, k) => k)
    .sort((a, b) => apart[b] - apart[a] || a - b)
    .slice(0, GRID)
    .filter((k) => apart.length <= GRID || apart[k] > 0)
    .sort((a, b) => a - b);
  const place = new Map(shown.map((k, i) => [k, i]));
  const values = new Array<number>(shown.length ** 2).fill(0);
  shown.forEach((k, i) => {
    values[i * shown.length + i] = c.agreed[k];
  });
  const cells: [string, Selection][] = [];
  for (const { said, rows, first } of c.disagreements) {
    const [i, j] = [place.get(said[0]), place.get(said[1])];
    if (i === undefined || j === undefined) continue;
    values[i * shown.length + j] = rows;
    const found = selection(`${c.names[0]}: ${c.classNames[said[0]]}, ${c.names[1]}: ${c.classNames[said[1]]}`, rows, first);
    if (found) cells.push([String(i * shown.length + j), found]);
  }
  const names = shown.map((k) => c.classNames[k]);
  return [
    {
      kind: 'heatmap',
      diagonal: true,
      title: 'Answers of both',
      caption: `The diagonal holds the rows that both answer alike, right or wrong.${shown.length < c.classNames.length ? ` The ${shown.length} of ${c.classNames.length} classes with most disagreement are drawn.` : ''} Choose a cell to see its samples.`,
      rows: { label: c.names[0], names },
      columns: { label: c.names[1], names },
      layers: [{ name: 'Rows', unit: 'count', values }],
      selections: Object.fromEntries(cells),
    },
    {
      kind: 'table',
      title: 'Most frequent disagreements',
      caption: 'Pairs of different answers, the most frequent first, with how many rows each gets right and the first sample.',
      columns: [
        { name: 'first', label: c.names[0], type: 'text' },
        { name: 'other', label: c.names[1], type: 'text' },
        { name: 'rows', label: 'Rows', type: 'number', unit: 'count' },
        { name: 'first_right', label: `${c.names[0]} right`, type: 'number', unit: 'count' },
        { name: 'other_right', label: `${c.names[1]} right`, type: 'number', unit: 'count' },
        { name: 'row', label: 'First sample', type: 'row' },
      ],
      rows: c.disagreements
        .slice(0, LISTED)
        .map(({ said, rows, right, first }) => [c.classNames[said[0]], c.classNames[said[1]], rows, right[0], right[1], first[0] ?? null]),
    },
  ];
};

const changed = (c: Comparison): Card[] =>
  c.lost.length + c.won.length === 0
    ? []
    : [
        {
          kind: 'table',
          title: 'Rows that change most',
          caption: `Rows whose label is given most more, and most less, probability by ${c.names[0]} than by ${c.names[1]}.`,
          columns: [
            { name: 'won', label: `Better with ${c.names[0]}`, type: 'row' },
            { name: 'won_change', label: 'Change of probability', type: 'number' },
            { name: 'lost', label: `Better with ${c.names[1]}`, type: 'row' },
            { name: 'lost_change', label: 'Change of probability', type: 'number' },
          ],
          rows: Array.from({ length: Math.max(c.lost.length, c.won.length) }, (_, i) => [
            c.won[i]?.row ?? null,
            c.won[i]?.score ?? null,
            c.lost[i]?.row ?? null,
            c.lost[i]?.score ?? null,
          ]),
        },
      ];

const perClass = (c: Comparison): Card[] => {
  const order = c.classes
    .map((d, k) => ({ ...d, k }))
    .filter(({ rows, precision, f1 }) => rows > 0 || precision.value !== null || f1.value !== null);
  const most = [...order]
    .filter(({ recall }) => recall.value !== null)
    .sort((a, b) => Math.abs(b.recall.value ?? 0) - Math.abs(a.recall.value ?? 0) || a.k - b.k)
    .slice(0, LISTED)
    .sort((a, b) => (b.recall.value ?? 0) - (a.recall.value ?? 0) || a.k - b.k);
  const ends = most.flatMap(({ recall }) => recall.interval ?? []);
  const fraction = { type: 'number', unit: 'fraction' } as const;
  const interval = { label: 'Interval', type: 'interval', unit: 'fraction' } as const;
  return [
    {
      kind: 'bars',
      title: 'Change of recall by class',
      caption: `Share of the class found by ${c.names[0]} less that found by ${c.names[1]}, with Bonett–Price intervals.${most.length < order.length ? ` The ${most.length} of ${order.length} classes that change most.` : ''} Intervals are for one class each: of many, some miss 0 by chance.`,
      x: { label: 'Class', unit: 'none' },
      y: { label: 'Difference of recall', unit: 'fraction', min: Math.min(0, ...ends), max: Math.max(0, ...ends) },
      categories: most.map(({ k }) => c.classNames[k]),
      series: [
        { name: 'Difference', values: most.map(({ recall }) => recall.value), intervals: most.map(({ recall }) => recall.interval) },
      ],
    },
    {
      kind: 'table',
      title: 'Classes',
      caption: `Differences are ${c.names[0]} less ${c.names[1]}. Intervals: Bonett–Price for recall, the delta method over the shared rows for precision and F1.`,
      columns: [
        { name: 'class', label: 'Class', type: 'text' },
        { name: 'rows', label: 'Rows', type: 'number', unit: 'count' },
        { name: 'recall', label: `Recall, ${c.names[0]}`, ...fraction },
        { name: 'against_recall', label: `Recall, ${c.names[1]}`, ...fraction },
        { name: 'recall_difference', label: 'Difference', ...fraction },
        { name: 'recall_interval', ...interval },
        { name: 'precision_difference', label: 'Precision, difference', ...fraction },
        { name: 'precision_interval', ...interval },
        { name: 'f1_difference', label: 'F1, difference', ...fraction },
        { name: 'f1_interval', ...interval },
      ],
      rows: order.map(({ k, rows, recall, precision, f1 }) => [
        c.classNames[k],
        rows,
        recall.of[0],
        recall.of[1],
        recall.value,
        recall.interval,
        precision.value,
        precision.interval,
        f1.value,
        f1.interval,
      ]),
    },
  ];
};

const calibration = (c: Comparison, level: number): Card[] => {
  const line = (bins: readonly SureBin[], name: string) => {
    const full = bins.filter(({ n }) => n > 0);
    return {
      name,
      points: full.map(({ n, confidence, right }) => [confidence / n, right / n] as const),
      intervals: full.map(({ n, right }) => wilson(right, n, level)),
    };
  };
  const axis = (label: string): Axis => ({ label, unit: 'fraction', min: 0, max: 1 });
  return [
    {
      kind: 'curve',
      title: 'Calibration of both',
      caption:
        'Share of right answers against mean confidence in 15 bins of equal width, with Wilson’s intervals; on the diagonal confidence is what it claims.',
      x: axis('Confidence'),
      y: axis('Accuracy'),
      lines: c.bins.map((bins, s) => line(bins, c.names[s])),
      diagonal: true,
    },
    {
      kind: 'bars',
      title: 'Confidence of both',
      caption: 'Share of the rows answered with each confidence.',
      x: axis('Confidence'),
      y: { label: 'Share of rows', unit: 'fraction', min: 0 },
      edges: Array.from({ length: c.bins[0].length + 1 }, (_, k) => k / c.bins[0].length),
      series: c.bins.map((bins, s) => ({ name: c.names[s], values: bins.map(({ n }) => n / c.rows) })),
    },
  ];
};

export const compareCards = (c: Comparison, options: CompareOptions): Card[] =>
  c.rows === 0
    ? []
    : [
        differences(c, options.confidenceLevel),
        scores(c),
        rightBy(c),
        mcNemarCard(c),
        ...answers(c),
        ...changed(c),
        ...perClass(c),
        ...calibration(c, options.confidenceLevel),
        ...valueCards(c.values, options.deviation),
      ];
