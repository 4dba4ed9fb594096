import { Fault } from '../../base/fault.ts';
import { argmax } from '../../base/maths/argmax.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import { keepFirst } from '../selection.ts';
import { onGrid } from '../training/ratio-of-sums.ts';
import { chanceAmong, firstCounts, midRank, trueRank } from './true-rank.ts';

export interface RankOptions {
  readonly a: number;
  readonly b: number;
}
/** A row kept for the scatter: its z_y, Z-loss and cross-entropy. */
export interface KeptRow {
  readonly z: number;
  readonly zLoss: number;
  readonly logLoss: number;
  readonly right: boolean;
}
export interface RankState {
  classes: number;
  rows: number;
  /** Rows by twice their mid-rank. */
  ranks: Float64Array;
  /** Σ of chances to be among the first k. */
  among: Float64Array;
  /** Rows by z_y, wrong ones before right ones. */
  bins: Float64Array;
  rankRows: number[][];
  binRows: number[][];
  right: number;
  flat: number;
  zLoss: number;
  logLoss: number;
  readonly kept: Map<number, KeptRow>;
}

/** Bins of z_y from −√(C−1) to √(C−1), the least and the most there can be. */
export const Z_BINS = 40;
const KEPT = 1000;

export const rankState = (): RankState => ({
  classes: 0,
  rows: 0,
  ranks: new Float64Array(),
  among: new Float64Array(),
  bins: new Float64Array(),
  rankRows: [],
  binRows: [],
  right: 0,
  flat: 0,
  zLoss: 0,
  logLoss: 0,
  kept: new Map(),
});

const widen = (state: RankState, classes: number): void => {
  if (state.classes === 0) {
    state.classes = classes;
    state.ranks = new Float64Array(2 * classes - 1);
    state.among = new Float64Array(firstCounts(classes).length);
    state.bins = new Float64Array(2 * Z_BINS);
    state.rankRows = rankEdges(classes).map(() => []);
    state.binRows = Array.from(state.bins, () => []);
  } else if (state.classes !== classes) throw new Fault('diagnostic/width', { found: classes, expected: state.classes });
};

/** First places of the bars: every place of few classes, else 1, 2, 3, 6, 11, 21, 51, 101, … */
export const rankEdges = (classes: number): number[] => {
  if (classes <= 20) return Array.from({ length: classes }, (_, i) => i + 1);
  const edges = [1, 2, 3];
  for (let decade = 1; 5 * decade < classes; decade *= 10)
    for (const m of [5, 10, 20]) if (m * decade < classes) edges.push(m * decade + 1);
  return edges;
};

const binOfRank = (edges: readonly number[], place: number): number => {
  let at = 0;
  while (at + 1 < edges.length && edges[at + 1] <= place) at++;
  return at;
};

const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** z_y of one row, by the population's deviation; a row of equal scores has none, and its σ is 1e-6 at least. */
export const standardisedOwn = (
  scores: ArrayLike<number>,
  at: number,
  classes: number,
  label: number,
): { readonly z: number; readonly flat: boolean } => {
  let mean = 0;
  for (let c = 0; c < classes; c++) mean += scores[at + c] / classes;
  let variance = 0;
  for (let c = 0; c < classes; c++) variance += (scores[at + c] - mean) ** 2 / classes;
  const sigma = Math.sqrt(variance);
  const flat = sigma < 1e-6 * (1 + Math.abs(mean));
  return { z: (scores[at + label] - mean) / ((flat ? Math.max(sigma, 1e-6) : sigma) + 1e-12), flat };
};

/** (1/a)·log(1 + e^{a(b − z)}). */
export const zLossOf = (z: number, { a, b }: RankOptions): number => softplus(a * (b - z)) / a;

const trim = (kept: Map<number, KeptRow>): void => {
  if (kept.size <= KEPT) return;
  for (const row of [...kept.keys()].sort((x, y) => x - y).slice(KEPT)) kept.delete(row);
};

export const addRanks = (
  state: RankState,
  { labels, logits, rows }: Pick<Evidence, 'labels' | 'logits' | 'rows'>,
  chosen: RankOptions,
): void => {
  if (logits.rows === 0) return;
  const { cols: classes, data } = logits;
  widen(state, classes);
  const edges = rankEdges(classes);
  const counts = firstCounts(classes);
  const most = Math.sqrt(classes - 1);
  for (let i = 0; i < logits.rows; i++) {
    const label = labels[i];
    if (!(label >= 0 && label < classes)) throw new Fault('diagnostic/label', { row: rows[i], label, classes });
    const at = i * classes;
    const rank = trueRank(data, at, classes, label);
    const middle = midRank(rank);
    state.ranks[2 * middle]++;
    keepFirst(state.rankRows[binOfRank(edges, 1 + Math.floor(middle))], rows[i]);
    counts.forEach((k, n) => {
      state.among[n] += onGrid(chanceAmong(k, rank));
    });
    const right = argmax(data, at, classes) === label;
    const { z, flat } = standardisedOwn(data, at, classes, label);
    const bin = Number(right) * Z_BINS + Math.min(Z_BINS - 1, Math.max(0, Math.floor(((z + most) / (2 * most)) * Z_BINS)));
    state.bins[bin]++;
    keepFirst(state.binRows[bin], rows[i]);
    let top = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < classes; c++) top = Math.max(top, data[at + c]);
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += Math.exp(data[at + c] - top);
    const logLoss = top + Math.log(sum) - data[at + label];
    const zLoss = zLossOf(z, chosen);
    state.zLoss += onGrid(zLoss);
    state.logLoss += onGrid(logLoss);
    state.right += Number(right);
    state.flat += Number(flat);
    state.kept.set(rows[i], { z, zLoss, logLoss, right });
  }
  state.rows += logits.rows;
  trim(state.kept);
};

const into = (to: Float64Array, from: Float64Array): void =>
  from.forEach((v, i) => {
    to[i] += v;
  });
const firstInto = (to: number[][], from: readonly number[][]): void => {
  for (const [i, rows] of from.entries()) for (const row of rows) keepFirst(to[i], row);
};

export const mergeRanks = (state: RankState, other: RankState): void => {
  if (other.classes === 0) return;
  widen(state, other.classes);
  into(state.ranks, other.ranks);
  into(state.among, other.among);
  into(state.bins, other.bins);
  firstInto(state.rankRows, other.rankRows);
  firstInto(state.binRows, other.binRows);
  for (const key of ['rows', 'right', 'flat', 'zLoss', 'logLoss'] as const) state[key] += other[key];
  for (const [row, kept] of other.kept) state.kept.set(row, kept);
  trim(state.kept);
};
