import { aurocInfluence, averagePrecisionInfluence, type Influence } from '../../base/maths/auroc.ts';
import { normalQuantile } from '../../base/maths/normal.ts';
import { type Groups, type Pile, pile, pour, put, values } from '../calibration/pairs.ts';

/** Scores kept row by row (8 MiB), so that the scores of one row can be told from those of another. */
const MOST = 2 ** 20;

/** Label and scores of every row, one row after the other; null once there were too many. */
export type RowScores = Pile | null;

export const rowScores = (): RowScores => pile();

export const addRow = (to: RowScores, label: number, scores: Float64Array, at: number, classes: number): RowScores => {
  if (!to || to.length + classes + 1 > MOST) return null;
  put(to, label);
  for (let k = 0; k < classes; k++) put(to, scores[at + k]);
  return to;
};

export const mergeRows = (to: RowScores, from: RowScores): RowScores => {
  if (!to || !from || to.length + from.length > MOST) return null;
  pour(to, from);
  return to;
};

type Range = readonly [number, number] | null;

/** Index of a score among the ascending ones of the runs. */
const runOf = (c: Float64Array, score: number): number => {
  let [low, high] = [0, c.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (c[middle] < score) low = middle + 1;
    else high = middle;
  }
  return low;
};

/**
 * Intervals of micro AUROC and micro AUPRC: the scores of one row, one positive and the others negative, are not independent, so their
 * influences are summed before they are squared (Obuchowski 1997, doi:10.2307/2533958), rows being the clusters.
 */
export const microIntervals = (
  rows: RowScores,
  classes: number,
  pooled: Groups,
  { auroc, auprc }: { readonly auroc: number; readonly auprc: number },
  level: number,
): { readonly auroc: Range; readonly auprc: Range } => {
  if (!rows || rows.length === 0) return { auroc: null, auprc: null };
  const all = values(rows);
  const n = all.length / (classes + 1);
  const places = new Int32Array(n * classes);
  for (let i = 0; i < n; i++) for (let k = 0; k < classes; k++) places[i * classes + k] = runOf(pooled.c, all[i * (classes + 1) + 1 + k]);
  const interval = (value: number, { positive, negative }: Influence): Range => {
    const squares = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      const label = all[i * (classes + 1)];
      let sum = 0;
      for (let k = 0; k < classes; k++) sum += (k === label ? positive : negative)[places[i * classes + k]];
      squares[i] = sum * sum;
    }
    // Sorted, so that the order of the rows changes no digit.
    const variance = squares.sort().reduce((total, square) => total + square, 0);
    const half = normalQuantile((1 + level) / 2) * Math.sqrt(variance);
    return half > 0 ? [Math.max(0, value - half), Math.min(1, value + half)] : null;
  };
  return { auroc: interval(auroc, aurocInfluence(pooled)), auprc: interval(auprc, averagePrecisionInfluence(pooled)) };
};
