import type { Card, HeatmapCard, Interval, NumberCard } from '../../report/report.ts';
import { selection } from '../selection.ts';
import { type Discovery, type Measure, measures, type Scores } from './discovery-scores.ts';
import type { Candidate, DiscoveryOptions } from './discovery-state.ts';
import { comparison, finite, inTargetUnits, sensitivity, subsets } from './discovery-tables.ts';

const outcomeNames = ['Found (TP)', 'Missed (FN)', 'False alarm (FP)', 'Left (TN)'] as const;

const labels: Readonly<Record<Measure, string>> = {
  precision: 'Precision: share of those acted on that are right',
  recall: 'Recall: share of those worth acting on that are found',
  f1: 'F1: harmonic mean of precision and recall',
  daf: 'Discovery acceleration factor: precision over prevalence',
  accuracy: 'Accuracy of the decision',
  tpr: 'True-positive rate',
  fpr: 'False-positive rate',
  tnr: 'True-negative rate',
  fnr: 'False-negative rate',
  prevalence: 'Prevalence: share worth acting on',
  mae: 'Mean absolute error',
  rmse: 'Root mean square error',
  r2: 'R²: share of the target’s variance explained',
};
const methods: Readonly<Record<Measure, string>> = {
  precision: 'Wilson',
  recall: 'Wilson',
  f1: 'Wilson, of TP/(TP + FP + FN)',
  daf: 'delta method, on the log scale',
  accuracy: 'Wilson',
  tpr: 'Wilson',
  fpr: 'Wilson',
  tnr: 'Wilson',
  fnr: 'Wilson',
  prevalence: 'Wilson',
  mae: 'normal',
  rmse: 'influence function, on the log scale',
  r2: 'influence function',
};

export const mainOf = (d: Discovery): Scores => d.models[d.main] ?? d.models[0];

export const discoveryHeadline = (d: Discovery): Record<string, number> => {
  const main = mainOf(d);
  if (!main) return { rows: 0 };
  const [tp, fn, fp, tn] = main.counts;
  return {
    ...Object.fromEntries(measures.map((name) => [name, main[name].value])),
    tp,
    fn,
    fp,
    tn,
    peril_share: d.peril.value,
    ...(d.unique ? { f1_unique: d.unique.f1.value, daf_unique: d.unique.daf.value } : {}),
    ...(d.first ? { precision_first: d.first.scores.precision.value, daf_first: d.first.scores.daf.value } : {}),
    rows: main.rows,
    missing: main.missing,
  };
};

export const discoveryIntervals = (d: Discovery, level: number): Record<string, Interval> => {
  const main = mainOf(d);
  if (!main) return {};
  const named = [
    ...measures.map((name) => [name, main[name].interval, methods[name]] as const),
    ['peril_share', d.peril.interval, 'Wilson'] as const,
    ...(d.first
      ? [
          ['precision_first', d.first.scores.precision.interval, 'Wilson'] as const,
          ['daf_first', d.first.scores.daf.interval, 'Wilson, prevalence taken as known'] as const,
        ]
      : []),
  ];
  return Object.fromEntries(
    named.flatMap(([name, interval, method]) =>
      interval ? [[name, { low: interval[0], high: interval[1], level, method }] as const] : [],
    ),
  );
};

