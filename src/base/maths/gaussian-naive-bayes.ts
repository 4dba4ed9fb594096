import type { ClassMoments } from './class-moments.ts';
import { type FeatureScale, type LinearHead, onRaw, unscaled } from './linear-head.ts';

export interface NaiveBayesOptions {
  /** ε, added to every variance of the scaled features (absolute; scikit-learn's is relative to the greatest variance). */
  readonly smoothing: number;
  /** Least variance, as a share of the mean one. */
  readonly floor: number;
}

/** Variances that the classes share, of features as they are scaled: Σ_k π_k·v_kj + ε, at least floor times their mean. */
export const sharedVariances = (
  { width, counts, squares }: ClassMoments,
  { range }: FeatureScale,
  { smoothing, floor }: NaiveBayesOptions,
): Float64Array => {
  const rows = counts.reduce((a, b) => a + b, 0);
  const out = new Float64Array(width);
  for (let at = 0; at < squares.length; at++) out[at % width] += squares[at];
  for (let j = 0; j < width; j++) out[j] = out[j] / rows / range[j] ** 2 + smoothing;
  const least = (floor * out.reduce((a, b) => a + b, 0)) / width;
  return out.map((v) => Math.max(v, least));
};

/**
 * Gaussian naive Bayes whose classes share the variances (arXiv:2302.02334): ln π_k − ½Σ(x_j − μ_kj)²/σ²_j less a term that no class
 * changes, so softmax of these scores is the exact posterior. A class without rows is never predicted.
 */
export const gaussianNaiveBayes = (
  moments: ClassMoments,
  options: NaiveBayesOptions,
  scale: FeatureScale = unscaled(moments.width),
): LinearHead => {
  const { classes, width, counts, means } = moments;
  const rows = counts.reduce((a, b) => a + b, 0);
  const variances = sharedVariances(moments, scale, options);
  const weights = new Float64Array(classes * width);
  const biases = new Float64Array(classes);
  for (let k = 0; k < classes; k++) {
    biases[k] = Math.log(counts[k] / rows);
    for (let j = 0; j < width; j++) {
      const mean = (means[k * width + j] - scale.offset[j]) / scale.range[j];
      weights[k * width + j] = mean / variances[j];
      biases[k] -= (mean * mean) / (2 * variances[j]);
    }
  }
  return onRaw({ classes, width, weights, biases }, scale);
};
