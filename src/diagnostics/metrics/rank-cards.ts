import { normalQuantile } from '../../base/maths/normal.ts';
import { wilson } from '../../base/maths/proportion.ts';
import type { Card, Interval } from '../../report/report.ts';
import { headlineLines } from '../headline-line.ts';
import { selection } from '../selection.ts';
import { number, percent } from '../wording.ts';
import { type RankState, rankEdges, Z_BINS } from './rank-state.ts';
import { firstCounts } from './true-rank.ts';

export interface RankAsk {
  readonly a: number;
  readonly b: number;
  readonly confidenceLevel: number;
}

/** Mean of 1/(1 + r) over rows, and its standard error. */
const reciprocal = ({ ranks, rows }: RankState): { readonly mean: number; readonly error: number } => {
  let [sum, squares] = [0, 0];
  ranks.forEach((n, twice) => {
    const value = 1 / (1 + twice / 2);
    sum += n * value;
    squares += n * value * value;
  });
  const mean = sum / rows;
  return { mean, error: Math.sqrt(Math.max(0, squares / rows - mean * mean) / Math.max(1, rows - 1)) };
};
const meanRank = ({ ranks, rows }: RankState): number => ranks.reduce((s, n, twice) => s + n * (1 + twice / 2), 0) / rows;
const errorAt = (r: RankState, n: number): number => 1 - r.among[n] / r.rows;

export const rankHeadline = (r: RankState): Record<string, number> => ({
  rows: r.rows,
  classes: r.classes,
  accuracy: r.right / r.rows,
  ...Object.fromEntries(firstCounts(r.classes).map((k, n) => [`top${k}_error`, errorAt(r, n)])),
  mrr: reciprocal(r).mean,
  mean_rank: meanRank(r),
  z_loss: r.zLoss / r.rows,
  cross_entropy: r.logLoss / r.rows,
  largest_z: Math.sqrt(r.classes - 1),
});

export const rankIntervals = (r: RankState, level: number): Record<string, Interval> => {
  if (r.rows === 0) return {};
  const share = (hits: number): Interval | undefined => {
    const found = wilson(hits, r.rows, level);
    return found ? { low: found[0], high: found[1], level, method: 'Wilson' } : undefined;
  };
  const { mean, error } = reciprocal(r);
  const reach = normalQuantile((1 + level) / 2) * error;
  const all: readonly (readonly [string, Interval | undefined])[] = [
    ['accuracy', share(r.right)],
    ...firstCounts(r.classes).map((k, n) => [`top${k}_error`, share(r.rows - r.among[n])] as const),
    ['mrr', { low: Math.max(0, mean - reach), high: Math.min(1, mean + reach), level, method: 'normal, over rows' }],
  ];
  return Object.fromEntries(all.flatMap(([name, interval]) => (interval ? [[name, interval] as const] : [])));
};

const numbers = (r: RankState, { a, b, confidenceLevel }: RankAsk): Card => {
  const line = headlineLines(rankHeadline(r), rankIntervals(r, confidenceLevel));
  return {
    kind: 'number',
    title: 'Top-k and rank',
    caption:
      'Rank: classes scored above the own one, and half of those scored alike. A row counts as among the first k by the chance that ties fall so.',
    values: [
      line('rows', 'Rows', 'count'),
      line('accuracy', 'Accuracy', 'fraction'),
      ...firstCounts(r.classes).map((k) => line(`top${k}_error`, `Top-${k} error`, 'fraction')),
      line('mrr', 'Mean reciprocal rank', 'fraction'),
      line('mean_rank', 'Mean place of the own class', 'none', '1 is the first'),
      line('z_loss', `Z-loss (a ${a}, b ${b})`, 'none'),
      line('cross_entropy', 'Cross-entropy of the softmax', 'nats'),
      line('largest_z', 'Largest standardised score there can be, √(C − 1)', 'none'),
    ],
  };
};

const curve = (r: RankState, level: number): Card[] => {
  const counts = firstCounts(r.classes);
  return counts.length < 2
    ? []
    : [
        {
          kind: 'curve',
          title: 'Error by how many answers are allowed',
          caption: 'Share of rows whose class is not among the first k. A steep fall says that the right class is near the top.',
          x: { label: 'First k', unit: 'count', scale: 'log' },
          y: { label: 'Top-k error', unit: 'fraction', min: 0 },
          lines: [
            {
              name: 'top-k error',
              points: counts.map((k, n) => [k, errorAt(r, n)] as const),
              intervals: counts.map((_, n) => wilson(r.rows - r.among[n], r.rows, level)),
            },
          ],
        },
      ];
};

