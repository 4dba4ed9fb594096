import type { Groups } from './pairs.ts';

/** Sums over the rows of one bin, for f = confidence and o = right (1) or wrong (0), and its range on the axis. */
export interface Bin {
  readonly low: number;
  readonly high: number;
  readonly n: number;
  readonly f: number;
  readonly f2: number;
  readonly o: number;
  readonly fo: number;
  /** Groups [from, to). */
  readonly from: number;
  readonly to: number;
}

/** Width bin of c: how many k in 1..m−1 satisfy k/m < c. Bins are (k/m, (k+1)/m]; 0 falls into the first. */
export const widthBinOf = (c: number, m: number): number => {
  let k = Math.min(m - 1, Math.max(0, Math.ceil(c * m) - 1));
  while (k > 0 && !(k / m < c)) k--;
  while (k < m - 1 && (k + 1) / m < c) k++;
  return k;
};

const gather = ({ c, hits, misses, sums }: Groups, from: number, to: number, low: number, high: number): Bin => {
  let [n, f, f2, o, fo] = [0, 0, 0, 0, 0];
  for (let g = from; g < to; g++) {
    const size = hits[g] + misses[g];
    n += size;
    f += sums?.f[g] ?? size * c[g];
    f2 += sums?.f2[g] ?? size * c[g] * c[g];
    o += hits[g];
    fo += sums?.fo[g] ?? hits[g] * c[g];
  }
  return { low, high, n, f, f2, o, fo, from, to };
};

/** All m equal-width bins, empty ones with n = 0. */
export const widthBins = (groups: Groups, m: number): Bin[] => {
  let from = 0;
  return Array.from({ length: m }, (_, k) => {
    let to = from;
    while (to < groups.c.length && widthBinOf(groups.c[to], m) === k) to++;
    const bin = gather(groups, from, to, k / m, (k + 1) / m);
    from = to;
    return bin;
  });
};

/**
 * Ends (exclusive group indices) of equal-mass bins: cuts at ⌊iN/m⌋, moved right to the end of a run of equal values; coinciding cuts
 * are dropped, as are those that would leave a bin fewer than `least` rows.
 */
export const massEnds = (hits: ArrayLike<number>, misses: ArrayLike<number>, n: number, m: number, least = 1): number[] => {
  const ends: number[] = [];
  let [seen, inBin, i] = [0, 0, 1];
  for (let g = 0; g < hits.length; g++) {
    const size = hits[g] + misses[g];
    if (size === 0) continue;
    seen += size;
    inBin += size;
    if (i < m && seen >= Math.floor((i * n) / m)) {
      while (i < m && seen >= Math.floor((i * n) / m)) i++;
      if (inBin >= least && n - seen >= least) {
        ends.push(g + 1);
        inBin = 0;
      }
    }
  }
  if (n > 0) ends.push(hits.length);
  return ends;
};

/** Equal-mass bins; neighbours meet half-way between the confidences on either side of the cut. */
export const massBins = (groups: Groups, m: number, least = 1): Bin[] => {
  const { c } = groups;
  const ends = massEnds(groups.hits, groups.misses, groups.n, m, least);
  const edge = (g: number): number => (g === 0 ? c[0] : g === c.length ? c[g - 1] : (c[g - 1] + c[g]) / 2);
  return ends.map((to, k) => gather(groups, k === 0 ? 0 : ends[k - 1], to, edge(k === 0 ? 0 : ends[k - 1]), edge(to)));
};
