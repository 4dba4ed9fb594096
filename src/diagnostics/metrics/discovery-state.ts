import { Fault } from '../../base/fault.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import { type Pile, pile, pour, put } from '../calibration/pairs.ts';
import { keepFirst } from '../selection.ts';
import { type Extreme, keepExtreme } from './extreme-rows.ts';

/** What a row is at the threshold: found, missed, false alarm, rightly left. */
export const outcomes = ['tp', 'fn', 'fp', 'tn'] as const;
const TP = 0;
const FN = 1;
const FP = 2;
const TN = 3;

/** Where the threshold is moved to, in windows: 0.02, 0.05 and 0.1 at the default window of 0.04. */
export const shifts: readonly number[] = [-2.5, -1.25, -0.5, 0, 0.5, 1.25, 2.5];
const UNMOVED = shifts.indexOf(0);

/** Cells of a rolling window. */
export const CELLS = 20;
/** Candidates that are kept where no number of them is asked for. */
const FIRST = 10_000;
const LISTED = 20;

export interface DiscoveryOptions {
  readonly threshold: number;
  readonly direction: 'below' | 'above';
  readonly window: number;
  readonly topK: number;
  readonly missing: 'as-negative' | 'leave-out';
  readonly dedupe: 'off' | 'first-per-group';
  readonly group: string;
  readonly id: string;
  readonly predictedQuantity: string;
  readonly trueQuantity: string;
  readonly entry: number;
  readonly compare: boolean;
}

/** Counts and sums of one model: with d = target − threshold and e = error, over the rows that have a prediction. */
export interface Tally {
  /** Found, missed, false and left at each shifted threshold. */
  readonly counts: number[];
  n: number;
  missing: number;
  abs: number;
  /** Σe², Σe⁴, Σe²d, Σe²d². */
  readonly e: number[];
  /** Σd to Σd⁴. */
  readonly d: number[];
  /** Σ and Σ² of prediction − threshold. */
  readonly v: number[];
}

export const tally = (): Tally => ({
  counts: new Array<number>(outcomes.length * shifts.length).fill(0),
  n: 0,
  missing: 0,
  abs: 0,
  e: [0, 0, 0, 0],
  d: [0, 0, 0, 0],
  v: [0, 0],
});

/** `u` is the target's and `v` the prediction's signed distance to the threshold, not positive where it is met; NaN where missing. */
export interface Candidate {
  readonly row: number;
  readonly u: number;
  readonly v: number;
}

const outcomeAt = (u: number, v: number, move: number): number => (u <= move ? (v <= move ? TP : FN) : v <= move ? FP : TN);

/** A row of which nothing is predicted counts as left, unless it is left out. Plain loops: this runs for every row. */
export const count = (to: Tally, { u, v }: Candidate, { window, direction, missing }: DiscoveryOptions): void => {
  const absent = Number.isNaN(v);
  if (absent) to.missing++;
  if (absent && missing === 'leave-out') return;
  const sign = direction === 'below' ? 1 : -1;
  const { counts } = to;
  for (let k = 0; k < shifts.length; k++) counts[outcomes.length * k + outcomeAt(u, v, sign * shifts[k] * window)]++;
  if (absent) return;
  const error = v - u;
  const e2 = error * error;
  const d = sign * u;
  const d2 = d * d;
  to.n++;
  to.abs += Math.abs(error);
  to.e[0] += e2;
  to.e[1] += e2 * e2;
  to.e[2] += e2 * d;
  to.e[3] += e2 * d2;
  to.d[0] += d;
  to.d[1] += d2;
  to.d[2] += d2 * d;
  to.d[3] += d2 * d2;
  to.v[0] += v;
  to.v[1] += v * v;
};

const addInto = (to: number[], from: readonly number[]): void => {
  for (const [k, value] of from.entries()) to[k] += value;
};

const mergeTally = (to: Tally, from: Tally): void => {
  for (const k of ['counts', 'e', 'd', 'v'] as const) addInto(to[k], from[k]);
  for (const k of ['n', 'missing', 'abs'] as const) to[k] += from[k];
};