const ranks = (r: RankState): Card => {
  const edges = rankEdges(r.classes);
  const ends = [...edges.slice(1).map((e) => e - 1), r.classes];
  const counts = edges.map((from, n) =>
    r.ranks.reduce((s, rows, twice) => (1 + Math.floor(twice / 2) >= from && 1 + Math.floor(twice / 2) <= ends[n] ? s + rows : s), 0),
  );
  const names = edges.map((from, n) => (ends[n] > from ? `${from}–${ends[n]}` : String(from)));
  return {
    kind: 'bars',
    title: 'Place of the own class',
    caption: 'Rows by the place at which their own class stands.',
    x: { label: 'Place', unit: 'none' },
    y: { label: 'Rows', unit: 'count', min: 0 },
    categories: names,
    series: [
      {
        name: 'rows',
        values: counts,
        selections: counts.map((n, i) => selection(`own class at place ${names[i]}`, n, r.rankRows[i])),
      },
    ],
  };
};

const zHistogram = (r: RankState): Card => {
  const most = Math.sqrt(r.classes - 1);
  const of = (right: number, name: string) => ({
    name,
    values: Array.from(r.bins.subarray(right * Z_BINS, (right + 1) * Z_BINS)),
    selections: Array.from({ length: Z_BINS }, (_, i) => selection(name, r.bins[right * Z_BINS + i], r.binRows[right * Z_BINS + i])),
  });
  return {
    kind: 'bars',
    title: 'How far the own class stands out',
    caption: `Its score less the mean of the row, in standard deviations of the row: at most √(C − 1) = ${number(most)}, where all others are equal.`,
    x: { label: 'Standardised score of the own class', unit: 'none', min: -most, max: most },
    y: { label: 'Rows', unit: 'count', min: 0 },
    edges: Array.from({ length: Z_BINS + 1 }, (_, i) => most * ((2 * i) / Z_BINS - 1)),
    series: [of(1, 'right'), of(0, 'wrong')],
    stacked: true,
  };
};

const scatter = (r: RankState, { a, b }: RankAsk): Card => {
  const kept = [...r.kept].sort(([x], [y]) => x - y);
  const group = (name: string, right: boolean) => {
    const own = kept.filter(([, k]) => k.right === right);
    return { name, points: own.map(([, k]) => [k.logLoss, k.zLoss] as const), rows: own.map(([row]) => row) };
  };
  return {
    kind: 'scatter',
    title: 'Z-loss beside cross-entropy',
    caption: `Of ${kept.length === r.rows ? 'all' : `the first ${kept.length}`} rows, with a ${a} and b ${b}: rows that one of the losses minds and the other does not lie off the band.`,
    x: { label: 'Cross-entropy', unit: 'nats' },
    y: { label: 'Z-loss', unit: 'none' },
    groups: [group('right', true), group('wrong', false)].filter((g) => g.points.length > 0),
  };
};

export const rankCards = (r: RankState, chosen: RankAsk): Card[] =>
  r.rows === 0 ? [] : [numbers(r, chosen), ...curve(r, chosen.confidenceLevel), ranks(r), zHistogram(r), scatter(r, chosen)];

export const rankNotes = (r: RankState, { b }: RankAsk, given: boolean): string[] => {
  const most = Math.sqrt(r.classes - 1);
  return [
    ...(r.flat > 0
      ? [
          `${r.flat} ${r.flat === 1 ? 'row has' : 'rows have'} the same score for all classes: no class stands out there, and z-loss has no gradient to follow.`,
        ]
      : []),
    ...(r.classes === 2
      ? ['Of two classes the standardised score is always 1 or −1, so that z-loss teaches nothing: look at the ranks alone.']
      : []),
    ...(r.classes > 2 && b > most
      ? [`b is ${b}, but no standardised score of ${r.classes} classes exceeds ${number(most)}: no row reaches that margin.`]
      : []),
    ...(given && r.rows > 0
      ? ['The scores are probabilities: their logarithms are standardised, as the logits differ from them by a shift of the row alone.']
      : []),
  ];
};

export const rankGuide = (r: RankState): string => {
  if (r.rows === 0) return 'There are no rows to judge: choose a split that holds some.';
  const counts = firstCounts(r.classes);
  const first = errorAt(r, 0);
  const place = counts.indexOf(5) >= 0 ? counts.indexOf(5) : counts.length - 1;
  const later = errorAt(r, place);
  const near =
    first === 0
      ? 'The own class is first in every row.'
      : counts.length < 2
        ? 'With so few classes only the first answer can be wrong.'
        : later < first / 4
          ? `Of rows that are wrong at first ${percent(1 - later / first)} have their class among the first ${counts[place]}: the order of classes is good, and it is the last decision that fails. A loss that sharpens the first place (cross-entropy, or z-loss with a larger a·b) is what to try.`
          : `Of rows that are wrong at first ${percent(later / first)} do not have their class among the first ${counts[place]} either: the scores do not know these rows, and no change of the loss alone will do.`;
  return `${near} Where the task is a list of answers, as in retrieval or recommendation, judge by the top-k error of its length and by the mean reciprocal rank, and not by accuracy; "Z-loss Sweep" trains z-loss with several (a, b) beside cross-entropy and shows these numbers. Scores that z-loss has trained have no natural size: they are no probabilities until they are recalibrated. Another mixture of classes would move all of these numbers.`;
};
