import { softmaxInPlace } from './maths/softmax-regression.ts';

/** Σ_t w_t·softmax(β_t·ln p): weights sum to 1. */
export interface Mixture {
  readonly kind: 'mixture';
  readonly scales: Float64Array;
  readonly weights: Float64Array;
}

/** softmax(−m(−ln p)) with m piecewise linear from m(0) = 0: slopes ≥ 0 over steps of `width`, the last one going on. */
export interface Monotone {
  readonly kind: 'monotone';
  readonly width: number;
  readonly slopes: Float64Array;
}

/** softmax(z/τ) with τ = clamp(out·relu(W f + b) + c, low, high) of the row's features f; W is [hidden, features]. */
export interface Adaptive {
  readonly kind: 'adaptive';
  readonly weights: Float64Array;
  readonly biases: Float64Array;
  readonly out: Float64Array;
  readonly offset: number;
  readonly low: number;
  readonly high: number;
}

/** m at the lower end of every step. */
export const knotsOf = ({ width, slopes }: Pick<Monotone, 'width' | 'slopes'>): Float64Array => {
  const at = new Float64Array(slopes.length);
  for (let k = 1; k < slopes.length; k++) at[k] = at[k - 1] + width * slopes[k - 1];
  return at;
};

/** m(u), with the knots of the same curve. */
export const monotoneAt = ({ width, slopes }: Pick<Monotone, 'width' | 'slopes'>, knots: Float64Array, u: number): number => {
  const k = Math.min(slopes.length - 1, Math.floor(u / width));
  return knots[k] + (u - k * width) * slopes[k];
};

/** τ of one row, whose features begin at `at`. */
export const temperatureAt = ({ weights, biases, out, offset, low, high }: Adaptive, features: Float64Array, at: number): number => {
  const hidden = biases.length;
  const width = weights.length / hidden;
  let sum = offset;
  for (let h = 0; h < hidden; h++) {
    let s = biases[h];
    for (let k = 0; k < width; k++) s += weights[h * width + k] * features[at + k];
    if (s > 0) sum += out[h] * s;
  }
  return Math.min(high, Math.max(low, sum));
};

/** ln of a row's new probabilities, from its log-probabilities, in place. */
export const logOfMixture = ({ scales, weights }: Mixture, logProbs: Float64Array): void => {
  const sum = new Float64Array(logProbs.length);
  const part = new Float64Array(logProbs.length);
  for (let t = 0; t < scales.length; t++) {
    for (let j = 0; j < part.length; j++) part[j] = scales[t] * logProbs[j];
    softmaxInPlace(part);
    for (let j = 0; j < part.length; j++) sum[j] += weights[t] * part[j];
  }
  for (let j = 0; j < sum.length; j++) logProbs[j] = Math.log(sum[j]);
};
