import { Fault } from '../../base/fault.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import { keepFirst } from '../selection.ts';
import { addTerms, mergeSums, noSums, onGrid, type RatioSums } from './ratio-of-sums.ts';

/** Sums by label: rows that have it, Σ|∂L/∂z| over rows that have it and over those that have not, by cross-entropy and by focal loss, Σp, and the cross-entropy. */
export interface LabelSums {
  readonly ones: Float64Array;
  readonly foreground: Float64Array;
  readonly background: Float64Array;
  readonly focalForeground: Float64Array;
  readonly focalBackground: Float64Array;
  readonly mean: Float64Array;
  readonly loss: Float64Array;
}
export interface BalanceState {
  labels: number;
  rows: number;
  sums: LabelSums;
  /** Background and foreground gradient of a row. */
  readonly balance: RatioSums;
  /** The part of a row's background that its hard labels carry, and all of it. */
  readonly hardness: RatioSums;
  /** Σ of the squared number of labels of a row. */
  squares: number;
  first: number[][];
}
export interface Focal {
  readonly alpha: number;
  readonly gamma: number;
}
/** `k`: so many labels with the largest probabilities, of those that a row has not, are hard; none are where it is absent. */
export interface BalanceOptions extends Focal {
  readonly k?: number;
}

const keys = ['ones', 'foreground', 'background', 'focalForeground', 'focalBackground', 'mean', 'loss'] as const;
const labelSums = (labels: number): LabelSums => {
  const blank = (): Float64Array => new Float64Array(labels);
  return {
    ones: blank(),
    foreground: blank(),
    background: blank(),
    focalForeground: blank(),
    focalBackground: blank(),
    mean: blank(),
    loss: blank(),
  };
};
export const balanceState = (): BalanceState => ({
  labels: 0,
  rows: 0,
  sums: labelSums(0),
  balance: noSums(),
  hardness: noSums(),
  squares: 0,
  first: [],
});

/** The smallest probability of what happened that logarithms look at. */
const LEAST = 1e-16;
const log = (p: number): number => Math.log(Math.max(p, LEAST));

/** Lin et al. 2017: −α(1 − p)^γ ln p where the label is 1, −(1 − α)p^γ ln(1 − p) where it is 0. */
export const focalLoss = (p: number, one: boolean, { alpha, gamma }: Focal): number =>
  one ? -alpha * (1 - p) ** gamma * log(p) : -(1 - alpha) * p ** gamma * log(1 - p);
/** Its derivative by the logit. */
export const focalSlope = (p: number, one: boolean, { alpha, gamma }: Focal): number =>
  one ? alpha * (1 - p) ** gamma * (gamma * p * log(p) - (1 - p)) : (1 - alpha) * p ** gamma * (p - gamma * (1 - p) * log(1 - p));

const widen = (state: BalanceState, labels: number): void => {
  if (state.labels === 0) {
    state.labels = labels;
    state.sums = labelSums(labels);
    state.first = Array.from({ length: labels }, () => []);
  } else if (state.labels !== labels) throw new Fault('diagnostic/width', { found: labels, expected: state.labels });
};

export const addBalance = (
  state: BalanceState,
  { marks, labelProbs, rows }: Pick<Evidence, 'marks' | 'labelProbs' | 'rows'>,
  { k = 0, ...focal }: BalanceOptions,
): void => {
  if (rows.length === 0) return;
  const { cols, data } = labelProbs;
  widen(state, cols);
  const { sums } = state;
  for (let i = 0; i < rows.length; i++) {
    let [foreground, background, ones] = [0, 0, 0];
    const others: number[] = [];
    for (let c = 0; c < cols; c++) {
      const p = data[i * cols + c];
      const one = marks.data[i * cols + c] === 1;
      const size = onGrid(one ? 1 - p : p);
      const focused = onGrid(Math.abs(focalSlope(p, one, focal)));
      sums.mean[c] += onGrid(p);
      sums.loss[c] += onGrid(-log(one ? p : 1 - p));
      if (one) {
        ones++;
        sums.ones[c]++;
        sums.foreground[c] += size;
        sums.focalForeground[c] += focused;
        foreground += size;
        keepFirst(state.first[c], rows[i]);
      } else {
        sums.background[c] += size;
        sums.focalBackground[c] += focused;
        background += size;
        if (k > 0) others.push(size);
      }
    }
    if (k > 0) {
      const hard = Float64Array.from(others).sort().subarray(-k);
      addTerms(
        state.hardness,
        hard.reduce((a, b) => a + b, 0),
        background,
      );
    }
    addTerms(state.balance, background, foreground);
    state.squares += ones * ones;
  }
  state.rows += rows.length;
};

export const mergeBalance = (state: BalanceState, other: BalanceState): void => {
  if (other.labels === 0) return;
  widen(state, other.labels);
  for (const key of keys)
    other.sums[key].forEach((v, c) => {
      state.sums[key][c] += v;
    });
  mergeSums(state.balance, other.balance);
  mergeSums(state.hardness, other.hardness);
  state.squares += other.squares;
  state.rows += other.rows;
  other.first.forEach((rows, c) => {
    for (const row of rows) keepFirst(state.first[c], row);
  });
};
