import { Fault } from '../../base/fault.ts';
import { argmax } from '../../base/maths/argmax.ts';
import { sigmoid } from '../../base/maths/logistic.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import { keepFirst } from '../selection.ts';
import { focalSlope } from './balance-state.ts';
import { addTerms, mergeSums, noSums, onGrid, type RatioSums } from './ratio-of-sums.ts';

export interface DilutionOptions {
  readonly activation: 'softmax' | 'sigmoid';
  readonly hard: 'top-k' | 'threshold';
  readonly k: number;
  readonly threshold: number;
  readonly loss: 'cross-entropy' | 'focal';
  readonly alpha: number;
  readonly gamma: number;
}

/** Sums by class: rows, rows that are right, Σ|∂L/∂z| of own rows and of other rows, and Σp of all. */
export interface ClassSums {
  readonly rows: Float64Array;
  readonly right: Float64Array;
  readonly positive: Float64Array;
  readonly negative: Float64Array;
  readonly mean: Float64Array;
}
export interface Kept {
  readonly label: number;
  readonly logits: Float64Array;
}
export interface DilutionState {
  /** Scores are probabilities: with a sigmoid they are taken as they are. */
  readonly given: boolean;
  classes: number;
  rows: number;
  sums: ClassSums;
  /** Positive and negative mass of a row, and the share of the negative one that hard negatives carry. */
  readonly balance: RatioSums;
  readonly hardness: RatioSums;
  first: number[][];
  /** The rows with the smallest numbers, for subsets of the classes. */
  readonly kept: Map<number, Kept>;
}

const keys = ['rows', 'right', 'positive', 'negative', 'mean'] as const;
const classSums = (classes: number): ClassSums => {
  const blank = (): Float64Array => new Float64Array(classes);
  return { rows: blank(), right: blank(), positive: blank(), negative: blank(), mean: blank() };
};

export const dilutionState = (given: boolean): DilutionState => ({
  given,
  classes: 0,
  rows: 0,
  sums: classSums(0),
  balance: noSums(),
  hardness: noSums(),
  first: [],
  kept: new Map(),
});

const SAMPLE = 2000;
/** Logits kept at most, 8 bytes each. */
const MOST = 2 ** 22;
const keeps = (classes: number): number => Math.max(1, Math.min(SAMPLE, Math.floor(MOST / classes)));
/** Rows kept of a class. */
const SHOWN = 24;

const widen = (state: DilutionState, classes: number): void => {
  if (state.classes === 0) {
    state.classes = classes;
    state.sums = classSums(classes);
    state.first = Array.from({ length: classes }, () => []);
  } else if (state.classes !== classes) throw new Fault('diagnostic/width', { found: classes, expected: state.classes });
};

/** Drops the largest row numbers. */
const trim = (state: DilutionState): void => {
  const most = keeps(state.classes);
  if (state.kept.size <= most) return;
  for (const row of [...state.kept.keys()].sort((a, b) => a - b).slice(most)) state.kept.delete(row);
};

/** p of every class: each sigmoid on its own, or softmax. */
export const probabilities = (logits: ArrayLike<number>, activation: DilutionOptions['activation'], given: boolean): Float64Array => {
  const p = Float64Array.from(logits);
  if (activation === 'sigmoid') return p.map((z) => (given ? Math.exp(z) : sigmoid(z)));
  const top = p.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const shares = p.map((z) => Math.exp(z - top));
  const sum = shares.reduce((a, b) => a + b, 0);
  return shares.map((s) => s / sum);
};

/**
 * |∂L/∂z| of a class with probability p in a row whose own class has `own`: |p − y| of cross-entropy. Of the focal loss with softmax,
 * −(1 − own)^γ ln own, that times (1 − own)^γ − γ·own·(1 − own)^(γ − 1) ln own.
 */
const slopeOf = (own: number, { loss, activation, ...focal }: DilutionOptions): ((p: number, one: boolean) => number) => {
  const plain = (p: number, one: boolean): number => (one ? 1 - p : p);
  if (loss === 'cross-entropy') return (p, one) => onGrid(plain(p, one));
  if (activation === 'sigmoid') return (p, one) => onGrid(Math.abs(focalSlope(p, one, focal)));
  const weight = own < 1 ? -focalSlope(own, true, { ...focal, alpha: 1 }) / (1 - own) : Number(focal.gamma === 0);
  return (p, one) => onGrid(weight * plain(p, one));
};

/** At the logits of a row: |∂L/∂z| of the own class, of all others together, and of those others that are hard. */
export const masses = (
  p: Float64Array,
  label: number,
  chosen: DilutionOptions,
): { readonly positive: number; readonly negative: number; readonly hard: number } => {
  const { hard, k, threshold } = chosen;
  const slope = slopeOf(p[label], chosen);
  const others = p
    .filter((_, c) => c !== label)
    .sort()
    .reverse();
  const sum = (of: Float64Array): number => of.reduce((a, b) => a + slope(b, false), 0);
  const hardest = hard === 'top-k' ? others.subarray(0, k) : others.filter((v) => v > threshold);
  return { positive: slope(p[label], true), negative: sum(others), hard: sum(hardest) };
};

export const addGradients = (
  state: DilutionState,
  { labels, logits, rows }: Pick<Evidence, 'labels' | 'logits' | 'rows'>,
  chosen: DilutionOptions,
): void => {
  if (logits.rows === 0) return;
  widen(state, logits.cols);
  const K = logits.cols;
  const { sums, kept } = state;
  for (let i = 0; i < logits.rows; i++) {
    const label = labels[i];
    if (!(label >= 0 && label < K)) throw new Fault('diagnostic/label', { row: rows[i], label, classes: K });
    const z = logits.data.slice(i * K, (i + 1) * K);
    const p = probabilities(z, chosen.activation, state.given);
    const row = masses(p, label, chosen);
    addTerms(state.balance, row.positive, row.negative);
    addTerms(state.hardness, row.hard, row.negative);
    const slope = slopeOf(p[label], chosen);
    sums.rows[label]++;
    if (argmax(z, 0, K) === label) sums.right[label]++;
    sums.positive[label] += row.positive;
    for (let c = 0; c < K; c++) {
      sums.mean[c] += onGrid(p[c]);
      if (c !== label) sums.negative[c] += slope(p[c], false);
    }
    keepFirst(state.first[label], rows[i], SHOWN);
    kept.set(rows[i], { label, logits: z });
  }
  state.rows += logits.rows;
  trim(state);
};

export const mergeGradients = (state: DilutionState, other: DilutionState): void => {
  if (other.classes === 0) return;
  widen(state, other.classes);
  for (const key of keys)
    other.sums[key].forEach((v, c) => {
      state.sums[key][c] += v;
    });
  mergeSums(state.balance, other.balance);
  mergeSums(state.hardness, other.hardness);
  other.first.forEach((rows, c) => {
    for (const row of rows) keepFirst(state.first[c], row, SHOWN);
  });
  for (const [row, kept] of other.kept) state.kept.set(row, kept);
  state.rows += other.rows;
  trim(state);
};
