import { sortedClusters } from '../../base/maths/sorted-clusters.ts';
import { type Events, orderOf, windowMeans } from './local-errors.ts';

export interface WindowOptions {
  /** Even number of neighbours that an average takes in. */
  readonly window: number;
  readonly epsilon: number;
  /** 0: every event weighs the same; else events weigh by one over the size of their cluster of probability. */
  readonly clusters: number;
}

/** The loss of each class left out, their mean, and its derivative by every probability. */
export interface WindowLoss {
  readonly value: number;
  readonly perClass: Float64Array;
  readonly gradient: Float64Array;
}

/**
 * Huang et al. 2025 (h-calibration): for each class e the events of rows of other classes are sorted by probability; |T_k| − ε, where
 * positive, of their windows is averaged within clusters of probability and then over clusters ('cluace'). Without a class left out
 * all d would sum to 0. The order is constant for the derivative.
 */
export const windowLoss = (
  { classes, probs, labels }: Events,
  { window, epsilon, clusters }: WindowOptions,
  leftOut: readonly number[],
): WindowLoss => {
  const order = orderOf(probs);
  const gradient = new Float64Array(probs.length);
  const perClass = new Float64Array(leftOut.length);
  const kept = new Uint32Array(probs.length);
  const half = window >> 1;
  for (const [which, e] of leftOut.entries()) {
    let n = 0;
    for (const at of order) if (labels[Math.floor(at / classes)] !== e) kept[n++] = at;
    const d = new Float64Array(n);
    for (let k = 0; k < n; k++) {
      const at = kept[k];
      d[k] = probs[at] - Number(at % classes === labels[Math.floor(at / classes)]);
    }
    const t = windowMeans(d, window);
    const weigh = weightsOf(kept.subarray(0, n), probs, clusters);
    const sums = new Float64Array(n + 1);
    let loss = 0;
    for (let k = 0; k < n; k++) {
      const h = Math.abs(t[k]) - epsilon;
      const w = weigh(k);
      if (h > 0) loss += w * h;
      sums[k + 1] = sums[k] + (h > 0 ? Math.sign(t[k]) * w : 0);
    }
    perClass[which] = loss;
    const scale = 1 / ((window + 1) * leftOut.length);
    for (let k = 0; k < n; k++) gradient[kept[k]] += scale * (sums[Math.min(n, k + half + 1)] - sums[Math.max(0, k - half)]);
  }
  return { value: perClass.reduce((sum, v) => sum + v, 0) / leftOut.length, perClass, gradient };
};

/** Weight of the k-th event: 1/n, or 1/(K·(n_κ + 1e-5)) in cluster κ. */
const weightsOf = (kept: Uint32Array, probs: Float64Array, clusters: number): ((k: number) => number) => {
  const n = kept.length;
  if (clusters === 0) return () => 1 / n;
  const ends = sortedClusters(
    Float64Array.from(kept, (at) => probs[at]),
    clusters,
  );
  const weights = Float64Array.from(ends, (end, c) => 1 / (clusters * (end - (c === 0 ? 0 : ends[c - 1]) + 1e-5)));
  let c = 0;
  return (k) => {
    while (c < clusters - 1 && k >= ends[c]) c++;
    return weights[c];
  };
};
