import { type Adaptive, knotsOf, logOfMixture, type Mixture, type Monotone, monotoneAt, temperatureAt } from './calibration-forms.ts';
import { argmax } from './maths/argmax.ts';
import { sigmoid } from './maths/logistic.ts';
import { softmaxInPlace } from './maths/softmax-regression.ts';

/** Least probability whose logarithm is taken where logits are rebuilt from probabilities (card 00-calibration-common). */
export const LEAST = 1e-25;

/**
 * What a fitted calibrator does to a row of C logits z, with p = softmax(z), as plain data.
 * - affine: softmax(Wz + b); W is one number, C of them (its diagonal) or C² (row-major).
 * - sigmoid: q_j = σ(a_j·ln p_j − b_j·ln(1−p_j) + c_j).
 * - pieces: q_j = y + slope·(p_j − x) with the piece that follows the last edge below p_j; `edges` has one entry less than the others.
 * - mixture, monotone and adaptive: see calibration-forms.ts. They keep every prediction.
 * Sigmoid and pieces are one-vs-rest: (q_j + ε)/Σ(q_k + ε) with ε = 1e-25, so q = 0 everywhere means equal probabilities. With two classes
 * they hold one curve, of class 1, and q_0 = 1 − q_1.
 */
export type Calibration = Softmaxed | OneVsRest;

/** A softmax of changed logits, or a mean of several. */
type Softmaxed = { readonly kind: 'affine'; readonly weights: Float64Array; readonly biases: Float64Array } | Mixture | Monotone | Adaptive;
export type OneVsRest =
  | { readonly kind: 'sigmoid'; readonly a: Float64Array; readonly b: Float64Array; readonly c: Float64Array }
  | { readonly kind: 'pieces'; readonly curves: readonly Pieces[] };

export interface Pieces {
  readonly edges: Float64Array;
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly slope: Float64Array;
}

/** ln of a probability, bounded. */
export const logOf = (p: number): number => Math.log(Math.max(p, LEAST));

const lookUp = ({ edges, x, y, slope }: Pieces, p: number): number => {
  let [low, high] = [0, edges.length];
  while (low < high) {
    const mid = (low + high) >> 1;
    if (edges[mid] < p) low = mid + 1;
    else high = mid;
  }
  return y[low] + slope[low] * (p - x[low]);
};

/** 1 − p_j; of the largest, whose complement would lose its digits, as the sum of the others. */
export const othersOf = (p: Float64Array, j: number, largest: number): number => {
  if (j !== largest) return 1 - p[j];
  let sum = 0;
  for (let k = 0; k < p.length; k++) if (k !== j) sum += p[k];
  return sum;
};

/** Value of class j's curve at p_j. */
export const curveAt = (calibration: OneVsRest, j: number, p: number, others: number): number => {
  if (calibration.kind === 'pieces') return lookUp(calibration.curves[j], p);
  return sigmoid(calibration.a[j] * logOf(p) - calibration.b[j] * logOf(others) + calibration.c[j]);
};

/** Changes a row of logits into logits of the new probabilities, in place. */
const changed = (calibration: Softmaxed, classes: number, features: Float64Array | undefined): ((z: Float64Array, row: number) => void) => {
  switch (calibration.kind) {
    case 'affine': {
      const { weights, biases } = calibration;
      const u = new Float64Array(classes);
      const full = weights.length === classes * classes && classes > 1;
      return (z) => {
        for (let j = 0; j < classes; j++) {
          u[j] = biases[j];
          if (full) for (let k = 0; k < classes; k++) u[j] += weights[j * classes + k] * z[k];
          else u[j] += weights[weights.length === 1 ? 0 : j] * z[j];
        }
        z.set(u);
      };
    }
    case 'mixture':
      return (z) => {
        normalise(z);
        logOfMixture(calibration, z);
      };
    case 'monotone': {
      const knots = knotsOf(calibration);
      return (z) => {
        normalise(z);
        for (let j = 0; j < classes; j++) z[j] = -monotoneAt(calibration, knots, -z[j]);
      };
    }
    case 'adaptive': {
      const width = calibration.weights.length / calibration.biases.length;
      return (z, row) => {
        if (!features) throw new RangeError('an adaptive calibration needs features');
        const tau = temperatureAt(calibration, features, row * width);
        for (let j = 0; j < classes; j++) z[j] /= tau;
      };
    }
  }
};

/** Logits as log-probabilities, in place. */
const normalise = (z: Float64Array): void => {
  const whole = softmaxInPlace(z.slice());
  for (let j = 0; j < z.length; j++) z[j] = Math.min(0, z[j] - whole);
};

/** Calibrated probabilities of `rows` rows of logits from row `from` on, with their logarithms; `features` are of all rows. */
export const calibrate = (
  calibration: Calibration,
  logits: Float32Array | Float64Array,
  classes: number,
  from: number,
  rows: number,
  features?: Float64Array,
): { readonly probs: Float64Array; readonly logProbs: Float64Array } => {
  const probs = new Float64Array(rows * classes);
  const logProbs = new Float64Array(rows * classes);
  const u = new Float64Array(classes);
  const z = new Float64Array(classes);
  const curves = calibration.kind === 'sigmoid' || calibration.kind === 'pieces' ? calibration : undefined;
  const change = calibration.kind === 'sigmoid' || calibration.kind === 'pieces' ? undefined : changed(calibration, classes, features);
  for (let i = 0; i < rows; i++) {
    const at = (from + i) * classes;
    const to = i * classes;
    for (let j = 0; j < classes; j++) z[j] = logits[at + j];
    if (change) {
      change(z, from + i);
      logProbs.set(z, to);
      const whole = softmaxInPlace(z);
      probs.set(z, to);
      for (let j = 0; j < classes; j++) logProbs[to + j] -= whole;
    } else if (curves) {
      oneVsRest(curves, z, u);
      for (let j = 0; j < classes; j++) {
        probs[to + j] = u[j];
        logProbs[to + j] = Math.log(u[j]);
      }
    }
  }
  return { probs, logProbs };
};

/** New probabilities `u` of a row of logits `z`, which is spoilt. */
const oneVsRest = (calibration: OneVsRest, z: Float64Array, u: Float64Array): void => {
  const classes = z.length;
  softmaxInPlace(z);
  if (classes === 2) {
    u[1] = curveAt(calibration, 0, z[1], z[0]);
    u[0] = 1 - u[1];
  } else for (let j = 0, most = argmax(z, 0, classes); j < classes; j++) u[j] = curveAt(calibration, j, z[j], othersOf(z, j, most));
  let sum = 0;
  for (let j = 0; j < classes; j++) sum += u[j] + LEAST;
  for (let j = 0; j < classes; j++) u[j] = (u[j] + LEAST) / sum;
};
