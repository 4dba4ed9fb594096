import type { Random } from '../random.ts';

export interface Clusters {
  /** Cluster of each row. */
  readonly of: Int32Array;
  /** [k, d] */
  readonly centres: Float64Array;
  /** Mean silhouette (Rousseeuw 1987); NaN for one cluster. */
  readonly silhouette: number;
}

const distance = (a: Float64Array, i: number, b: Float64Array, j: number, d: number): number => {
  let sum = 0;
  for (let k = 0; k < d; k++) sum += (a[i * d + k] - b[j * d + k]) ** 2;
  return sum;
};

/** Lloyd's iterations from k-means++ seeds (Arthur, Vassilvitskii 2007); ties go to the lower cluster. */
export const kMeans = (rows: Float64Array, d: number, k: number, random: Random): Clusters => {
  const n = rows.length / d;
  const centres = new Float64Array(k * d);
  const nearest = new Float64Array(n).fill(Number.POSITIVE_INFINITY);
  let pick = random.below(n);
  for (let c = 0; c < k; c++) {
    centres.set(rows.subarray(pick * d, (pick + 1) * d), c * d);
    let total = 0;
    for (let i = 0; i < n; i++) {
      nearest[i] = Math.min(nearest[i], distance(rows, i, centres, c, d));
      total += nearest[i];
    }
    let u = random.next() * total;
    pick = 0;
    while (pick < n - 1 && u >= nearest[pick]) u -= nearest[pick++];
  }
  const of = new Int32Array(n);
  for (let turn = 0; turn < 100; turn++) {
    let moved = turn === 0;
    for (let i = 0; i < n; i++) {
      let best = 0;
      for (let c = 1; c < k; c++) if (distance(rows, i, centres, c, d) < distance(rows, i, centres, best, d)) best = c;
      moved ||= best !== of[i];
      of[i] = best;
    }
    if (!moved) break;
    const counts = new Float64Array(k);
    const sums = new Float64Array(k * d);
    for (let i = 0; i < n; i++) {
      counts[of[i]]++;
      for (let j = 0; j < d; j++) sums[of[i] * d + j] += rows[i * d + j];
    }
    for (let c = 0; c < k; c++) if (counts[c] > 0) for (let j = 0; j < d; j++) centres[c * d + j] = sums[c * d + j] / counts[c];
  }
  return { of, centres, silhouette: silhouetteOf(rows, d, of, k) };
};

/** Mean over rows of (b − a)/max(a, b): a the mean distance within the row's cluster, b to the nearest other; 0 for a cluster of one. */
const silhouetteOf = (rows: Float64Array, d: number, of: Int32Array, k: number): number => {
  const n = of.length;
  const counts = new Float64Array(k);
  for (const c of of) counts[c]++;
  if (counts.filter((c) => c > 0).length < 2) return Number.NaN;
  let sum = 0;
  for (let i = 0; i < n; i++) {
    if (counts[of[i]] < 2) continue;
    const means = new Float64Array(k);
    for (let j = 0; j < n; j++) if (j !== i) means[of[j]] += Math.sqrt(distance(rows, i, rows, j, d));
    const a = means[of[i]] / (counts[of[i]] - 1);
    const b = Math.min(...Array.from(means, (m, c) => (c === of[i] || counts[c] === 0 ? Number.POSITIVE_INFINITY : m / counts[c])));
    sum += Math.max(a, b) > 0 ? (b - a) / Math.max(a, b) : 0;
  }
  return sum / n;
};
