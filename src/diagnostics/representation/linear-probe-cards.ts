import { wilson } from '../../base/maths/proportion.ts';
import type { Card, NumberCard } from '../../report/report.ts';
import { keepFirst, selection } from '../selection.ts';
import type { CurvePoint } from './linear-probe-curve.ts';
import { meanOf, spreadOf } from './linear-probe-guide.ts';
import type { Probed } from './linear-probe-run.ts';

const heads = [
  { name: 'Naive Bayes', of: (p: CurvePoint) => p.naiveBayes },
  { name: 'Logistic regression', of: (p: CurvePoint) => p.logistic },
] as const;

const curves = ({ points, shown, crossing }: Probed, level: number): Card[] => {
  const band = (of: (p: CurvePoint) => Float64Array) =>
    points.flatMap((p): [number, number, number][] => {
      const sd = spreadOf(of(p));
      const mean = meanOf(of(p));
      return sd === null ? [] : [[p.size, Math.max(0, mean - sd), Math.min(1, mean + sd)]];
    });
  return [
    {
      kind: 'curve',
      title: 'Error against labelled examples',
      caption: `Of ${shown} rows that no head was fitted on; bands are one standard deviation over the draws${Number.isNaN(crossing.at) ? '' : ', and the crossing is where the mean errors change sides'}.`,
      x: { label: 'Labelled examples', unit: 'count', scale: 'log' },
      y: { label: 'Error', unit: 'fraction', min: 0 },
      lines: heads.map(({ name, of }) => ({
        name,
        points: points.map((p): [number, number] => [p.size, meanOf(of(p))]),
        intervals: points.map((p) => (of(p).length === 1 ? wilson(Math.round(of(p)[0] * shown), shown, level) : null)),
      })),
      bands: heads.map(({ name, of }) => ({ name: `${name} ± sd`, points: band(of) })).filter((b) => b.points.length > 0),
    },
    {
      kind: 'table',
      title: 'Errors by number of examples',
      caption: 'Mean and standard deviation over the draws of each size; a negative difference favours naive Bayes.',
      columns: [
        { name: 'size', label: 'Examples', type: 'number', unit: 'count' },
        { name: 'draws', label: 'Draws', type: 'number', unit: 'count' },
        { name: 'naive_bayes', label: 'Naive Bayes', type: 'number', unit: 'fraction' },
        { name: 'naive_bayes_sd', label: 'sd', type: 'number', unit: 'fraction' },
        { name: 'logistic', label: 'Logistic regression', type: 'number', unit: 'fraction' },
        { name: 'logistic_sd', label: 'sd', type: 'number', unit: 'fraction' },
        { name: 'difference', label: 'Difference', type: 'number', unit: 'fraction' },
      ],
      rows: points.map((p) => [
        p.size,
        p.naiveBayes.length,
        ...heads.flatMap(({ of }) => [meanOf(of(p)), spreadOf(of(p))]),
        meanOf(p.naiveBayes) - meanOf(p.logistic),
      ]),
    },
  ];
};

const mistakes = ({ mistakes: { naiveBayesOnly, logisticOnly, both }, points }: Probed): Card => {
  const groups = [
    { label: 'Naive Bayes alone is wrong', rows: naiveBayesOnly },
    { label: 'Logistic regression alone is wrong', rows: logisticOnly },
    { label: 'Both are wrong', rows: both },
  ];
  const first = (rows: readonly number[]): number[] => {
    const kept: number[] = [];
    for (const row of rows) keepFirst(kept, row);
    return kept;
  };
  return {
    kind: 'bars',
    title: 'Which rows the heads get wrong',
    caption: `Fitted on ${points[points.length - 1].size} examples. Rows that both get wrong lie on the wrong side in these features, or are labelled wrong.`,
    x: { label: 'Rows', unit: 'none' },
    y: { label: 'Rows', unit: 'count', min: 0 },
    categories: groups.map((g) => g.label),
    series: [
      {
        name: 'Rows',
        values: groups.map((g) => g.rows.length),
        selections: groups.map((g) => selection(g.label, g.rows.length, first(g.rows))),
      },
    ],
  };
};

const histogram = (values: ArrayLike<number>, edges: readonly number[]): number[] => {
  const counts = new Array<number>(edges.length - 1).fill(0);
  for (const v of Array.from(values)) {
    const bin = edges.findIndex((e, i) => i > 0 && v <= e);
    counts[bin < 0 ? counts.length - 1 : bin - 1]++;
  }
  return counts;
};

/** Classes whose means are compared in a grid. */
const GRID = 40;

