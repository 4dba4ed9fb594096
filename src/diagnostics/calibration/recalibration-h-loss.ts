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
  // Of every event in order: probability, difference from the outcome, and label of its row.
  const [sorted, off, own] = [new Float64Array(order.length), new Float64Array(order.length), new Int32Array(order.length)];
  for (let k = 0; k < order.length; k++) {
    const at = order[k];
    const row = Math.floor(at / classes);
    own[k] = labels[row];
    sorted[k] = probs[at];
    off[k] = probs[at] - Number(at - row * classes === labels[row]);
  }
  const gradient = new Float64Array(probs.length);
  const perClass = new Float64Array(leftOut.length);
  const kept = new Uint32Array(order.length);
  const [q, d] = [new Float64Array(order.length), new Float64Array(order.length)];
  const sums = new Float64Array(order.length + 1);
  const half = window >> 1;
  const scale = 1 / ((window + 1) * leftOut.length);
  for (const [which, e] of leftOut.entries()) {
    let n = 0;
    for (let k = 0; k < order.length; k++) {
      if (own[k] === e) continue;
      kept[n] = order[k];
      q[n] = sorted[k];
      d[n++] = off[k];
    }
    const t = windowMeans(d.subarray(0, n), window);
    let loss = 0;
    for (const { from, to, weight } of clusters === 0 ? [{ from: 0, to: n, weight: 1 / n }] : clustersOf(q.subarray(0, n), clusters))
      for (let k = from; k < to; k++) {
        const h = Math.abs(t[k]) - epsilon;
        if (h > 0) loss += weight * h;
        sums[k + 1] = sums[k] + (h > 0 ? Math.sign(t[k]) * weight : 0);
      }
    perClass[which] = loss;
    for (let k = 0; k < n; k++) gradient[kept[k]] += scale * (sums[Math.min(n, k + half + 1)] - sums[Math.max(0, k - half)]);
  }
  return { value: perClass.reduce((sum, v) => sum + v, 0) / leftOut.length, perClass, gradient };
};

/** Clusters of ascending probabilities; an event of cluster κ weighs 1/(K·(n_κ + 1e-5)). */
const clustersOf = (
  sorted: Float64Array,
  count: number,
): readonly { readonly from: number; readonly to: number; readonly weight: number }[] => {
  const ends = sortedClusters(sorted, count);
  return Array.from(ends, (to, c) => {
    const from = c === 0 ? 0 : ends[c - 1];
    return { from, to, weight: 1 / (count * (to - from + 1e-5)) };
  });
};
