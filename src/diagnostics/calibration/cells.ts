import { massEnds, widthBinOf } from './bins.ts';
import type { Groups } from './pairs.ts';

/** Up to this many rows draws are taken row by row; above, on counts in at least `CELLS` fine cells. */
export const ROW_DRAWS = 20_000;
export const CELLS = 2_048;

/**
 * Neighbouring runs joined into cells of about N/CELLS rows that never cross an edge of either binning, each with its mean confidence:
 * what draws need of a large data set. Within a cell confidences differ so little that its hits are binomial.
 */
export const cells = (runs: Groups, bins: number): Groups => {
  const edges = new Set(massEnds(runs.hits, runs.misses, runs.n, bins));
  const c: number[] = [];
  const hits: number[] = [];
  const misses: number[] = [];
  let [seen, from, i, sum, right, wrong] = [0, 0, 1, 0, 0, 0];
  for (let g = 0; g < runs.c.length; g++) {
    const size = runs.hits[g] + runs.misses[g];
    seen += size;
    sum += size * runs.c[g];
    right += runs.hits[g];
    wrong += runs.misses[g];
    const last = g + 1 === runs.c.length;
    const full = seen >= Math.floor((i * runs.n) / CELLS);
    if (!(last || full || edges.has(g + 1) || widthBinOf(runs.c[g], bins) !== widthBinOf(runs.c[g + 1], bins))) continue;
    while (seen >= Math.floor((i * runs.n) / CELLS) && i <= CELLS) i++;
    c.push(Math.min(runs.c[g], Math.max(runs.c[from], sum / (right + wrong))));
    hits.push(right);
    misses.push(wrong);
    [from, sum, right, wrong] = [g + 1, 0, 0, 0];
  }
  return { c: Float64Array.from(c), hits: Int32Array.from(hits), misses: Int32Array.from(misses), n: runs.n };
};
