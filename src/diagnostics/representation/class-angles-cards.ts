import { wilson } from '../../base/maths/proportion.ts';
import type { Card, Interval } from '../../report/report.ts';
import { headlineLines } from '../headline-line.ts';
import { selection } from '../selection.ts';
import { number, percent } from '../wording.ts';
import type { AngleOptions, ClassAngles } from './class-angles-run.ts';
import { BINS } from './class-angles-state.ts';

/** Classes that the map shows at most, and pairs that are listed. */
const MAPPED = 60;
const LISTED = 50;
const POINTS = 5000;

interface Pair {
  readonly i: number;
  readonly j: number;
  readonly cosine: number;
  /** Rows of either class that lie nearest to the other. */
  readonly mixed: number;
  readonly rows: number;
}
const pairsOf = ({ cosines, state, directions: { classes } }: ClassAngles): Pair[] => {
  const pairs: Pair[] = [];
  for (let i = 0; i < classes; i++)
    for (let j = 0; j < i; j++)
      pairs.push({
        i: j,
        j: i,
        cosine: cosines[i * classes + j],
        mixed: state.nearest[i * classes + j] + state.nearest[j * classes + i],
        rows: state.counts[i] + state.counts[j],
      });
  return pairs;
};
const sum = (of: Float64Array): number => of.reduce((a, b) => a + b, 0);
const rightRows = ({ state, directions: { classes } }: ClassAngles): number =>
  Array.from({ length: classes }, (_, c) => state.nearest[c * classes + c]).reduce((a, b) => a + b, 0);
const known = (x: number): number | null => (Number.isFinite(x) ? x : null);

export const anglesHeadline = (r: ClassAngles): Record<string, number> => {
  const { state, directions, bound } = r;
  const pairs = pairsOf(r);
  const sizes = pairs.map((p) => Math.abs(p.cosine));
  return {
    classes: directions.classes,
    width: directions.width,
    max_cosine: sizes.reduce((a, b) => Math.max(a, b), 0),
    mean_cosine: sizes.reduce((a, b) => a + b, 0) / sizes.length,
    welch_bound: bound,
    own_cosine: sum(state.own) / state.rows,
    wrong_cosine: sum(state.wrong) / state.rows,
    margin: (sum(state.own) - sum(state.wrong)) / state.rows,
    nearest_accuracy: rightRows(r) / state.rows,
    zero_features: state.zeros,
    rows: state.rows,
  };
};

export const anglesIntervals = (r: ClassAngles, { confidenceLevel: level }: AngleOptions): Record<string, Interval> => {
  const found = wilson(rightRows(r), r.state.rows, level);
  return found ? { nearest_accuracy: { low: found[0], high: found[1], level, method: 'Wilson' } } : {};
};

const sources: Readonly<Record<AngleOptions['directions'], string>> = {
  weights: 'weights of the last layer',
  means: 'mean unit features of each class',
  file: 'vectors of the file',
};

const perClass = (r: ClassAngles, name: (c: number) => string): Card => {
  const { state, directions, cosines } = r;
  const { classes, width } = directions;
  const rows = Array.from({ length: classes }, (_, c) => {
    const n = state.counts[c];
    let [near, closest] = [-1, Number.NEGATIVE_INFINITY];
    for (let d = 0; d < classes; d++) if (d !== c && cosines[c * classes + d] > closest) [near, closest] = [d, cosines[c * classes + d]];
    const mean = state.sums.subarray(c * width, (c + 1) * width);
    const along = mean.reduce((s, v, k) => s + v * directions.unit[c * width + k], 0) / Math.hypot(...mean);
    const own = state.own[c] / n;
    const wrong = state.wrong[c] / n;
    return { c, n, own, wrong, margin: own - wrong, along, near, closest, right: state.nearest[c * classes + c] / n };
  }).sort((a, b) => (Number.isNaN(a.margin) ? 1 : Number.isNaN(b.margin) ? -1 : a.margin - b.margin) || a.c - b.c);
  return {
    kind: 'table',
    title: 'Every class',
    caption: 'Ordered by the mean margin: cosine of a row to its own direction less that to the nearest wrong one.',
    columns: [
      { name: 'class', label: 'Class', type: 'text' },
      { name: 'rows', label: 'Rows', type: 'number', unit: 'count' },
      { name: 'own', label: 'Cosine to its own', type: 'number' },
      { name: 'wrong', label: 'To the nearest wrong', type: 'number' },
      { name: 'margin', label: 'Margin', type: 'number' },
      { name: 'right', label: 'Rows nearest to their own', type: 'number', unit: 'fraction' },
      { name: 'mean', label: 'Cosine of the class mean to its own', type: 'number' },
      { name: 'near', label: 'Nearest class', type: 'text' },
      { name: 'closest', label: 'Cosine of the two', type: 'number' },
      { name: 'length', label: 'Length of the direction as stored', type: 'number' },
    ],
    rows: rows.map((x) => [
      name(x.c),
      x.n,
      ...[x.own, x.wrong, x.margin, x.right, x.along].map(known),
      name(x.near),
      known(x.closest),
      directions.lengths[x.c],
    ]),
  };
};

