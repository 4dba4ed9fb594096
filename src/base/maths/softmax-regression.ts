import type { Convex } from './newton-cg.ts';

/** Rows of scores with the class of each: [rows, classes] row-major, or [rows, width] where they are features. */
export interface ScoredRows {
  readonly classes: number;
  readonly width?: number;
  readonly scores: Float32Array | Float64Array;
  readonly labels: Int32Array;
  /** How much each row counts in the mean; absent: all alike. */
  readonly weights?: Float64Array;
}

/** Softmax of `values` in place; returns log Σ exp. */
export const softmaxInPlace = (values: Float64Array): number => {
  let most = Number.NEGATIVE_INFINITY;
  for (let j = 0; j < values.length; j++) if (values[j] > most) most = values[j];
  let sum = 0;
  for (let j = 0; j < values.length; j++) {
    values[j] = Math.exp(values[j] - most);
    sum += values[j];
  }
  for (let j = 0; j < values.length; j++) values[j] /= sum;
  return most + Math.log(sum);
};

/** Penalty ½·Σ pull·(θ − home)², entry by entry. */
export interface Pull {
  readonly strength: Float64Array;
  readonly home: Float64Array;
}

/**
 * Mean log loss of softmax(Wz + b) plus a penalty, as a function of (W, b): W is one weight per class (`diagonal`), else a full
 * matrix [classes, width], row-major.
 */
export const softmaxRegression = (
  { classes: c, width: d = c, scores, labels, weights: given }: ScoredRows,
  diagonal: boolean,
  pull: Pull,
): Convex => {
  const rows = labels.length;
  const total = given ? given.reduce((a, b) => a + b, 0) : rows;
  const shareOf = (i: number): number => (given ? given[i] : 1) / total;
  const weights = diagonal ? c : c * d;
  const probs = new Float64Array(rows * c);
  const u = new Float64Array(c);
  const map = (theta: Float64Array, at: number): void => {
    for (let j = 0; j < c; j++) {
      let sum = theta[weights + j];
      if (diagonal) sum += theta[j] * scores[at + j];
      else for (let k = 0; k < d; k++) sum += theta[j * d + k] * scores[at + k];
      u[j] = sum;
    }
  };
  const gather = (out: Float64Array, at: number, share: number): void => {
    for (let j = 0; j < c; j++) {
      const r = u[j] * share;
      out[weights + j] += r;
      if (diagonal) out[j] += r * scores[at + j];
      else for (let k = 0; k < d; k++) out[j * d + k] += r * scores[at + k];
    }
  };
  return {
    evaluate(theta) {
      let value = 0;
      const gradient = new Float64Array(theta.length);
      for (let i = 0, at = 0; i < rows; i++, at += d) {
        map(theta, at);
        const own = u[labels[i]];
        value += (softmaxInPlace(u) - own) * shareOf(i);
        for (let j = 0; j < c; j++) probs[i * c + j] = u[j];
        u[labels[i]]--;
        gather(gradient, at, shareOf(i));
      }
      for (let k = 0; k < theta.length; k++) {
        const off = theta[k] - pull.home[k];
        value += (pull.strength[k] / 2) * off * off;
        gradient[k] += pull.strength[k] * off;
      }
      return { value, gradient };
    },
    times(v) {
      const out = new Float64Array(v.length);
      for (let i = 0, at = 0; i < rows; i++, at += d) {
        map(v, at);
        let mean = 0;
        for (let j = 0; j < c; j++) mean += probs[i * c + j] * u[j];
        for (let j = 0; j < c; j++) u[j] = probs[i * c + j] * (u[j] - mean);
        gather(out, at, shareOf(i));
      }
      for (let k = 0; k < v.length; k++) out[k] += pull.strength[k] * v[k];
      return out;
    },
  };
};
