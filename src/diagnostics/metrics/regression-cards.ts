import type { Card, Interval, NumberCard } from '../../report/report.ts';
import { type Measure, type Measured, measures, type Regression, type RegressionScore, regressionScoreNames } from './regression-scores.ts';

type Value = NumberCard['values'][number];
const names = regressionScoreNames;
const methods: Readonly<Record<RegressionScore, string>> = {
  srcc: 'Bonett–Wright, on Fisher’s scale',
  plcc: 'influence function, on Fisher’s scale',
  krcc: 'Fieller, on Fisher’s scale',
  mae: 'normal',
  rmse: 'influence function, on the log scale',
  r2: 'influence function',
  bias: 'normal',
};
export const regressionLabels: Readonly<Record<RegressionScore, string>> = {
  srcc: 'Rank correlation (Spearman, SRCC)',
  plcc: 'Linear correlation (Pearson, PLCC)',
  krcc: 'Rank correlation (Kendall’s τ-b, KRCC)',
  mae: 'Mean absolute error',
  rmse: 'Root mean square error',
  r2: 'R²: share of the target’s variance explained',
  bias: 'Mean of prediction − target',
};

/** The card that shows rows, by which two runs are paired. */
export const drawnCard = 'Target against prediction';

/** Every name of the headline. */
export const regressionNumbers: readonly string[] = [...names, 'plcc_fit', 'rmse_fit', 'rows'];

export const regressionHeadline = (r: Regression): Record<string, number> => ({
  ...Object.fromEntries(names.map((name) => [name, r[name].value])),
  plcc_fit: r.fitted?.plcc ?? Number.NaN,
  rmse_fit: r.fitted?.rmse ?? Number.NaN,
  rows: r.rows,
});

export const regressionIntervals = (r: Regression, level: number): Record<string, Interval> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const { interval }: Measured = r[name];
      return interval ? [[name, { low: interval[0], high: interval[1], level, method: methods[name] }] as const] : [];
    }),
  );

const numbers = (r: Regression, level: number): Card => {
  const intervals = regressionIntervals(r, level);
  const undefinedNote = 'undefined: predictions or targets are constant';
  const value = (name: string, label: string, v: number, more: Partial<Value> = {}): Value => ({
    name,
    label,
    value: Number.isFinite(v) ? v : null,
    unit: 'none',
    ...(intervals[name] ? { interval: intervals[name] } : {}),
    ...(Number.isFinite(v) ? {} : { note: undefinedNote }),
    ...more,
  });
  const reference: Partial<Record<RegressionScore, number>> = { srcc: 0, plcc: 0, krcc: 0, rmse: r.targetSd, r2: 0, bias: 0 };
  const curve = r.fitted?.kind === 'line' ? 'a fitted line' : 'a fitted logistic curve';
  return {
    kind: 'number',
    title: 'Scores',
    caption:
      'On predictions as given; two also after a curve was fitted on these same rows. The reference is what always answering the mean target would score.',
    values: [
      ...names.map((name) =>
        value(name, regressionLabels[name], r[name].value, reference[name] === undefined ? {} : { reference: reference[name] }),
      ),
      ...(r.fitted
        ? [
            value('plcc_fit', `Linear correlation after ${curve}`, r.fitted.plcc),
            value('rmse_fit', `Root mean square error after ${curve}`, r.fitted.rmse),
          ]
        : []),
      { name: 'rows', label: 'Rows', value: r.rows, unit: 'count' },
    ],
  };
};

/** All models in the order of their mean places. */
const ranking = ({ models }: Regression, names: readonly string[]): Card[] =>
  models.length < 2
    ? []
    : [
        {
          kind: 'table',
          title: 'Models',
          caption:
            'Ordered by the mean of their places in the five measures, ties sharing a place: high correlations, low errors. The other cards are of the prediction chosen with entry, else the first.',
          columns: [
            { name: 'model', label: 'Predictions', type: 'text' },
            { name: 'place', label: 'Mean place', type: 'number' },
            ...(Object.keys(measures) as Measure[]).map((name) => ({ name, label: name.toUpperCase(), type: 'number' as const })),
          ],
          rows: models
            .map((of, i) => ({ of, name: names[i] ?? String(i + 1) }))
            .sort((a, b) => a.of.place - b.of.place)
            .map(({ of, name }) => [
              name,
              of.place,
              ...(Object.keys(measures) as Measure[]).map((k) => (Number.isNaN(of[k]) ? null : of[k])),
            ]),
        },
      ];

export const regressionCards = (r: Regression, level: number, models: readonly string[]): Card[] => {
  if (r.rows === 0) return [];
  const rows = r.drawn.map((d) => d.row);
  const sampled = r.rows > r.drawn.length ? ` ${r.drawn.length} of ${r.rows} rows are drawn.` : '';
  const prediction = { label: 'Prediction', unit: 'none' } as const;
  const target = { label: 'Target', unit: 'none' } as const;
  return [
    numbers(r, level),
    ...ranking(r, models),
    {
      kind: 'scatter',
      title: drawnCard,
      caption: `On the diagonal predictions are right.${sampled}`,
      x: prediction,
      y: target,
      groups: [{ name: 'Rows', points: r.drawn.map((d) => [d.x, d.m]), rows }],
      diagonal: true,
    },
    ...(r.fitted
      ? [
          {
            kind: 'curve' as const,
            title: 'Fitted curve',
            caption: `The ${r.fitted.kind === 'line' ? 'line' : 'logistic curve'} from predictions to targets: where it leaves the diagonal, a monotone correction would help.`,
            x: prediction,
            y: target,
            lines: [{ name: r.fitted.kind === 'line' ? 'Line' : 'Logistic', points: r.fitted.points }],
            diagonal: true as const,
          },
        ]
      : []),
    {
      kind: 'scatter',
      title: 'Residual against prediction',
      caption: `A slope or a widening shows errors that depend on what is predicted.${sampled}`,
      x: prediction,
      y: { label: 'Prediction − target', unit: 'none' },
      groups: [{ name: 'Rows', points: r.drawn.map((d) => [d.x, d.x - d.m]), rows }],
    },
    {
      kind: 'bars',
      title: 'Residuals',
      caption: 'How many rows have each prediction − target; a centre off zero is bias, a long tail a few bad rows.',
      x: { label: 'Prediction − target', unit: 'none' },
      y: { label: 'Rows', unit: 'count', min: 0 },
      edges: r.residuals.edges,
      series: [{ name: 'Rows', values: r.residuals.counts }],
    },
    {
      kind: 'table',
      title: 'Largest errors',
      caption: 'The rows predicted worst: look here for wrong targets first.',
      columns: [
        { name: 'row', label: 'Sample', type: 'row' },
        { name: 'prediction', label: 'Prediction', type: 'number' },
        { name: 'target', label: 'Target', type: 'number' },
        { name: 'error', label: 'Prediction − target', type: 'number' },
      ],
      rows: r.worst.map((w) => [w.row, w.x, w.m, w.x - w.m]),
    },
  ];
};