const map = (r: ClassAngles, pairs: readonly Pair[], name: (c: number) => string): Card => {
  const { classes } = r.directions;
  const closest = new Float64Array(classes);
  for (const { i, j, cosine } of pairs) for (const c of [i, j]) closest[c] = Math.max(closest[c], Math.abs(cosine));
  const shown = Array.from({ length: classes }, (_, c) => c)
    .sort((a, b) => closest[b] - closest[a] || a - b)
    .slice(0, MAPPED)
    .sort((a, b) => a - b);
  const names = shown.map(name);
  const grid = (of: (i: number, j: number) => number): (number | null)[] => shown.flatMap((i) => shown.map((j) => known(of(i, j))));
  return {
    kind: 'heatmap',
    title: 'Cosines between classes',
    caption: `Near 0 all classes have the same standing; near 1 two share a direction.${classes > MAPPED ? ` The ${MAPPED} of ${classes} classes that have the nearest neighbours.` : ''}`,
    rows: { label: 'Class', names },
    columns: { label: 'Class', names },
    layers: [
      { name: 'cosine', unit: 'none', values: grid((i, j) => r.cosines[i * classes + j]), domain: [-1, 1] },
      { name: 'rows nearest to', unit: 'count', values: grid((i, j) => r.state.nearest[i * classes + j]) },
    ],
  };
};

export const anglesCards = (r: ClassAngles, options: AngleOptions, name: (c: number) => string): Card[] => {
  const line = headlineLines(anglesHeadline(r), anglesIntervals(r, options));
  const pairs = pairsOf(r).sort((a, b) => Math.abs(b.cosine) - Math.abs(a.cosine) || a.j - b.j || a.i - b.i);
  const edges = (most: number): number[] => Array.from({ length: BINS + 1 }, (_, i) => most * ((2 * i) / BINS - 1));
  const margins = (right: number, label: string) => ({
    name: label,
    values: Array.from(r.state.margins.subarray(right * BINS, (right + 1) * BINS)),
    selections: Array.from({ length: BINS }, (_, i) =>
      selection(`rows nearest to ${label}`, r.state.margins[right * BINS + i], r.state.marginRows[right * BINS + i]),
    ),
  });
  return [
    {
      kind: 'number',
      title: 'Angles of the classes',
      caption: `Directions: ${sources[options.directions]}. Features: ${r.layer}. Biases and lengths are left out of angles.`,
      values: [
        line('max_cosine', 'Largest |cosine| of two classes', 'none'),
        line('mean_cosine', 'Mean |cosine|', 'none'),
        line('welch_bound', 'Least that the largest can be (Welch bound)', 'none'),
        line('own_cosine', 'Mean cosine of rows to their own class', 'none'),
        line('wrong_cosine', 'To the nearest wrong class', 'none'),
        line('margin', 'Mean margin', 'none'),
        line('nearest_accuracy', 'Rows nearest to their own class', 'fraction'),
        line('classes', 'Classes', 'count'),
        line('width', 'Dimensions', 'count'),
        line('rows', 'Rows with a direction', 'count'),
        line('zero_features', 'Rows of zeros, which have none', 'count'),
      ],
    },
    map(r, pairs, name),
    {
      kind: 'bars',
      title: 'Margin of rows',
      caption: 'Cosine to the own direction less that to the nearest wrong one; below 0 the row lies nearer to another class.',
      x: { label: 'Margin', unit: 'none', min: -2, max: 2 },
      y: { label: 'Rows', unit: 'count', min: 0 },
      edges: edges(2),
      series: [margins(1, 'their own class'), margins(0, 'another class')],
      stacked: true,
    },
    {
      kind: 'bars',
      title: 'Cosines of rows',
      caption: 'To the own direction, and to the nearest wrong one. The further the two stand apart, the surer the classes.',
      x: { label: 'Cosine', unit: 'none', min: -1, max: 1 },
      y: { label: 'Rows', unit: 'count', min: 0 },
      edges: edges(1),
      series: [
        { name: 'own class', values: Array.from(r.state.ownBins) },
        { name: 'nearest wrong class', values: Array.from(r.state.wrongBins) },
      ],
    },
    {
      kind: 'scatter',
      title: 'Confusion beside the angle',
      caption: `Pairs of classes: share of their rows that lie nearest to the other.${pairs.length > POINTS ? ` The ${POINTS} pairs with the largest |cosine|.` : ''}`,
      x: { label: 'Cosine of the two classes', unit: 'none' },
      y: { label: 'Rows nearest to the other', unit: 'fraction' },
      groups: [
        { name: 'pairs', points: pairs.slice(0, POINTS).flatMap((p) => (p.rows > 0 ? [[p.cosine, p.mixed / p.rows] as const] : [])) },
      ],
    },
    {
      kind: 'table',
      title: 'Pairs that share most',
      caption: `By |cosine|, ${Math.min(LISTED, pairs.length)} of ${pairs.length}.`,
      columns: [
        { name: 'first', label: 'Class', type: 'text' },
        { name: 'second', label: 'Class', type: 'text' },
        { name: 'cosine', label: 'Cosine', type: 'number' },
        { name: 'angle', label: 'Angle in degrees', type: 'number' },
        { name: 'mixed', label: 'Rows nearest to the other', type: 'number', unit: 'count' },
        { name: 'rows', label: 'of', type: 'number', unit: 'count' },
      ],
      rows: pairs
        .slice(0, LISTED)
        .map((p) => [name(p.i), name(p.j), p.cosine, (180 / Math.PI) * Math.acos(Math.min(1, Math.max(-1, p.cosine))), p.mixed, p.rows]),
    },
    perClass(r, name),
  ];
};

