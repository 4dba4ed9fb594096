import { wilson } from '../../base/maths/proportion.ts';
import { widthBinOf } from './bins.ts';
import { binnedErrors } from './errors.ts';

/** Sizes of the sets of most probable classes; those as large as the number of classes say nothing. */
const SIZES = [2, 3, 5];
/** Sums per set size and width bin of its probability: n, Σp, Σp², hits. */
const SUMS = 4;

export const topSizes = (classes: number): readonly number[] => SIZES.filter((k) => k < classes);

export const topSums = (classes: number, bins: number): Float64Array => new Float64Array(topSizes(classes).length * bins * SUMS);

/** The largest probabilities of a row, descending, as many as `best` holds (no more than there are). */
const fillBest = (data: Float64Array, at: number, cols: number, best: Float64Array): void => {
  const n = best.length;
  let least = -1;
  for (let j = 0; j < cols; j++) {
    const p = data[at + j];
    if (j >= n && p <= least) continue;
    let place = j < n ? j : n - 1;
    for (; place > 0 && best[place - 1] < p; place--) best[place] = best[place - 1];
    best[place] = p;
    least = best[n - 1];
  }
};

/** Classes more probable than the label; of equal ones the lower index comes first. */
const rankOf = (data: Float64Array, at: number, cols: number, label: number): number => {
  const own = data[at + label];
  let rank = 0;
  for (let j = 0; j < cols; j++) if (data[at + j] > own || (data[at + j] === own && j < label)) rank++;
  return rank;
};

/** Adds one row to the sums; `best` is space for the largest set. */
export const addTop = (
  sums: Float64Array,
  bins: number,
  sizes: readonly number[],
  best: Float64Array,
  data: Float64Array,
  at: number,
  cols: number,
  label: number,
): void => {
  fillBest(data, at, cols, best);
  const rank = rankOf(data, at, cols, label);
  let p = 0;
  let s = 0;
  for (let k = 0; k < best.length; k++) {
    p += best[k];
    if (k + 1 !== sizes[s]) continue;
    const c = Math.min(1, p);
    const to = (s * bins + widthBinOf(c, bins)) * SUMS;
    sums[to]++;
    sums[to + 1] += c;
    sums[to + 2] += c * c;
    if (rank <= k) sums[to + 3]++;
    s++;
  }
};

/** The k most probable classes taken together: how often the label is among them, and how probable they say that is (Gupta et al. 2021). */
export interface TopK {
  readonly k: number;
  readonly accuracy: number;
  readonly interval: readonly [number, number] | null;
  readonly confidence: number;
  readonly ece: number;
  /** ECE of a calibrated model with these probabilities, each bin's count taken as normal. */
  readonly floor: number;
}

export const topCalibration = (sums: Float64Array, classes: number, bins: number, rows: number, level: number): TopK[] =>
  topSizes(classes).map((k, s) => {
    const of = Array.from({ length: bins }, (_, b) => {
      const [n, f, f2, o] = sums.subarray((s * bins + b) * SUMS, (s * bins + b + 1) * SUMS);
      return { n, f, f2, o };
    });
    const hits = of.reduce((sum, b) => sum + b.o, 0);
    return {
      k,
      accuracy: hits / rows,
      interval: wilson(hits, rows, level),
      confidence: of.reduce((sum, b) => sum + b.f, 0) / rows,
      ece: binnedErrors(of, rows).ece,
      floor: of.reduce((sum, b) => sum + Math.sqrt((2 * Math.max(0, b.f - b.f2)) / Math.PI), 0) / rows,
    };
  });
