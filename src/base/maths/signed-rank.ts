import { normalCdf } from './normal.ts';

export interface SignedRank {
  /** Differences that are not zero. */
  readonly n: number;
  /** Sum of the ranks of positive differences. */
  readonly positive: number;
  /** Two-sided; 1 where all differences are zero. */
  readonly p: number;
  readonly exact: boolean;
}

/** Differences up to which, without ties, the null distribution is counted out. */
const mostExact = 25;

/** P(W ≤ w) of the sum of ranks 1..n that fair coins choose: counts by the recurrence over ranks. */
const exactBelow = (n: number, w: number): number => {
  const counts = new Float64Array((n * (n + 1)) / 2 + 1);
  counts[0] = 1;
  for (let rank = 1, most = 0; rank <= n; rank++) {
    most += rank;
    for (let s = most; s >= rank; s--) counts[s] += counts[s - rank];
  }
  let sum = 0;
  for (let s = 0; s <= w; s++) sum += counts[s];
  return sum / 2 ** n;
};

/** Wilcoxon's signed-rank test (1945): zeros dropped, mid-ranks at ties, normal approximation with the correction for ties where not exact. */
export const signedRank = (differences: ArrayLike<number>): SignedRank => {
  const some = Array.from(differences).filter((d) => d !== 0);
  const n = some.length;
  if (n === 0) return { n, positive: 0, p: 1, exact: true };
  const order = some.toSorted((a, b) => Math.abs(a) - Math.abs(b));
  let [positive, ties] = [0, 0];
  for (let i = 0; i < n; ) {
    let end = i + 1;
    while (end < n && Math.abs(order[end]) === Math.abs(order[i])) end++;
    const size = end - i;
    ties += size ** 3 - size;
    for (let k = i; k < end; k++) if (order[k] > 0) positive += (i + 1 + end) / 2;
    i = end;
  }
  const total = (n * (n + 1)) / 2;
  const least = Math.min(positive, total - positive);
  const exact = n <= mostExact && ties === 0;
  if (exact) return { n, positive, p: Math.min(1, 2 * exactBelow(n, least)), exact };
  const variance = (n * (n + 1) * (2 * n + 1)) / 24 - ties / 48;
  return { n, positive, p: Math.min(1, 2 * normalCdf((least - total / 2) / Math.sqrt(variance))), exact };
};