export const anglesNotes = (r: ClassAngles): string[] => [
  ...(r.mirrored ? ['One score stands for two classes: the direction of the first is that of the second turned round.'] : []),
  ...(r.spare > 0
    ? [`The file holds ${r.spare} more vectors than there are classes: as many classes can be added without another head.`]
    : []),
  ...(r.state.zeros > 0
    ? [
        `${r.state.zeros} ${r.state.zeros === 1 ? 'row has' : 'rows have'} features of zeros and no direction: they are counted, and left out of all else.`,
      ]
    : []),
  ...(r.directions.lengths.some((l) => l === 0) ? ['A class has a direction of zeros: its cosine with every other is shown as 0.'] : []),
];

export const anglesGuide = (r: ClassAngles, { directions }: AngleOptions, name: (c: number) => string): string => {
  const headline = anglesHeadline(r);
  const [closest] = pairsOf(r).sort((a, b) => Math.abs(b.cosine) - Math.abs(a.cosine));
  const { lengths } = r.directions;
  const [least, most] = [Math.min(...lengths), Math.max(...lengths)];
  const even = headline.max_cosine <= 1.3 * r.bound + 0.05;
  const status = even
    ? `No two classes share more than ${r.bound > 0 ? 'so few dimensions ask for' : 'a little'}: the directions give all classes the same standing.`
    : `'${name(closest.i)}' and '${name(closest.j)}' share most, with a cosine of ${number(closest.cosine)} where ${r.bound > 0 ? `${number(r.bound)} would do` : 'all could be at right angles'}: what raises one of them ${closest.cosine > 0 ? 'raises' : 'lowers'} the other.`;
  const lengthy =
    directions === 'weights' && most > 2 * least
      ? ` Lengths differ ${number(most / least)} times, which favours some classes as well.`
      : '';
  return `${status}${lengthy} By angles alone ${percent(headline.nearest_accuracy)} of rows are nearest to their own class. A fixed head (ebv) gives every class a direction at least as far from all others, saves the weights of the last layer where there are many classes, and leaves room for more of them; whether it costs accuracy, training beside the linear head tells ("Train Beside Baseline…"). Pairs with many mixed rows and a small cosine are alike in the features, which no other head can mend. Other rows move margins and confusions; the cosines between weights stay.`;
};
