import { normalQuantile } from '../../base/maths/normal.ts';
import { type BalanceState, type Focal, focalLoss, type LabelSums } from './balance-state.ts';
import { ratioOf } from './ratio-of-sums.ts';

/** What a prediction of p everywhere costs, by positive, and Σ(p − y) by positive. */
export interface Constant {
  readonly name: string;
  readonly p: number;
  readonly loss: number;
  readonly slope: number;
  readonly focal: number;
}
export interface Balance {
  readonly rows: number;
  readonly labels: number;
  readonly sums: LabelSums;
  readonly first: readonly (readonly number[])[];
  readonly positives: number;
  readonly prior: number;
  readonly priorInterval: readonly [number, number] | null;
  readonly ratio: ReturnType<typeof ratioOf>;
  readonly hard: ReturnType<typeof ratioOf>;
  readonly focalRatio: number;
  readonly mean: number;
  readonly loss: number;
  readonly bias: number;
  readonly constants: readonly Constant[];
}

const total = (of: Float64Array): number => of.reduce((a, b) => a + b, 0);
/** At least half a pair, and at most all but half a pair. */
export const boundedShare = (n: number, of: number): number => Math.min(Math.max(n, 0.5), of - 0.5) / of;
export const logit = (p: number): number => 0 - Math.log((1 - p) / p);

export const constantPrediction = (name: string, p: number, positives: number, pairs: number, focal: Focal): Constant => {
  const others = pairs - positives;
  return {
    name,
    p,
    loss: (-positives * Math.log(p) - others * Math.log1p(-p)) / positives,
    slope: (others * p - positives * (1 - p)) / positives,
    focal: (positives * focalLoss(p, true, focal) + others * focalLoss(p, false, focal)) / positives,
  };
};

export const balanceScores = (state: BalanceState, focal: Focal, level: number): Balance => {
  const { rows, labels, sums } = state;
  const pairs = rows * labels;
  const positives = total(sums.ones);
  const prior = positives / pairs;
  // Labels of one row depend on each other: the mean over rows of their number, with its normal interval.
  const spread = Math.sqrt(Math.max(0, state.squares / rows - (positives / rows) ** 2) / Math.max(1, rows - 1)) / labels;
  const width = normalQuantile((1 + level) / 2) * spread;
  const best = pairs > 0 ? boundedShare(positives, pairs) : Number.NaN;
  return {
    rows,
    labels,
    sums,
    first: state.first,
    positives,
    prior,
    priorInterval: rows > 1 && positives > 0 ? [Math.max(0, prior - width), Math.min(1, prior + width)] : null,
    ratio: ratioOf(state.balance, level),
    hard: ratioOf(state.hardness, level),
    focalRatio: total(sums.focalBackground) / total(sums.focalForeground),
    mean: total(sums.mean) / pairs,
    loss: total(sums.loss) / positives,
    bias: logit(best),
    constants:
      positives === 0
        ? []
        : [
            constantPrediction('bias 0', 0.5, positives, pairs, focal),
            constantPrediction('focal prior, 0.01', 0.01, positives, pairs, focal),
            constantPrediction('optimal bias', best, positives, pairs, focal),
          ],
  };
};
