import type { Calibration } from '../../base/calibration.ts';
import { newtonCg } from '../../base/maths/newton-cg.ts';
import { type ScoredRows, softmaxRegression } from '../../base/maths/softmax-regression.ts';
import { type FittedRecalibrator, mustErr } from './recalibration-define.ts';

/** (W, b) joined; no change where no fit is near. */
const startOf = (weights: Float64Array, classes: number, near: Calibration | undefined): Float64Array => {
  const theta = new Float64Array(weights.length + classes);
  theta.set(near?.kind === 'affine' && near.weights.length === weights.length ? near.weights : weights);
  if (near?.kind === 'affine' && near.weights.length === weights.length) theta.set(near.biases, weights.length);
  return theta;
};

const fit = (
  rows: ScoredRows,
  identity: Float64Array,
  strength: (k: number) => number,
  near: Calibration | undefined,
): { readonly weights: Float64Array; readonly biases: Float64Array } => {
  const none = startOf(identity, rows.classes, undefined);
  const pull = { home: none, strength: Float64Array.from(none, (_, k) => strength(k)) };
  const theta = newtonCg(softmaxRegression(rows, identity.length === rows.classes, pull), startOf(identity, rows.classes, near));
  return { weights: theta.slice(0, identity.length), biases: theta.slice(identity.length) };
};

/**
 * Guo et al. 2017: softmax(w ⊙ z + b), log loss + l2·(‖w − 1‖² + ‖b‖²). Biases that nothing pulls are shifted to sum to 0, which
 * changes no probability.
 */
export const vector: FittedRecalibrator = {
  id: 'vector',
  title: 'Vector scaling',
  source: 'arXiv:1706.04599',
  fit(rows, { l2 }, near) {
    mustErr(rows, 'Vector scaling');
    const { weights, biases } = fit(rows, new Float64Array(rows.classes).fill(1), () => 2 * l2, near);
    const mean = l2 > 0 ? 0 : biases.reduce((sum, b) => sum + b, 0) / rows.classes;
    return { kind: 'affine', weights, biases: biases.map((b) => b - mean) };
  },
};

/**
 * Kull et al. 2019: softmax(Wz + b) with off-diagonal and intercept regularisation (ODIR), log loss + λ·Σ_{i≠j} W²/(C(C−1)) +
 * λ·Σ b²/C.
 */
export const matrix: FittedRecalibrator = {
  id: 'matrix',
  title: 'Matrix scaling',
  source: 'arXiv:1910.12656',
  fit(rows, { odir }, near) {
    mustErr(rows, 'Matrix scaling');
    const c = rows.classes;
    const identity = Float64Array.from({ length: c * c }, (_, k) => Number(k % (c + 1) === 0));
    const strength = (k: number): number => (k >= c * c ? (2 * odir) / c : k % (c + 1) === 0 ? 0 : (2 * odir) / (c * (c - 1)));
    return { kind: 'affine', ...fit(rows, identity, strength, near) };
  },
};
