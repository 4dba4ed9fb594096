import { quantile } from './quantile.ts';

/** Index of the first entry above `value` in ascending `sorted`. */
const after = (sorted: Float64Array, value: number): number => {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const mid = (low + high) >> 1;
    if (sorted[mid] <= value) low = mid + 1;
    else high = mid;
  }
  return low;
};

/**
 * k-means of ascending values: centres start at the quantiles (i + ½)/k and move by Lloyd's passes, whose clusters end at midpoints
 * between centres. Gives the end (exclusive) of each cluster; empty ones keep their centre.
 */
export const sortedClusters = (sorted: Float64Array, k: number, passes = 25): Int32Array => {
  const sums = new Float64Array(sorted.length + 1);
  for (let i = 0; i < sorted.length; i++) sums[i + 1] = sums[i] + sorted[i];
  const centres = Float64Array.from({ length: k }, (_, i) => quantile(sorted, (i + 0.5) / k));
  const ends = new Int32Array(k);
  for (let pass = 0; pass <= passes; pass++) {
    for (let c = 0; c < k; c++) ends[c] = c === k - 1 ? sorted.length : after(sorted, (centres[c] + centres[c + 1]) / 2);
    if (pass === passes) break;
    let moved = false;
    for (let c = 0; c < k; c++) {
      const from = c === 0 ? 0 : ends[c - 1];
      if (ends[c] === from) continue;
      const centre = (sums[ends[c]] - sums[from]) / (ends[c] - from);
      moved ||= centre !== centres[c];
      centres[c] = centre;
    }
    if (!moved) break;
  }
  return ends;
};