/** Rows whose target falls in (k·h, (k+1)·h] from the threshold, h a twentieth of the window. */
export interface Cell {
  readonly outcomes: number[];
  readonly rows: number[][];
  n: number;
  abs: number;
  square: number;
}

/**
 * Bounded by the targets' range over a twentieth of the window, plus 24 bytes for every predicted positive (the cumulative curves need
 * them sorted), a value for every group where rows are deduplicated, and one for every id where ids are named.
 */
export interface DiscoveryState {
  readonly models: Tally[];
  readonly cells: Map<number, Cell>;
  readonly found: { readonly u: Pile; readonly v: Pile; readonly row: Pile };
  /** Candidates to keep. */
  readonly most: number;
  /** Candidates among which the first of the list are; cut when it has grown to twice what is needed. */
  first: Candidate[];
  cut: boolean;
  readonly selected: number[][];
  readonly falseAlarms: (Candidate & Extreme)[];
  readonly missed: (Candidate & Extreme)[];
  /** First row of every group. */
  readonly groups: Map<string, Candidate>;
  readonly ids: Map<string, number>;
  readonly duplicates: Extreme[];
  duplicated: number;
  unlabelled: number;
  readonly unlabelledRows: number[];
}

export const discoveryState = (topK: number): DiscoveryState => ({
  most: topK || FIRST,
  models: [],
  cells: new Map(),
  found: { u: pile(), v: pile(), row: pile() },
  first: [],
  cut: false,
  selected: outcomes.map(() => []),
  falseAlarms: [],
  missed: [],
  groups: new Map(),
  ids: new Map(),
  duplicates: [],
  duplicated: 0,
  unlabelled: 0,
  unlabelledRows: [],
});

/** In the order of predictions, ties in that of rows. */
export const inOrder = (a: Candidate, b: Candidate): number => a.v - b.v || a.row - b.row;

const keepBest = (state: DiscoveryState, one: Candidate): void => {
  // Once cut, the first ones are in order, and nothing behind the last of them is wanted.
  if (state.cut && inOrder(one, state.first[state.most - 1]) > 0) return;
  if (state.first.push(one) < 2 * state.most) return;
  state.first = state.first.sort(inOrder).slice(0, state.most);
  state.cut = true;
};

const enter = (state: DiscoveryState, one: Candidate, options: DiscoveryOptions): void => {
  const { row, u, v } = one;
  const absent = Number.isNaN(v);
  if (absent && options.missing === 'leave-out') return;
  const at = outcomeAt(u, v, 0);
  const key = Math.ceil((u * CELLS) / options.window) - 1;
  const cell = state.cells.get(key) ?? { outcomes: [0, 0, 0, 0], rows: outcomes.map(() => []), n: 0, abs: 0, square: 0 };
  state.cells.set(key, cell);
  cell.outcomes[at]++;
  keepFirst(cell.rows[at], row);
  keepFirst(state.selected[at], row);
  if (at === FP) keepExtreme(state.falseAlarms, { ...one, score: u }, -1, LISTED);
  if (at === FN) keepExtreme(state.missed, { ...one, score: u }, 1, LISTED);
  if (absent) return;
  cell.n++;
  cell.abs += Math.abs(v - u);
  cell.square += (v - u) ** 2;
  if (options.dedupe === 'off') keepBest(state, one);
  if (v > 0) return;
  put(state.found.u, u);
  put(state.found.v, v);
  put(state.found.row, row);
};

const keepGroup = (state: DiscoveryState, group: string, one: Candidate): void => {
  const known = state.groups.get(group);
  if (!known || one.row < known.row) state.groups.set(group, one);
};

const keepId = (state: DiscoveryState, id: string, row: number): void => {
  const known = state.ids.get(id);
  if (known !== undefined) {
    state.duplicated++;
    keepExtreme(state.duplicates, { score: Math.max(known, row), row: Math.min(known, row) }, 1, 1);
  }
  if (known === undefined || row < known) state.ids.set(id, row);
};

