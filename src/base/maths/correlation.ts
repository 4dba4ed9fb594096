import { normalQuantile } from './normal.ts';

/** Pearson's correlation of two series; NaN where one is constant. */
export const pearson = (a: Float64Array, b: Float64Array): number => {
  const n = a.length;
  const mean = (x: Float64Array): number => x.reduce((sum, v) => sum + v, 0) / n;
  const [ma, mb] = [mean(a), mean(b)];
  let [aa, bb, ab] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    aa += (a[i] - ma) ** 2;
    bb += (b[i] - mb) ** 2;
    ab += (a[i] - ma) * (b[i] - mb);
  }
  return aa > 0 && bb > 0 ? Math.max(-1, Math.min(1, ab / Math.sqrt(aa * bb))) : Number.NaN;
};

/** Ranks from 1, equal values sharing the mean of theirs. */
export const averageRanks = (values: Float64Array): Float64Array => {
  const sorted = values.slice().sort();
  const rank = new Map<number, number>();
  for (let i = 0; i < sorted.length; ) {
    let j = i;
    while (j < sorted.length && sorted[j] === sorted[i]) j++;
    rank.set(sorted[i], (i + j + 1) / 2);
    i = j;
  }
  return values.map((v) => rank.get(v) ?? Number.NaN);
};

/** Spearman's rank correlation. */
export const spearman = (a: Float64Array, b: Float64Array): number => pearson(averageRanks(a), averageRanks(b));

/** Pairs of equal neighbours in a sorted series. */
const tiedPairs = (n: number, same: (i: number) => boolean): number => {
  let [pairs, run] = [0, 1];
  for (let i = 1; i <= n; i++) {
    if (i < n && same(i)) run++;
    else {
      pairs += (run * (run - 1)) / 2;
      run = 1;
    }
  }
  return pairs;
};

/** Sorts in place by merging and counts the pairs that were in the wrong order. */
const inversions = (values: Float64Array): number => {
  let from: Float64Array = values;
  let to: Float64Array = new Float64Array(values.length);
  let count = 0;
  for (let width = 1; width < values.length; width *= 2) {
    for (let at = 0; at < values.length; at += 2 * width) {
      const middle = Math.min(values.length, at + width);
      const end = Math.min(values.length, at + 2 * width);
      let [i, j] = [at, middle];
      for (let k = at; k < end; k++) {
        if (j >= end || (i < middle && from[i] <= from[j])) to[k] = from[i++];
        else {
          count += middle - i;
          to[k] = from[j++];
        }
      }
    }
    [from, to] = [to, from];
  }
  if (from !== values) values.set(from);
  return count;
};

/** Kendall's τ-b of pairs sorted by `a`, then by `b` (Knight 1966): (concordant − discordant)/√((n₀ − n₁)(n₀ − n₂)). */
export const kendall = (a: Float64Array, b: Float64Array): number => {
  const n = a.length;
  const all = (n * (n - 1)) / 2;
  const tiedA = tiedPairs(n, (i) => a[i] === a[i - 1]);
  const tiedBoth = tiedPairs(n, (i) => a[i] === a[i - 1] && b[i] === b[i - 1]);
  const sorted = b.slice();
  const discordant = inversions(sorted);
  const tiedB = tiedPairs(n, (i) => sorted[i] === sorted[i - 1]);
  return (all - tiedA - tiedB + tiedBoth - 2 * discordant) / Math.sqrt((all - tiedA) * (all - tiedB));
};

/** Interval of a correlation whose Fisher transform has this standard error; null where it is ±1 or undefined. */
export const fisherInterval = (r: number, error: number, level: number): readonly [number, number] | null => {
  if (!(Math.abs(r) < 1 && error > 0 && Number.isFinite(error))) return null;
  const half = normalQuantile((1 + level) / 2) * error;
  return [Math.tanh(Math.atanh(r) - half), Math.tanh(Math.atanh(r) + half)];
};