const numbers = (d: Discovery, main: Scores, level: number): NumberCard => {
  const intervals = discoveryIntervals(d, level);
  const perfect: Partial<Record<Measure, number>> = {
    precision: 1,
    recall: 1,
    f1: 1,
    accuracy: 1,
    fpr: 0,
    mae: 0,
    rmse: 0,
    r2: 1,
    ...(main.prevalence.value > 0 ? { daf: 1 / main.prevalence.value } : {}),
  };
  const empty = 'undefined: its denominator is empty';
  return {
    kind: 'number',
    title: 'Scores',
    caption:
      'A row is worth acting on where its target is on the right side of the threshold, and acted on where its prediction is. The reference is a perfect model.',
    values: [
      ...measures.map((name): NumberCard['values'][number] => {
        const { value } = main[name];
        const reference = perfect[name];
        return {
          name,
          label: labels[name],
          value: Number.isFinite(value) ? value : null,
          unit: inTargetUnits.has(name) ? 'none' : 'fraction',
          ...(intervals[name] ? { interval: intervals[name] } : {}),
          ...(reference === undefined ? {} : { reference }),
          ...(Number.isFinite(value) ? {} : { note: empty }),
        };
      }),
      {
        name: 'peril_share',
        label: 'Share of rows in the triangle of peril',
        value: Number.isFinite(d.peril.value) ? d.peril.value : null,
        unit: 'fraction',
        ...(intervals.peril_share ? { interval: intervals.peril_share } : {}),
        reference: 0,
      },
      { name: 'rows', label: 'Rows', value: main.rows, unit: 'count' },
      { name: 'missing', label: 'Rows without a prediction', value: main.missing, unit: 'count' },
    ],
  };
};

const confusion = (d: Discovery, [tp, fn, fp, tn]: readonly number[]): HeatmapCard => {
  const cells = [tp, fn, fp, tn];
  const share = (n: number, of: number): number | null => (of === 0 ? null : n / of);
  return {
    kind: 'heatmap',
    diagonal: true,
    title: 'Decisions',
    caption: 'Rows are what should be done, columns what the predictions do. Choose a cell to see its samples.',
    rows: { label: 'Target', names: ['Worth acting on', 'Not'] },
    columns: { label: 'Prediction', names: ['Acted on', 'Left'] },
    layers: [
      { name: 'Count', unit: 'count', values: cells },
      {
        name: 'Share of target',
        unit: 'fraction',
        values: [share(tp, tp + fn), share(fn, tp + fn), share(fp, fp + tn), share(tn, fp + tn)],
        domain: [0, 1],
      },
      {
        name: 'Share of prediction',
        unit: 'fraction',
        values: [share(tp, tp + fp), share(fn, fn + tn), share(fp, tp + fp), share(tn, fn + tn)],
        domain: [0, 1],
      },
    ],
    selections: Object.fromEntries(
      cells.flatMap((n, k) => {
        const found = selection(outcomeNames[k], n, d.selected[k]);
        return found ? [[String(k), found] as const] : [];
      }),
    ),
  };
};

/** Signed distances to the threshold in units of the target. */
const unsigned = ({ threshold, direction }: DiscoveryOptions) => {
  const sign = direction === 'below' ? 1 : -1;
  return (at: number): number => threshold + sign * at;
};

const histogram = (d: Discovery, options: DiscoveryOptions): Card => {
  const { direction } = options;
  const turned = <T>(list: readonly T[]): T[] => (direction === 'below' ? [...list] : list.toReversed());
  const bins = turned(d.histogram.bins);
  const label = unsigned(options);
  return {
    kind: 'bars',
    title: 'Decisions by target',
    caption:
      'Where along the target the predictions decide rightly and wrongly: mistakes gather at the threshold. Choose a bar to see its samples.',
    x: { label: 'Target', unit: 'none' },
    y: { label: 'Rows', unit: 'count', min: 0 },
    edges: turned(d.histogram.edges).map(label),
    series: outcomeNames.map((name, k) => ({
      name,
      values: bins.map((bin) => bin.counts[k]),
      selections: bins.map((bin) => selection(name, bin.counts[k], bin.rows[k])),
    })),
    stacked: true,
  };
};

