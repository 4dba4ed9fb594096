import { Fault } from '../../base/fault.ts';
import type { Random } from '../../base/random.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import { slotOf } from '../metrics/ranking-slots.ts';
import type { GroupCalibration } from './group-calibration.ts';
import { addPair, emptyState, mergeState, type ReliabilityState } from './reliability-state.ts';
import { type Reliability, type ReliabilityOptions, reliabilityScores } from './scores.ts';
import { walkSlots } from './walks.ts';

/** Most labels judged one by one; of more, all pairs are pooled. */
export const MOST_LABELS = 200;
/** The smallest probability of what happened that the log loss looks at. */
const LEAST = 1e-12;

export interface MultiLabelState {
  labels: number;
  rows: number;
  /** Pairs of probability and outcome; slots are labels. */
  readonly pairs: ReliabilityState;
}

export interface MultiLabel {
  readonly labels: number;
  /** Rows of the data; `pooled` counts pairs of row and label. */
  readonly rows: number;
  readonly nll: number;
  /** Probabilities of what happened that the log loss has clipped. */
  readonly clipped: number;
  readonly pooled: Reliability;
  /** By label, in order; none where there are too many. */
  readonly each: readonly GroupCalibration[];
}

export const multiLabelState = (binning: 'width' | 'mass', bins: number): MultiLabelState => ({
  labels: 0,
  rows: 0,
  pairs: emptyState(binning, bins, { positive: 0 }),
});

const widen = (state: MultiLabelState, labels: number): void => {
  if (state.labels === 0) {
    state.labels = labels;
    state.pairs.grouped = labels <= MOST_LABELS;
  } else if (state.labels !== labels) throw new Fault('diagnostic/width', { found: labels, expected: state.labels });
};

export const addMarks = (state: MultiLabelState, { marks, labelProbs, rows }: Pick<Evidence, 'marks' | 'labelProbs' | 'rows'>): void => {
  const { cols, data } = labelProbs;
  if (rows.length === 0) return;
  widen(state, cols);
  const { pairs } = state;
  const slots = Array.from({ length: cols }, (_, k) => slotOf(pairs.pairs, pairs.grouped ? String(k).padStart(3, '0') : ''));
  for (let i = 0; i < rows.length; i++) {
    for (let k = 0; k < cols; k++) {
      const p = data[i * cols + k];
      const has = marks.data[i * cols + k] === 1;
      addPair(pairs, p, has, rows[i], slots[k]);
    }
  }
  pairs.rows += rows.length * cols;
  state.rows += rows.length;
};

export const mergeMarks = (state: MultiLabelState, other: MultiLabelState): void => {
  if (other.labels === 0) return;
  widen(state, other.labels);
  mergeState(state.pairs, other.pairs);
  state.rows += other.rows;
};

export const multiLabelScores = async (
  state: MultiLabelState,
  options: ReliabilityOptions,
  random: (name: string) => Random,
  pause: (fraction: number, text: string) => Promise<void>,
): Promise<MultiLabel> => {
  const pooled = await reliabilityScores(state.pairs, options, random, pause);
  let [loss, clipped] = [0, 0];
  // From the sorted pairs, so that the order of rows does not matter.
  walkSlots([...state.pairs.pairs.by.values()])((p, hits, misses) => {
    loss -= hits * Math.log(Math.max(p, LEAST)) + misses * Math.log(Math.max(1 - p, LEAST));
    clipped += (p < LEAST ? hits : 0) + (1 - p < LEAST ? misses : 0);
  });
  return { labels: state.labels, rows: state.rows, nll: loss / pooled.rows, clipped, pooled, each: pooled.groups };
};
