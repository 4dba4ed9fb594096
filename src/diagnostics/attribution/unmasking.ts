import { imageAxes, pixelAt } from '../../base/image.ts';
import { sizeOf } from '../../base/tensor.ts';

/** Places of a row that are kept or filled as one: every value, or the channels of a pixel together. */
export interface Places {
  readonly count: number;
  /** Place of each value of a row. */
  readonly of: Int32Array;
}
export const placesOf = (dims: readonly number[], granularity: 'element' | 'pixel'): Places => {
  const d = sizeOf(dims);
  const axes = granularity === 'pixel' ? imageAxes(dims) : undefined;
  if (!axes) return { count: d, of: Int32Array.from({ length: d }, (_, k) => k) };
  const of = new Int32Array(d);
  for (let c = 0; c < axes.channels; c++)
    for (let y = 0; y < axes.height; y++) for (let x = 0; x < axes.width; x++) of[pixelAt(axes, c, y, x)] = y * axes.width + x;
  return { count: axes.height * axes.width, of };
};

/** Rank of every place in a row, 0 for the largest |a|; ties go to the lower index. */
export type Ranks = Uint16Array | Uint32Array;

export const newRanks = (rows: number, places: number): Ranks =>
  places <= 65536 ? new Uint16Array(rows * places) : new Uint32Array(rows * places);

/** Ranks of one row by the size of its values, written from `at` on: of places, Σ|a| over their values. */
export const rankInto = (ranks: Ranks, at: number, values: ArrayLike<number>, from: number, { count, of }: Places): void => {
  const size = new Float64Array(count);
  for (let k = 0; k < of.length; k++) size[of[k]] += Math.abs(values[from + k]);
  const order = Uint32Array.from({ length: count }, (_, i) => i).sort((a, b) => size[b] - size[a] || a - b);
  order.forEach((place, rank) => {
    ranks[at + place] = rank;
  });
};

export type Side = 'top' | 'bottom';
/** Places kept at a level: round(k·d). */
export const keptAt = (level: number, places: number): number => Math.round((level / 100) * places);

const isKept = (rank: number, side: Side, kept: number, places: number): boolean => (side === 'top' ? rank < kept : rank >= places - kept);

/** Rows with all but the `kept` first (last) ranked places filled (Shah et al. 2021, section 3). */
export const unmasked = (x: Float32Array, ranks: Ranks, places: Places, side: Side, kept: number, fill: Float32Array): Float32Array => {
  const d = places.of.length;
  return x.map((v, i) => {
    const k = i % d;
    return isKept(ranks[((i - k) / d) * places.count + places.of[k]], side, kept, places.count) ? v : fill[k];
  });
};

/** Which values are kept: 1, and 0 for the others. */
export const maskOf = (ranks: Ranks, places: Places, side: Side, kept: number): Float32Array => {
  const d = places.of.length;
  return Float32Array.from({ length: (ranks.length / places.count) * d }, (_, i) => {
    const k = i % d;
    return Number(isKept(ranks[((i - k) / d) * places.count + places.of[k]], side, kept, places.count));
  });
};

/** What stands for a value that is hidden: zero, or its mean over the training rows, per channel of pictures. */
export const fillOf = (x: Float32Array, dims: readonly number[], kind: 'mean' | 'zero'): Float32Array => {
  const d = sizeOf(dims);
  const out = new Float32Array(d);
  if (kind === 'zero') return out;
  const sums = new Float64Array(d);
  for (let i = 0; i < x.length; i++) sums[i % d] += x[i];
  const axes = imageAxes(dims);
  const rows = x.length / d;
  if (!axes) return out.map((_, k) => sums[k] / rows);
  for (let c = 0; c < axes.channels; c++) {
    const members: number[] = [];
    for (let y = 0; y < axes.height; y++) for (let w = 0; w < axes.width; w++) members.push(pixelAt(axes, c, y, w));
    const mean = members.reduce((sum, k) => sum + sums[k], 0) / (rows * members.length);
    for (const k of members) out[k] = mean;
  }
  return out;
};
