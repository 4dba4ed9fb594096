import { wilson } from '../../base/maths/proportion.ts';
import type { Card, Interval } from '../../report/report.ts';
import { headlineLines } from '../headline-line.ts';
import { selection } from '../selection.ts';
import { number, percent, rowCount } from '../wording.ts';
import { type Balance, boundedShare, logit } from './balance-scores.ts';

/** Labels drawn and listed at most: the rarest. */
const LISTED = 200;

export const balanceHeadline = (r: Balance): Record<string, number> => ({
  rows: r.rows,
  labels: r.labels,
  positives: r.positives,
  prior: r.prior,
  mean_probability: r.mean,
  optimal_bias: r.bias,
  background_to_foreground: r.ratio.value,
  background_to_foreground_focal: r.focalRatio,
  hard_share: r.hard.value,
  loss_per_positive: r.loss,
  positives_per_row: r.positives / r.rows,
});

export const balanceIntervals = (r: Balance, level: number): Record<string, Interval> => {
  const { priorInterval, ratio, hard } = r;
  const method = 'delta method on the log ratio';
  const prior = priorInterval && { low: priorInterval[0], high: priorInterval[1], level, method: 'normal, over rows' };
  const shares = ratio.interval && { low: ratio.interval[0], high: ratio.interval[1], level, method };
  const carried = hard.interval && { low: hard.interval[0], high: Math.min(1, hard.interval[1]), level, method };
  return {
    ...(prior ? { prior } : {}),
    ...(shares ? { background_to_foreground: shares } : {}),
    ...(carried ? { hard_share: carried } : {}),
  };
};

const numbers = (r: Balance, level: number): Card => {
  const line = headlineLines(balanceHeadline(r), balanceIntervals(r, level));
  return {
    kind: 'number',
    title: 'Foreground and background',
    caption: 'Pairs of row and label: foreground where the row has the label. Gradients are |p − y| at the logits.',
    values: [
      line('rows', 'Rows', 'count'),
      line('labels', 'Labels', 'count'),
      line('positives', 'Foreground pairs', 'count'),
      line('prior', 'Share of foreground (π)', 'fraction'),
      line('mean_probability', 'Mean probability', 'fraction', 'as large as π where the biases are sane'),
      line('background_to_foreground', 'Background to foreground gradient', 'none', '1 where neither outweighs the other'),
      line('background_to_foreground_focal', 'The same with focal loss', 'none'),
      line('hard_share', 'Share of background carried by hard labels (R_hard)', 'fraction'),
      line('loss_per_positive', 'Cross-entropy by foreground pair', 'nats'),
      line('optimal_bias', 'Optimal first bias', 'none', '−ln((1 − π)/π)'),
      line('positives_per_row', 'Labels of a row', 'none', 'the threshold N_f/A that early versions of the paper score by'),
    ],
  };
};

const constants = (r: Balance): Card[] =>
  r.constants.length === 0
    ? []
    : [
        {
          kind: 'table',
          title: 'The first step, by first bias',
          caption:
            'What the same probability everywhere costs by foreground pair, and how hard it pulls at a bias that all share: 0 at the optimal bias.',
          columns: [
            { name: 'start', label: 'Start', type: 'text' },
            { name: 'p', label: 'Probability', type: 'number', unit: 'fraction' },
            { name: 'bias', label: 'Bias', type: 'number', unit: 'none' },
            { name: 'loss', label: 'Cross-entropy', type: 'number', unit: 'nats' },
            { name: 'slope', label: 'Σ (p − y) by foreground pair', type: 'number', unit: 'none' },
            { name: 'focal', label: 'Focal loss', type: 'number', unit: 'nats' },
          ],
          rows: r.constants.map((c) => [c.name, c.p, logit(c.p), c.loss, c.slope, c.focal]),
        },
      ];

