import { Fault } from '../../base/fault.ts';
import { nearest } from '../../base/nearest.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import { widthBinOf } from '../calibration/bins.ts';
import { keepFirst } from '../selection.ts';
import { type Extreme, keepExtreme } from './extreme-rows.ts';
import { addRow, mergeRows, type RowScores, rowScores } from './ranking-micro.ts';
import { addScore, mergeSlots, type Slots, slotOf, slots } from './ranking-slots.ts';

/** Scores of one class kept one by one: 8 bytes a row, up to this many rows. */
const ROWS = 2e7;
/** Scores of several classes kept one by one, all classes together (64 MiB). */
const VALUES = 2 ** 23;
/** From this many classes on, scores are counted in bins from the start. */
const MANY = 64;
/** Most groups told apart. */
const GROUPS = 200;
/** Bins of the score histogram, and rows kept at each end of it. */
export const BINS = 20;
const ENDS = 12;

export interface RankingState {
  classes: number;
  /** The class that is ranked; −1 ranks every class against the rest. */
  positive: number;
  rows: number;
  /** By group where one class is ranked, else by class. */
  slots: Slots;
  /** Column of the groups. */
  readonly column: string;
  grouped: boolean;
  /** First rows by score bin of the positives and of the negatives; most surprising rows of both. Of one class only. */
  readonly first: { readonly positive: number[][]; readonly negative: number[][] };
  readonly lowest: Extreme[];
  readonly highest: Extreme[];
  /** Of every class against the rest only. */
  whole: RowScores;
}

/** Class number of the option `positive`; without one, class 1 of two, and every class of more (−1). */
const positiveOf = (name: string, classes: readonly string[], found: number): number => {
  if (name === '') return found === 2 ? 1 : -1;
  const at = classes.indexOf(name);
  if (at >= 0) return at;
  if (/^\d+$/.test(name) && Number(name) < found) return Number(name);
  throw new Fault('diagnostic/target', { target: name, nearest: nearest(name, classes), classes });
};

const lists = (): number[][] => Array.from({ length: BINS }, () => []);

export const rankingState = (positive: string, classes: readonly string[], column: string): RankingState => ({
  classes: 0,
  positive: positiveOf(positive, classes, classes.length),
  rows: 0,
  slots: slots(ROWS, 8),
  column,
  grouped: false,
  first: { positive: lists(), negative: lists() },
  lowest: [],
  highest: [],
  whole: rowScores(),
});

const widen = (state: RankingState, classes: number): void => {
  if (state.classes === 0) {
    state.classes = classes;
    if (state.positive < 0)
      state.slots = slots(classes > MANY ? 0 : VALUES, Math.max(3, 8 - Math.max(0, Math.ceil(Math.log2(classes / MANY)))));
  } else if (state.classes !== classes) throw new Fault('diagnostic/width', { found: classes, expected: state.classes });
};

const checkGroups = ({ positive, slots: { by }, column }: RankingState): void => {
  if (positive >= 0 && by.size > GROUPS) throw new Fault('diagnostic/groups', { column, most: GROUPS });
};

export const addRanking = (
  state: RankingState,
  { labels, probs, rows, groups }: Pick<Evidence, 'labels' | 'probs' | 'rows' | 'groups'>,
): void => {
  if (probs.rows === 0) return;
  const { cols, data } = probs;
  widen(state, cols);
  const { positive } = state;
  const names = groups[state.column];
  if (names) state.grouped = true;
  for (let i = 0; i < probs.rows; i++) {
    const label = labels[i];
    if (!(label >= 0 && label < cols)) throw new Fault('diagnostic/label', { row: rows[i], label, classes: cols });
    if (positive < 0) {
      state.whole = addRow(state.whole, label, data, i * cols, cols);
      for (let k = 0; k < cols; k++) addScore(state.slots, slotOf(state.slots, String(k)), data[i * cols + k], k === label);
      continue;
    }
    const score = data[i * cols + positive];
    const hit = label === positive;
    addScore(state.slots, slotOf(state.slots, names?.[i] ?? ''), score, hit);
    keepFirst((hit ? state.first.positive : state.first.negative)[widthBinOf(score, BINS)], rows[i]);
    if (hit) keepExtreme(state.lowest, { score, row: rows[i] }, 1, ENDS);
    else keepExtreme(state.highest, { score, row: rows[i] }, -1, ENDS);
  }
  checkGroups(state);
  state.rows += probs.rows;
};

export const mergeRanking = (state: RankingState, other: RankingState): void => {
  if (other.classes === 0) return;
  widen(state, other.classes);
  mergeSlots(state.slots, other.slots);
  checkGroups(state);
  state.rows += other.rows;
  state.whole = mergeRows(state.whole, other.whole);
  state.grouped ||= other.grouped;
  for (const side of ['positive', 'negative'] as const)
    other.first[side].forEach((kept, bin) => {
      for (const row of kept) keepFirst(state.first[side][bin], row);
    });
  for (const one of other.lowest) keepExtreme(state.lowest, one, 1, ENDS);
  for (const one of other.highest) keepExtreme(state.highest, one, -1, ENDS);
};
