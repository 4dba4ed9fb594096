import { widthBinOf } from './bins.ts';
import type { Groups, Walk } from './pairs.ts';
import type { Along } from './ranks.ts';

/** Up to this many rows draws are taken row by row; above, on counts in at least `CELLS` fine cells. */
export const ROW_DRAWS = 20_000;
export const CELLS = 2_048;

/**
 * Neighbouring runs joined into cells of about n/`count` rows that never cross an edge of either binning, each with its mean confidence
 * and exact sums: bins are exact, and within a cell confidences differ so little that its hits are binomial.
 */
export const cellsAlong = (n: number, bins: number, count: number = CELLS): Along<Groups> => {
  const c: number[] = [];
  const hits: number[] = [];
  const misses: number[] = [];
  const sums = { f: [] as number[], f2: [] as number[], fo: [] as number[] };
  let [seen, bin, i, j] = [0, 0, 1, 1];
  let [right, wrong, f, f2, fo, low, high] = [0, 0, 0, 0, 0, 0, 0];
  const close = (): void => {
    if (right + wrong === 0) return;
    c.push(Math.min(high, Math.max(low, f / (right + wrong))));
    hits.push(right);
    misses.push(wrong);
    sums.f.push(f);
    sums.f2.push(f2);
    sums.fo.push(fo);
    [right, wrong, f, f2, fo] = [0, 0, 0, 0, 0];
  };
  return {
    visit(value, h, m) {
      const k = widthBinOf(value, bins);
      if (k !== bin) close();
      bin = k;
      if (right + wrong === 0) low = value;
      high = value;
      const size = h + m;
      seen += size;
      right += h;
      wrong += m;
      f += size * value;
      f2 += size * value * value;
      fo += h * value;
      const [full, cut] = [seen >= Math.floor((i * n) / count), seen >= Math.floor((j * n) / bins)];
      while (i <= count && seen >= Math.floor((i * n) / count)) i++;
      while (j <= bins && seen >= Math.floor((j * n) / bins)) j++;
      if (full || cut) close();
    },
    value() {
      close();
      return {
        c: Float64Array.from(c),
        hits: Int32Array.from(hits),
        misses: Int32Array.from(misses),
        n,
        sums: { f: Float64Array.from(sums.f), f2: Float64Array.from(sums.f2), fo: Float64Array.from(sums.fo) },
      };
    },
  };
};

export const cells = (walk: Walk, n: number, bins: number, count: number = CELLS): Groups => {
  const joined = cellsAlong(n, bins, count);
  walk(joined.visit);
  return joined.value();
};

/** Adds counts of runs up to counts of the cells made from them. */
export const intoCells = (runs: Groups, joined: Groups): ((counts: Int32Array) => Int32Array) => {
  const cellOf = new Int32Array(runs.c.length);
  let [cell, left] = [0, joined.c.length > 0 ? joined.hits[0] + joined.misses[0] : 0];
  for (let g = 0; g < cellOf.length; g++) {
    if (left === 0) left = joined.hits[++cell] + joined.misses[cell];
    cellOf[g] = cell;
    left -= runs.hits[g] + runs.misses[g];
  }
  return (counts) => {
    const out = new Int32Array(joined.c.length);
    for (let g = 0; g < cellOf.length; g++) out[cellOf[g]] += counts[g];
    return out;
  };
};
