import type { Card, Interval } from '../../report/report.ts';
import { number, percent } from '../wording.ts';
import { balanceCards, balanceGuide, balanceHeadline, balanceIntervals, balanceNotes } from './balance-cards.ts';
import type { DenseBalance, DenseOptions } from './dense-balance-run.ts';

const LOW = 0.3;
const STARVED = 100;
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const ratioAt = ({ splits }: DenseBalance, name: string): number => {
  const found = splits.find((s) => s.name === name);
  return found ? found.background / found.foreground : Number.NaN;
};

/** Rows are anchors here, and positives by row the threshold of scores. */
export const denseHeadline = (r: DenseBalance): Record<string, number> => {
  const { rows, labels, ...rest } = balanceHeadline(r.balance);
  return {
    images: r.images,
    anchors: rows,
    classes: labels,
    ignored: r.ignored,
    ...rest,
    background_to_foreground_zero_bias: ratioAt(r, 'bias 0'),
    background_to_foreground_optimal_bias: ratioAt(r, 'optimal bias'),
    class_loss: mean(r.batches.map((b) => b.classes)),
    box_loss: mean(r.batches.map((b) => b.boxes)),
    guided_weight: mean(r.batches.map((b) => b.factor)),
  };
};

export const denseIntervals = (r: DenseBalance, level: number): Record<string, Interval> => {
  const { background_to_foreground: shares } = balanceIntervals(r.balance, level);
  return shares ? { background_to_foreground: { ...shares, method: 'delta method on the log ratio, over images' } } : {};
};

const splits = (r: DenseBalance): Card => ({
  kind: 'table',
  title: 'Gradient by first bias',
  caption:
    'Σ|∂L/∂z| over pairs of anchor and class with these weights: as the biases are, and with 0 or the optimal bias in their place. A prediction of the optimal bias alone would have the two equal.',
  columns: [
    { name: 'bias', label: 'Bias', type: 'text' },
    { name: 'foreground', label: 'Foreground gradient', type: 'number' },
    { name: 'background', label: 'Background gradient', type: 'number' },
    { name: 'ratio', label: 'Background to foreground', type: 'number' },
  ],
  rows: r.splits.map(({ name, foreground, background }) => [name, foreground, background, foreground > 0 ? background / foreground : null]),
});

const losses = (r: DenseBalance, { batch }: DenseOptions): Card[] => {
  const line = (name: string, of: (b: DenseBalance['batches'][number]) => number) => ({
    name,
    points: r.batches.map((b, i) => [i + 1, of(b)] as const).filter(([, y]) => Number.isFinite(y)),
    shape: r.batches.length === 1 ? ('points' as const) : ('line' as const),
  });
  const boxes = r.batches.some((b) => Number.isFinite(b.boxes));
  const x = { label: 'Batch', unit: 'count' } as const;
  return [
    {
      kind: 'curve',
      title: 'Losses by batch',
      caption: `${batch} images a batch. ${boxes ? 'Guided scaling gives the loss of classes the size of that of boxes.' : 'Without boxes there is nothing to guide the loss of classes by.'}`,
      x,
      y: { label: 'Loss', unit: 'none', scale: 'log' },
      lines: [line('classes', (b) => b.classes), ...(boxes ? [line('boxes', (b) => b.boxes)] : [])].map((l) => ({
        ...l,
        points: l.points.filter(([, y]) => y > 0),
      })),
    },
    ...(boxes
      ? [
          {
            kind: 'curve' as const,
            title: 'Factor of guided scaling',
            caption: `w = loss of boxes / loss of classes. Below ${LOW} for long, classes are starved.`,
            x,
            y: { label: 'w', unit: 'none' as const, scale: 'log' as const },
            lines: [line('w', (b) => b.factor)],
          },
        ]
      : []),
  ];
};

/** Anchors of an image depend on each other, so ranges over single anchors would be too narrow. */
const withoutRanges = (card: Card): Card =>
  card.kind === 'bars' ? { ...card, series: card.series.map(({ intervals: _, ...series }) => series) } : card;

export const denseCards = (r: DenseBalance, chosen: DenseOptions, name: (c: number) => string): Card[] => [
  {
    kind: 'text',
    title: 'What was read',
    paragraphs: [
      `Tensor '${r.tensor}': ${r.classes} ${r.classes === 1 ? 'class' : 'classes'} at ${r.images === 0 ? 0 : (r.anchors + r.ignored) / r.images} anchors in each of ${r.images} images. Of all anchors ${r.ignored} are ignored. Below, a row is an anchor and a label is a class.`,
      `An early version of the method also scores detections from N_f/A = ${number(r.balance.positives / r.balance.rows)} on, in place of 0.05.`,
    ],
  },
  ...balanceCards(r.balance, chosen.confidenceLevel, name).map(withoutRanges),
  splits(r),
  ...losses(r, chosen),
];

export const denseNotes = (r: DenseBalance, name: (c: number) => string): string[] => {
  const held = r.batches.filter((b) => b.held).length;
  let [low, starved] = [0, false];
  for (const { factor } of r.batches) {
    low = factor < LOW ? low + 1 : 0;
    starved ||= low >= STARVED;
  }
  return [
    ...balanceNotes(r.balance, name),
    ...(r.unbiased ? [`Splits by other biases are left out: ${r.unbiased}.`] : []),
    ...(held > 0
      ? [`In ${held} ${held === 1 ? 'batch' : 'batches'} no box tells a factor, and the running mean of those before stands in its place.`]
      : []),
    ...(starved
      ? [
          `The factor is below ${LOW} for ${STARVED} batches in a row: with guided scaling the classes would be starved; raise the learning rate, or multiply by a fixed scale.`,
        ]
      : []),
    ...(r.saved ? [`'${r.saved}' is the model with the optimal first biases.`] : []),
  ];
};

export const denseGuide = (r: DenseBalance): string => {
  const zero = ratioAt(r, 'bias 0');
  const best = ratioAt(r, 'optimal bias');
  const swapped = Number.isFinite(best)
    ? ` With these weights background would pull ${number(zero)} times as hard as foreground from biases of 0, and ${number(best)} times from the optimal one.`
    : '';
  const boxes = denseHeadline(r).guided_weight;
  const guided = Number.isFinite(boxes)
    ? ` Guided scaling would multiply the loss of classes by ${number(boxes)} on average${boxes < LOW ? ', which slows them: leave it off, or raise the rate' : ''}.`
    : '';
  return `${balanceGuide(r.balance)}${swapped}${guided} Of all pairs ${percent(r.balance.prior)} are foreground by these thresholds; others, or another set of anchors, would move the prior and with it the bias. Write the biases into a copy with save before training goes on from there.`;
};