const assumptions = ({ assumptions: a, names, width, layer }: Probed): Card[] => {
  const ratios = Array.from(a.varianceRatios, (r) => (Number.isFinite(r) ? Math.log2(r) : 10));
  const tenths = Array.from({ length: 21 }, (_, i) => i / 20);
  const doublings = Array.from({ length: 11 }, (_, i) => i);
  const pairs = names.flatMap((name, k) =>
    names.slice(0, k).map((other, l) => ({ name, other, distance: a.separation[k * names.length + l] })),
  );
  const nearest = pairs.sort((p, q) => p.distance - q.distance).slice(0, 20);
  const values: NumberCard['values'] = [
    { name: 'features', label: `Features (${layer})`, value: width, unit: 'count' },
    { name: 'constant', label: 'Features that do not vary within classes', value: a.constant, unit: 'count' },
    {
      name: 'least_separation',
      label: 'Distance of the two nearest class means, in standard deviations',
      value: nearest[0]?.distance ?? null,
      unit: 'none',
    },
  ];
  return [
    { kind: 'number', title: 'Features', caption: 'Of the rows fitted on, over all features that vary.', values },
    ...(a.correlations.length > 0
      ? [
          {
            kind: 'bars' as const,
            title: 'Correlation of features within classes',
            caption: `|ρ| of ${a.correlations.length} pairs${a.features < width - a.constant ? ` of ${a.features} of the features` : ''} over ${a.rows} rows. Naive Bayes takes 0 for granted: features that move together are counted twice.`,
            x: { label: '|ρ|', unit: 'none' as const, min: 0, max: 1 },
            y: { label: 'Pairs', unit: 'count' as const, min: 0 },
            edges: tenths,
            series: [{ name: 'Pairs', values: histogram(a.correlations, tenths) }],
          },
        ]
      : []),
    {
      kind: 'bars',
      title: 'Variance of a feature across classes',
      caption:
        'Greatest variance of a class over the least, in doublings; the last bin holds all above. The head shares one variance, so 0 is what it takes for granted.',
      x: { label: 'log₂ of the ratio', unit: 'none', min: 0, max: 10 },
      y: { label: 'Features', unit: 'count', min: 0 },
      edges: doublings,
      series: [{ name: 'Features', values: histogram(ratios, doublings) }],
    },
    names.length <= GRID
      ? {
          kind: 'heatmap',
          title: 'Distance of class means',
          caption:
            'Root mean square over features, in shared standard deviations: classes near each other need more labels or other features.',
          rows: { label: 'Class', names },
          columns: { label: 'Class', names },
          layers: [{ name: 'Distance', unit: 'none', values: Array.from(a.separation) }],
        }
      : {
          kind: 'table',
          title: 'Nearest classes',
          caption: `The ${nearest.length} of ${pairs.length} pairs of classes whose means are nearest, in shared standard deviations (root mean square over features).`,
          columns: [
            { name: 'class', label: 'Class', type: 'text' },
            { name: 'other', label: 'Class', type: 'text' },
            { name: 'distance', label: 'Distance', type: 'number' },
          ],
          rows: nearest.map((p) => [p.name, p.other, p.distance]),
        },
  ];
};

const verdict = ({ crossing, points }: Probed, level: number): Card => {
  const { at, range, share } = crossing;
  const end = points[points.length - 1];
  return {
    kind: 'number',
    title: 'Verdict',
    caption: 'Errors on the most examples, and where logistic regression takes over from naive Bayes.',
    values: [
      { name: 'naive_bayes_error', label: `Error of naive Bayes on ${end.size} examples`, value: meanOf(end.naiveBayes), unit: 'fraction' },
      {
        name: 'logistic_error',
        label: `Error of logistic regression on ${end.size} examples`,
        value: meanOf(end.logistic),
        unit: 'fraction',
      },
      {
        name: 'crossing',
        label: 'Labelled examples at the crossing',
        value: Number.isNaN(at) ? null : at,
        unit: 'count',
        ...(range ? { interval: { low: range[0], high: range[1], level, method: 'bootstrap over the draws' } } : {}),
        note: {
          'two-regimes': 'Two regimes',
          reversed: 'Two regimes, reversed',
          logistic: 'Logistic regression always',
          'naive-bayes': 'Naive Bayes always',
          equal: 'No difference',
        }[crossing.regime],
      },
      { name: 'regime_share', label: 'Resampled draws with this verdict', value: share, unit: 'fraction' },
    ],
  };
};

export const probeCards = (r: Probed, level: number): Card[] => [verdict(r, level), ...curves(r, level), mistakes(r), ...assumptions(r)];