const rolling = (d: Discovery, options: DiscoveryOptions, z: number): Card => {
  const points = options.direction === 'below' ? d.rolling : d.rolling.toReversed();
  const at = unsigned(options);
  const near = d.rolling.reduce((most, p) => Math.max(most, p.mae), 0);
  const low = points.length > 0 ? Math.min(at(points[0].at), at(-1.5 * near)) : 0;
  return {
    kind: 'curve',
    title: 'Rolling error',
    caption: `Mean absolute error of rows within half a window (${options.window}) of each target. Where it lies above the distance to the threshold (the triangle of peril), the average error is larger than the margin of the decision.`,
    x: { label: 'Target', unit: 'none' },
    y: { label: 'Mean absolute error', unit: 'none', min: 0, max: 1.5 * near },
    lines: [
      {
        name: 'Rolling error',
        points: points.map((p) => [at(p.at), p.mae]),
        intervals: points.map((p) => (p.rows > 1 ? [Math.max(0, p.mae - z * p.se), p.mae + z * p.se] : null)),
      },
      {
        name: 'Distance to the threshold',
        points: [-1.5 * near, 0, 1.5 * near]
          .map((u): readonly [number, number] => [at(u), Math.abs(u)])
          .filter(([x]) => x >= low)
          .sort(([a], [b]) => a - b),
      },
    ],
    bands: [
      {
        name: 'Triangle of peril',
        points: points.filter((p) => p.peril).map((p) => [at(p.at), Math.abs(p.at), p.mae]),
      },
    ],
  };
};

const cumulative = ({ steps }: Discovery): Card[] => {
  const x = { label: 'Candidates acted on, best predicted first', unit: 'count' as const, min: 0 };
  return [
    {
      kind: 'curve',
      title: 'Precision and recall down the list',
      caption:
        'After so many candidates in the order of predictions: the share that was right, and the share of all worth finding that was found. The curves end where no more are predicted to be worth it.',
      x,
      y: { label: 'Share', unit: 'fraction', min: 0, max: 1 },
      lines: [
        { name: 'Precision', points: steps.map((s) => [s.candidates, s.precision]) },
        ...(steps.some((s) => Number.isFinite(s.recall))
          ? [{ name: 'Recall', points: steps.map((s) => [s.candidates, s.recall] as const) }]
          : []),
      ],
      bands: [{ name: 'Precision', points: steps.flatMap((s) => (s.band ? [[s.candidates, s.band[0], s.band[1]] as const] : [])) }],
    },
    {
      kind: 'curve',
      title: 'Error down the list',
      caption: 'Mean absolute error of the candidates up to there: those that are chosen are often those predicted worst.',
      x,
      y: { label: 'Mean absolute error', unit: 'none', min: 0 },
      lines: [{ name: 'Mean absolute error', points: steps.map((s) => [s.candidates, s.mae]) }],
    },
  ];
};

const listed = (title: string, caption: string, rows: readonly Candidate[], options: DiscoveryOptions): Card[] => {
  const of = unsigned(options);
  return rows.length === 0
    ? []
    : [
        {
          kind: 'table',
          title,
          caption,
          columns: [
            { name: 'row', label: 'Sample', type: 'row' },
            { name: 'prediction', label: 'Prediction', type: 'number' },
            { name: 'target', label: 'Target', type: 'number' },
          ],
          rows: rows.map(({ row, u, v }) => [row, finite(of(v)), of(u)]),
        },
      ];
};

const LISTED = 20;

export const discoveryCards = (d: Discovery, options: DiscoveryOptions, names: readonly string[], level: number, z: number): Card[] => {
  const main = mainOf(d);
  if (!main || main.rows === 0) return [];
  return [
    numbers(d, main, level),
    confusion(d, main.counts),
    ...comparison(d, names),
    histogram(d, options),
    ...(d.rolling.length > 0 ? [rolling(d, options, z)] : []),
    ...(d.steps.length > 0 ? cumulative(d) : []),
    subsets(d, main),
    sensitivity(d),
    ...listed('First candidates', 'The rows that would be acted on first.', d.first?.list.slice(0, LISTED) ?? [], options),
    ...listed('Worst false alarms', 'Acted on, and farthest from worth it.', d.falseAlarms, options),
    ...listed('Worst misses', 'Left, and most worth acting on.', d.missed, options),
  ];
};
