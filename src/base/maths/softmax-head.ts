import { lbfgs, type Smooth } from './lbfgs.ts';
import type { FeatureScale, LinearHead } from './linear-head.ts';
import { softmaxRegression } from './softmax-regression.ts';

/** Rows of scaled features with the class of each. */
export interface HeadRows {
  readonly classes: number;
  readonly width: number;
  /** [rows, width] */
  readonly features: Float64Array;
  readonly labels: Int32Array;
  /** How much each row counts; absent: all alike. */
  readonly weights?: Float64Array;
}

export interface SoftmaxHeadOptions {
  /** C of ½‖W‖² + C·Σ −ln p_y: the weight of the data against the pull of the weights (not of the biases) to 0. */
  readonly strength: number;
  /** Greatest entry of that objective's gradient at the end. */
  readonly tolerance: number;
  readonly iterations: number;
}

/** Rows by their places, scaled. */
export const headRows = (
  table: { readonly width: number; readonly features: Float32Array; readonly labels: Int32Array },
  classes: number,
  places: ArrayLike<number>,
  { offset, range }: FeatureScale,
): HeadRows => {
  const { width } = table;
  const features = new Float64Array(places.length * width);
  const labels = new Int32Array(places.length);
  for (let i = 0, at = 0; i < places.length; i++) {
    labels[i] = table.labels[places[i]];
    for (let j = 0, from = places[i] * width; j < width; j++) features[at++] = (table.features[from + j] - offset[j]) / range[j];
  }
  return { classes, width, features, labels };
};

/** Pull of every weight to 0: the penalty divided by C and the rows. */
const pullOf = ({ labels }: HeadRows, strength: number): number => 1 / (strength * labels.length);

/** A mean log loss and its gradient with the penalty added. */
export const pulled = (
  { value, gradient }: { readonly value: number; readonly gradient: Float64Array },
  theta: Float64Array,
  rows: HeadRows,
  strength: number,
): { readonly value: number; readonly gradient: Float64Array } => {
  const pull = pullOf(rows, strength);
  let penalty = 0;
  for (let i = 0; i < rows.classes * rows.width; i++) {
    penalty += theta[i] * theta[i];
    gradient[i] += pull * theta[i];
  }
  return { value: value + (pull / 2) * penalty, gradient };
};

/** Mean log loss of a multinomial logistic regression on features, with the pull divided by C and the rows. */
export const softmaxMean = (rows: HeadRows, strength: number): Smooth => {
  const { classes, width, features, labels, weights } = rows;
  const none = new Float64Array(classes * (width + 1));
  const { evaluate } = softmaxRegression({ classes, width, scores: features, labels, ...(weights ? { weights } : {}) }, false, {
    strength: none,
    home: none,
  });
  return (theta) => pulled(evaluate(theta), theta, rows, strength);
};

/**
 * Multinomial logistic regression by L-BFGS from 0: the objective of scikit-learn's LogisticRegression. `mean` computes the objective
 * divided by C and the rows elsewhere, given [W, b] in one array.
 */
export const softmaxHead = async (
  rows: HeadRows,
  { strength, tolerance, iterations }: SoftmaxHeadOptions,
  mean: Smooth = softmaxMean(rows, strength),
): Promise<{ readonly head: LinearHead; readonly converged: boolean }> => {
  const { classes, width, labels } = rows;
  const { at, converged } = await lbfgs(mean, new Float64Array(classes * (width + 1)), {
    tolerance: tolerance / (strength * labels.length),
    iterations,
  });
  return {
    head: { classes, width, weights: at.slice(0, classes * width), biases: at.slice(classes * width) },
    converged,
  };
};
