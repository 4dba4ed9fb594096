import { Fault } from '../../base/fault.ts';
import { argmax } from '../../base/maths/argmax.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import { binOf } from '../metrics/ranking-sketch.ts';
import { addScore, mergeSlots, type Slot, type Slots, slotOf, slots } from '../metrics/ranking-slots.ts';
import { keepFirst } from '../selection.ts';
import { widthBinOf } from './bins.ts';
import { CLASS_SCORES, classBits, SUMS, TRACED_CLASSES } from './class-calibration.ts';
import { type Examples, examples, mergeExamples, trace } from './examples.ts';
import { addTop, topSizes, topSums } from './top-k.ts';

/** Confidences kept one by one, 8 bytes a row, up to this many rows; beyond, counts in 129,026 buckets (card 00-calibration-common). */
export const MOST_PAIRS = 2e7;
const BUCKET_BITS = 9;
/** Most groups told apart. */
const GROUPS = 200;

export interface ReliabilityState {
  readonly bins: number;
  classes: number;
  rows: number;
  hits: number;
  /** The class whose probability is judged; −1: the answer's, whichever class it is. */
  readonly positive: number;
  /** Confidences of the rows answered right and wrong, by group. */
  readonly pairs: Slots;
  readonly column: string;
  grouped: boolean;
  readonly examples: Examples;
  /** [class, bin, SUMS]. */
  perClass: Float64Array;
  /** Probability of each class, by whether it is the label. */
  classScores: Slots;
  /** First rows of each class and bin. */
  first: number[][];
  /** Sums of the sets of most probable classes. */
  top: Float64Array;
  /** Sums over rows of the log loss, the Brier score, and the squares of both. */
  nll: number;
  nllSquares: number;
  brierSquares: number;
  /** Rows whose probability of the label is below 1e-12, where a loss from probabilities is clipped. */
  clipped: number;
  /** Σ of what a calibrated model expects of each row: entropy, and 1 − Σp². */
  entropy: number;
  impurity: number;
}

/** `positive` is the class judged (−1: the answer), `column` the one that groups rows; both are left out for plain confidences. */
export const emptyState = (
  binning: 'width' | 'mass',
  bins: number,
  {
    positive = -1,
    column = '',
    mostPairs = MOST_PAIRS,
  }: { readonly positive?: number; readonly column?: string; readonly mostPairs?: number } = {},
): ReliabilityState => ({
  bins,
  classes: 0,
  rows: 0,
  hits: 0,
  positive,
  pairs: slots(mostPairs, BUCKET_BITS),
  column,
  grouped: false,
  examples: examples(binning, bins),
  perClass: new Float64Array(0),
  classScores: slots(CLASS_SCORES, 8),
  first: [],
  top: new Float64Array(0),
  nll: 0,
  nllSquares: 0,
  brierSquares: 0,
  clipped: 0,
  entropy: 0,
  impurity: 0,
});

const widen = (state: ReliabilityState, classes: number): void => {
  if (state.classes === 0) {
    const { bins } = state;
    state.classes = classes;
    state.perClass = new Float64Array(classes * bins * SUMS);
    state.classScores = slots(CLASS_SCORES, classBits(classes));
    state.first = classes > TRACED_CLASSES ? [] : Array.from({ length: classes * bins }, () => []);
    state.top = topSums(classes, bins);
  } else if (state.classes !== classes) throw new Fault('diagnostic/width', { found: classes, expected: state.classes });
};

const checkGroups = ({ pairs, column }: ReliabilityState): void => {
  if (pairs.by.size > GROUPS) throw new Fault('diagnostic/groups', { column, most: GROUPS });
};

/** Adds one confidence and whether it came true. */
export const addPair = (state: ReliabilityState, c: number, right: boolean, row: number, slot: Slot = slotOf(state.pairs, '')): void => {
  addScore(state.pairs, slot, c, right);
  if (right) state.hits++;
  trace(state.examples, c, row);
};

/** The smallest probability a loss made from probabilities looks at. */
const LEAST = 1e-12;

export const addBatch = (
  state: ReliabilityState,
  {
    labels,
    probs,
    logProbs,
    rows,
    groups = {},
  }: Pick<Evidence, 'labels' | 'probs' | 'logProbs' | 'rows'> & Partial<Pick<Evidence, 'groups'>>,
): void => {
  if (probs.rows === 0) return;
  const { cols, data } = probs;
  widen(state, cols);
  const { bins, perClass, classScores, first, positive, pairs } = state;
  const traced = first.length > 0;
  const own = Array.from({ length: cols }, (_, k) => slotOf(classScores, String(k)));
  const sizes = topSizes(cols);
  const best = new Float64Array(sizes[sizes.length - 1] ?? 0);
  const names = groups[state.column];
  if (names) state.grouped = true;
  let [name, slot] = ['', names ? undefined : slotOf(pairs, '')];
  for (let i = 0; i < probs.rows; i++) {
    const at = i * cols;
    const label = labels[i];
    if (!(label >= 0 && label < cols)) throw new Fault('diagnostic/label', { row: rows[i], label, classes: cols });
    const judged = positive < 0 ? argmax(data, at, cols) : positive;
    const c = data[at + judged];
    if (names && (slot === undefined || names[i] !== name)) {
      name = names[i];
      slot = slotOf(pairs, name);
    }
    addPair(state, c, judged === label, rows[i], slot);
    const loss = -logProbs.data[at + label];
    state.nll += loss;
    state.nllSquares += loss * loss;
    if (data[at + label] < LEAST) state.clipped++;
    let squares = 0;
    for (let j = 0; j < cols; j++) {
      const p = data[at + j];
      const bin = j * bins + widthBinOf(p, bins);
      const k = bin * SUMS;
      perClass[k]++;
      perClass[k + 1] += p;
      perClass[k + 2] += p * p;
      if (j === label) {
        perClass[k + 3]++;
        perClass[k + 4] += p;
      }
      // As addScore does, without a call for each of so many.
      const counts = own[j].bins;
      if (counts) (j === label ? counts.hits : counts.misses)[binOf(p, counts.bits)]++;
      else addScore(classScores, own[j], p, j === label);
      if (traced) keepFirst(first[bin], rows[i]);
      squares += p * p;
      if (p > 0) state.entropy -= p * logProbs.data[at + j];
    }
    const brier = squares - 2 * data[at + label] + 1;
    state.brierSquares += brier * brier;
    state.impurity += 1 - squares;
    if (best.length > 0) addTop(state.top, bins, sizes, best, data, at, cols, label);
  }
  checkGroups(state);
  state.rows += probs.rows;
};

const addUp = (to: Float64Array, from: Float64Array): void => {
  for (let k = 0; k < to.length; k++) to[k] += from[k];
};

export const mergeState = (state: ReliabilityState, other: ReliabilityState): void => {
  if (other.rows === 0) return;
  if (other.classes > 0) widen(state, other.classes);
  addUp(state.perClass, other.perClass);
  addUp(state.top, other.top);
  mergeSlots(state.pairs, other.pairs);
  checkGroups(state);
  mergeSlots(state.classScores, other.classScores);
  other.first.forEach((rows, k) => {
    for (const row of rows) keepFirst(state.first[k], row);
  });
  mergeExamples(state.examples, other.examples);
  state.grouped ||= other.grouped;
  for (const key of ['rows', 'hits', 'nll', 'nllSquares', 'brierSquares', 'clipped', 'entropy', 'impurity'] as const)
    state[key] += other[key];
};
