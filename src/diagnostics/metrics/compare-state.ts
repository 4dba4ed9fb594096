import { argmax } from '../../base/maths/argmax.ts';
import type { PairBatch } from '../../evidence/pair.ts';
import { widthBinOf } from '../calibration/bins.ts';
import { keepFirst } from '../selection.ts';
import { addRankingPair, type RankingPair, rankingPair } from './compare-ranking.ts';
import { type Extreme, keepExtreme } from './extreme-rows.ts';

/** Up to this many rows are kept, and resampled one by one; above, what is resampled are counts in fine cells. */
export const ROW_DRAWS = 20_000;
/** Confidence cells of one model: `BINS` bins of the ECE, each cut in `FINE`, by right and wrong. */
export const BINS = 15;
const FINE = 3;
export const SIDES: number = 2 * FINE * BINS;
/** Cells of a difference of losses: its sign, binary exponent and three bits of its mantissa. */
const LOSS_CELLS = 4096;
/** Rows shown at either end of the change of the label's probability, and pairs of answers whose rows are kept. */
const ENDS = 12;

/** One row as both see it. */
export interface Pair {
  readonly label: number;
  readonly said: readonly [number, number];
  readonly confidence: readonly [number, number];
  /** Confidence cells. */
  readonly cells: readonly [number, number];
  readonly nll: readonly [number, number];
  readonly brier: readonly [number, number];
  /** Probabilities of the last class: class 1 of two. */
  readonly scores: readonly [number, number];
}

/** Sums over the rows of one cell. */
export interface Cells {
  readonly count: Float64Array;
  /** Of what the cell is for: a difference of losses, or the two confidences. */
  readonly sums: readonly Float64Array[];
}

const cells = (size: number, sums: number): Cells => ({
  count: new Float64Array(size),
  sums: Array.from({ length: sums }, () => new Float64Array(size)),
});

export interface CompareState {
  classes: number;
  rows: number;
  /** The rows themselves, as long as there are at most `ROW_DRAWS`. */
  kept: Pair[] | null;
  /** label · K² + first · K + other → rows. */
  readonly triples: Map<number, number>;
  readonly nll: Cells;
  readonly brier: Cells;
  /** [confidence cell of the first, of the other] → rows and both sums of confidences. */
  readonly sure: Cells;
  /** Of two classes. */
  ranking: RankingPair | null;
  /** Per model: Σ and Σ² of its losses. */
  readonly losses: readonly [Losses, Losses];
  /** Rows by who is right (both, first alone, other alone, none), and by pairs of different answers. */
  readonly right: readonly number[][];
  readonly answers: Map<number, number[]>;
  /** Rows whose label lost and won most probability from the other to the first. */
  readonly lost: Extreme[];
  readonly won: Extreme[];
}

export interface Losses {
  nll: number;
  nll2: number;
  brier: number;
  brier2: number;
}
const losses = (): Losses => ({ nll: 0, nll2: 0, brier: 0, brier2: 0 });

export const compareState = (): CompareState => ({
  classes: 0,
  rows: 0,
  kept: [],
  triples: new Map(),
  nll: cells(LOSS_CELLS, 1),
  brier: cells(LOSS_CELLS, 1),
  sure: cells(SIDES * SIDES, 2),
  ranking: null,
  losses: [losses(), losses()],
  right: [[], [], [], []],
  answers: new Map(),
  lost: [],
  won: [],
});

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);
const lossCell = (d: number): number => {
  float[0] = Math.abs(d);
  return (d < 0 ? LOSS_CELLS / 2 : 0) + (bits[0] >> 20);
};

/** Confidence cell: fine bin, and whether the answer is right. */
const side = (confidence: number, right: boolean): number => 2 * widthBinOf(confidence, FINE * BINS) + Number(right);
/** ECE bin of a confidence cell, and whether its answers are right. */
export const binOfSide = (cell: number): number => Math.floor((cell >> 1) / FINE);
export const rightOfSide = (cell: number): boolean => (cell & 1) === 1;

/** Which of four: both right, the first alone, the other alone, neither. */
const caseOf = ({ label, said }: Pick<Pair, 'label' | 'said'>): number =>
  said[0] === label ? (said[1] === label ? 0 : 1) : said[1] === label ? 2 : 3;

/** Sum over the classes of (p − y)², of one row. */
const brierOf = (data: Float64Array, at: number, cols: number, label: number): number => {
  let sum = 0;
  for (let k = 0; k < cols; k++) sum += (data[at + k] - Number(k === label)) ** 2;
  return sum;
};

export const addPair = (state: CompareState, { rows, labels, probs, logProbs, other }: PairBatch): void => {
  const { cols } = probs;
  state.classes = cols;
  state.rows += labels.length;
  if (state.rows > ROW_DRAWS) state.kept = null;
  if (cols === 2) state.ranking ??= rankingPair();
  for (let i = 0; i < labels.length; i++) {
    const [at, label, row] = [i * cols, labels[i], rows[i]];
    const said = [argmax(probs.data, at, cols), argmax(other.probs.data, at, cols)] as const;
    const confidence = [probs.data[at + said[0]], other.probs.data[at + said[1]]] as const;
    const nll = [-logProbs.data[at + label], -other.logProbs.data[at + label]] as const;
    const brier = [brierOf(probs.data, at, cols, label), brierOf(other.probs.data, at, cols, label)] as const;
    const cells = [side(confidence[0], said[0] === label), side(confidence[1], said[1] === label)] as const;
    const scores = [probs.data[at + cols - 1], other.probs.data[at + cols - 1]] as const;
    const pair: Pair = { label, said, confidence, cells, nll, brier, scores };
    if (state.ranking) addRankingPair(state.ranking, label, scores);
    state.kept?.push(pair);

    const triple = (label * cols + said[0]) * cols + said[1];
    state.triples.set(triple, (state.triples.get(triple) ?? 0) + 1);
    for (const [of, values] of [
      [state.nll, nll],
      [state.brier, brier],
    ] as const) {
      const d = values[0] - values[1];
      const cell = lossCell(d);
      of.count[cell]++;
      of.sums[0][cell] += d;
    }
    const cell = cells[0] * SIDES + cells[1];
    state.sure.count[cell]++;
    for (const s of [0, 1] as const) {
      state.sure.sums[s][cell] += confidence[s];
      const sums = state.losses[s];
      sums.nll += nll[s];
      sums.nll2 += nll[s] ** 2;
      sums.brier += brier[s];
      sums.brier2 += brier[s] ** 2;
    }
    keepFirst(state.right[caseOf(pair)], row);
    if (said[0] !== said[1]) {
      const key = said[0] * cols + said[1];
      const known = state.answers.get(key);
      if (known) keepFirst(known, row);
      else state.answers.set(key, [row]);
    }
    const change = probs.data[at + label] - other.probs.data[at + label];
    if (change < 0) keepExtreme(state.lost, { score: change, row }, 1, ENDS);
    if (change > 0) keepExtreme(state.won, { score: change, row }, -1, ENDS);
  }
};