const labelCards = (r: Balance, level: number, name: (c: number) => string): Card[] => {
  const { sums, rows } = r;
  const order = Array.from({ length: r.labels }, (_, c) => c)
    .sort((a, b) => sums.ones[a] - sums.ones[b] || a - b)
    .slice(0, LISTED);
  const known = (x: number): number | null => (Number.isFinite(x) ? x : null);
  return [
    {
      kind: 'bars',
      title: 'Share of rows and mean probability',
      caption: `A label that is promised far more often than it occurs starts with a bias that is too high.${r.labels > LISTED ? ` The ${LISTED} rarest of ${r.labels}.` : ''}`,
      x: { label: 'Label', unit: 'none' },
      y: { label: 'Share', unit: 'fraction', scale: 'log' },
      categories: order.map(name),
      series: [
        {
          name: 'rows that have it',
          values: order.map((c) => (sums.ones[c] > 0 ? sums.ones[c] / rows : null)),
          intervals: order.map((c) => (sums.ones[c] > 0 ? wilson(sums.ones[c], rows, level) : null)),
          selections: order.map((c) => selection(`rows with ${name(c)}`, sums.ones[c], r.first[c])),
        },
        { name: 'mean probability', values: order.map((c) => (sums.mean[c] > 0 ? sums.mean[c] / rows : null)) },
      ],
    },
    {
      kind: 'table',
      title: 'Gradient of every label',
      caption: 'Background to foreground: above 1 the label is mostly pushed down. The bias of its own share is an extension of ours.',
      columns: [
        { name: 'label', label: 'Label', type: 'text' },
        { name: 'ones', label: 'Rows that have it', type: 'number', unit: 'count' },
        { name: 'foreground', label: 'Foreground gradient', type: 'number', unit: 'none' },
        { name: 'background', label: 'Background gradient', type: 'number', unit: 'none' },
        { name: 'ratio', label: 'Background to foreground', type: 'number', unit: 'none' },
        { name: 'focal', label: 'The same with focal loss', type: 'number', unit: 'none' },
        { name: 'bias', label: 'Bias of its own share', type: 'number', unit: 'none' },
      ],
      rows: order.map((c) => [
        name(c),
        sums.ones[c],
        sums.foreground[c],
        sums.background[c],
        known(sums.background[c] / sums.foreground[c]),
        known(sums.focalBackground[c] / sums.focalForeground[c]),
        logit(boundedShare(sums.ones[c], rows)),
      ]),
    },
  ];
};

export const balanceCards = (r: Balance, level: number, name: (c: number) => string): Card[] =>
  r.rows === 0 ? [] : [numbers(r, level), ...labelCards(r, level, name), ...constants(r)];

export const balanceNotes = (r: Balance, name: (c: number) => string): string[] => {
  const absent = Array.from({ length: r.labels }, (_, c) => c).filter((c) => r.sums.ones[c] === 0);
  return [
    ...(absent.length > 0 && r.positives > 0
      ? [
          `No row has ${absent.slice(0, 10).map(name).join(', ')}${absent.length > 10 ? ` and ${absent.length - 10} more` : ''}: the bias of such a label is that of half a row.`,
        ]
      : []),
    ...(r.prior >= 0.5
      ? [`Half of all pairs or more (${percent(r.prior)}) are foreground: for a dense detector look at how boxes were matched.`]
      : []),
  ];
};

export const balanceGuide = (r: Balance): string => {
  if (r.rows === 0) return 'There are no rows to judge: choose a split that holds some, best the training rows.';
  if (r.positives === 0)
    return `None of ${rowCount(r.rows)} has any label, so there is no foreground to weigh: look at how labels are read, at box formats, or at the thresholds that rows were matched by.`;
  const [zero, , best] = r.constants;
  const opening = `Of all pairs of row and label ${percent(r.prior)} are foreground. A model whose biases start at 0 begins with a loss of ${number(zero.loss)} by foreground pair, one that starts at ${number(r.bias)} with ${number(best.loss)}, and with no pull on the biases.`;
  const now =
    r.ratio.value > 2
      ? ` As it is, background pulls ${number(r.ratio.value)} times as hard as foreground: train anew with biasInit 'optimal' (and a small deviation of the last weights) before sampling or focal loss are tried.`
      : r.ratio.value < 0.5
        ? ` As it is, foreground pulls ${number(1 / r.ratio.value)} times as hard as background: the model misses more than it invents, which a first bias does not cause.`
        : ' As it is, the two pull about as hard as each other, so imbalance is not what holds it back: look at features and labels.';
  return `${opening}${now} The ratios are those of this model on these rows; an untrained one shows what the first steps see.`;
};
