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

/** Mean log loss of a multinomial logistic regression on features, with the pull divided by C and the rows. */
const objective = ({ classes, width, features, labels, weights }: HeadRows, strength: number): Smooth => {
  const size = classes * (width + 1);
  const pull = new Float64Array(size).fill(1 / (strength * labels.length), 0, classes * width);
  const { evaluate } = softmaxRegression({ classes, width, scores: features, labels, ...(weights ? { weights } : {}) }, false, {
    strength: pull,
    home: new Float64Array(size),
  });
  return evaluate;
};

/**
 * Multinomial logistic regression by L-BFGS from 0: the objective of scikit-learn's LogisticRegression. `mean` computes the objective
 * divided by C and the rows elsewhere, given [W, b] in one array.
 */
export const softmaxHead = async (
  rows: HeadRows,
  { strength, tolerance, iterations }: SoftmaxHeadOptions,
  mean: Smooth = objective(rows, strength),
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