type Batch = Pick<Evidence, 'predictions' | 'targets' | 'rows' | 'groups'>;

const numbersOf = ({ groups }: Batch, name: string): Float64Array | undefined =>
  name === '' ? undefined : Float64Array.from(groups[name] ?? [], (text) => (text.trim() === '' ? Number.NaN : Number(text)));

export const addDiscovery = (state: DiscoveryState, batch: Batch, options: DiscoveryOptions): void => {
  const { predictions, targets, rows, groups } = batch;
  const { cols, data } = predictions;
  if (rows.length === 0) return;
  const { entry, compare, threshold, dedupe } = options;
  if (entry > cols || (entry === 0 && cols > 1 && !compare)) throw new Fault('diagnostic/entry', { columns: cols, entry });
  const main = Math.max(0, entry - 1);
  const sign = options.direction === 'below' ? 1 : -1;
  const names = dedupe === 'off' ? undefined : groups[options.group || 'group'];
  if (dedupe !== 'off' && !names) throw new Fault('diagnostic/no-group', {});
  const ids = options.id === '' ? undefined : groups[options.id];
  const [predicted, known] = [numbersOf(batch, options.predictedQuantity), numbersOf(batch, options.trueQuantity)];
  if (predicted && !known) throw new Fault('diagnostic/quantity', {});
  while (state.models.length < (compare ? cols : 1)) state.models.push(tally());
  for (let i = 0; i < rows.length; i++) {
    const [target, row] = [targets[i], rows[i]];
    if (ids) keepId(state, ids[i], row);
    if (!Number.isFinite(target)) {
      state.unlabelled++;
      keepFirst(state.unlabelledRows, row);
      continue;
    }
    for (let m = 0; m < state.models.length; m++) {
      const column = compare ? m : main;
      const given = predicted ? predicted[i] : data[i * cols + column];
      // With a known offset the error of the quantity carries over one to one.
      const prediction = known ? target + (given - known[i]) : given;
      const one = { row, u: sign * (target - threshold), v: sign * (prediction - threshold) };
      count(state.models[m], one, options);
      if (column !== main) continue;
      enter(state, one, options);
      if (names) keepGroup(state, names[i], one);
    }
  }
};

export const mergeDiscovery = (state: DiscoveryState, other: DiscoveryState): void => {
  while (state.models.length < other.models.length) state.models.push(tally());
  for (const [m, model] of other.models.entries()) mergeTally(state.models[m], model);
  for (const [key, from] of other.cells) {
    const to = state.cells.get(key);
    if (!to) state.cells.set(key, from);
    else {
      addInto(to.outcomes, from.outcomes);
      for (const [k, kept] of from.rows.entries()) for (const row of kept) keepFirst(to.rows[k], row);
      for (const k of ['n', 'abs', 'square'] as const) to[k] += from[k];
    }
  }
  for (const k of ['u', 'v', 'row'] as const) pour(state.found[k], other.found[k]);
  for (const one of other.first) keepBest(state, one);
  for (const [k, kept] of other.selected.entries()) for (const row of kept) keepFirst(state.selected[k], row);
  for (const one of other.falseAlarms) keepExtreme(state.falseAlarms, one, -1, LISTED);
  for (const one of other.missed) keepExtreme(state.missed, one, 1, LISTED);
  for (const [group, one] of other.groups) keepGroup(state, group, one);
  for (const [id, row] of other.ids) keepId(state, id, row);
  for (const one of other.duplicates) keepExtreme(state.duplicates, one, 1, 1);
  state.duplicated += other.duplicated;
  state.unlabelled += other.unlabelled;
  for (const row of other.unlabelledRows) keepFirst(state.unlabelledRows, row);
};

/** Counts at the threshold as given. */
export const unmoved = ({ counts }: Tally): readonly number[] => counts.slice(outcomes.length * UNMOVED, outcomes.length * (UNMOVED + 1));
