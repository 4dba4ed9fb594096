import { Fault } from '../../base/fault.ts';
import { argmax } from '../../base/maths/argmax.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import { widthBinOf } from './bins.ts';
import { type Examples, examples, mergeExamples, trace } from './examples.ts';
import { type Pile, pile, pour, put } from './pairs.ts';

/** Sums per class and width bin of its probability: n, Σp, Σp², Σy, Σpy. */
export const SUMS = 5;

export interface ReliabilityState {
  classes: number;
  rows: number;
  /** Confidences of the rows answered right and wrong. */
  readonly right: Pile;
  readonly wrong: Pile;
  readonly examples: Examples;
  /** [class, bin, SUMS]. */
  perClass: Float64Array;
  nll: number;
  /** Rows whose probability of the label is below 1e-12, where a loss from probabilities is clipped. */
  clipped: number;
  /** Σ of what a calibrated model expects of each row: entropy, and 1 − Σp². */
  entropy: number;
  impurity: number;
}

export const emptyState = (binning: 'width' | 'mass', bins: number): ReliabilityState => ({
  classes: 0,
  rows: 0,
  right: pile(),
  wrong: pile(),
  examples: examples(binning, bins),
  perClass: new Float64Array(0),
  nll: 0,
  clipped: 0,
  entropy: 0,
  impurity: 0,
});

const widen = (state: ReliabilityState, classes: number, size: number): void => {
  if (state.classes === 0) {
    state.classes = classes;
    state.perClass = new Float64Array(size);
  } else if (state.classes !== classes) throw new Fault('diagnostic/width', { found: classes, expected: state.classes });
};

/** The smallest probability a loss made from probabilities looks at. */
const LEAST = 1e-12;

export const addBatch = (
  state: ReliabilityState,
  { labels, probs, logProbs, rows }: Pick<Evidence, 'labels' | 'probs' | 'logProbs' | 'rows'>,
  bins: number,
): void => {
  if (probs.rows === 0) return;
  const { cols, data } = probs;
  widen(state, cols, cols * bins * SUMS);
  const { perClass } = state;
  for (let i = 0; i < probs.rows; i++) {
    const at = i * cols;
    const label = labels[i];
    if (!(label >= 0 && label < cols)) throw new Fault('diagnostic/label', { row: rows[i], label, classes: cols });
    const answer = argmax(data, at, cols);
    put(answer === label ? state.right : state.wrong, data[at + answer]);
    trace(state.examples, data[at + answer], rows[i]);
    state.nll -= logProbs.data[at + label];
    if (data[at + label] < LEAST) state.clipped++;
    state.impurity++;
    for (let j = 0; j < cols; j++) {
      const p = data[at + j];
      const k = (j * bins + widthBinOf(p, bins)) * SUMS;
      perClass[k]++;
      perClass[k + 1] += p;
      perClass[k + 2] += p * p;
      if (j === label) {
        perClass[k + 3]++;
        perClass[k + 4] += p;
      }
      state.impurity -= p * p;
      if (p > 0) state.entropy -= p * logProbs.data[at + j];
    }
  }
  state.rows += probs.rows;
};

export const mergeState = (state: ReliabilityState, other: ReliabilityState): void => {
  if (other.classes === 0) return;
  widen(state, other.classes, other.perClass.length);
  other.perClass.forEach((sum, k) => {
    state.perClass[k] += sum;
  });
  pour(state.right, other.right);
  pour(state.wrong, other.wrong);
  mergeExamples(state.examples, other.examples);
  state.rows += other.rows;
  state.nll += other.nll;
  state.clipped += other.clipped;
  state.entropy += other.entropy;
  state.impurity += other.impurity;
};
