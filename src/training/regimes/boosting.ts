import { Fault } from '../../base/fault.ts';

/**
 * What is boosted: a value by ½(y − F)²; two classes, s = ±1, by log(1 + e^{−2sF}), one score F a row; or K classes by softmax
 * cross-entropy, K scores a row. Labels are class numbers, or the value.
 */
export interface Boosted {
  readonly task: 'value' | 'binary' | 'classes';
  readonly labels: ArrayLike<number>;
  /** Scores of a row: K, or 1. */
  readonly width: number;
}

const sign = (label: number): number => (label > 0 ? 1 : -1);
/** log(1 + e^z) without overflow. */
const softplus = (z: number): number => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));

/** Scores before the first step. `prior` begins K classes at the logarithms of their shares rather than at 0, as the reference does. */
export const firstScores = ({ task, labels, width }: Boosted, prior: boolean): Float64Array => {
  const n = labels.length;
  const counts = new Float64Array(Math.max(2, width));
  if (task !== 'value') for (let i = 0; i < n; i++) counts[labels[i]]++;
  const seen = counts.filter((c) => c > 0).length;
  if (task !== 'value' && seen < 2)
    throw new Fault('training/regime', { regime: 'boosted-head', reason: 'needs training rows of two classes; there is one' });
  if (task === 'value') return Float64Array.of(Array.from(labels).reduce((a, b) => a + b, 0) / n);
  if (task === 'binary') {
    const mean = (counts[1] - counts[0]) / n;
    return Float64Array.of(0.5 * Math.log((1 + mean) / (1 - mean)));
  }
  if (!prior) return new Float64Array(width);
  const absent = counts.indexOf(0);
  if (absent >= 0)
    throw new Fault('training/regime', {
      regime: 'boosted-head',
      reason: `with init 'prior' needs a row of every class; class ${absent} has none`,
    });
  return counts.map((c) => Math.log(c / n));
};

const probsOf = (row: Float64Array): Float64Array => {
  const most = row.reduce((a, b) => Math.max(a, b));
  const shares = row.map((z) => Math.exp(z - most));
  const total = shares.reduce((a, b) => a + b, 0);
  return shares.map((s) => s / total);
};
const rowOf = (all: Float64Array, i: number, width: number): Float64Array => all.subarray(i * width, (i + 1) * width);

/** r = −∂ℓ/∂F: y − F, 2s/(1 + e^{2sF}), or onehot(y) − softmax(F). */
export const residuals = ({ task, labels, width }: Boosted, scores: Float64Array): Float64Array => {
  const out = new Float64Array(scores.length);
  for (let i = 0; i < labels.length; i++) {
    if (task === 'value') out[i] = labels[i] - scores[i];
    else if (task === 'binary') out[i] = (2 * sign(labels[i])) / (1 + Math.exp(2 * sign(labels[i]) * scores[i]));
    else {
      const p = probsOf(rowOf(scores, i, width));
      for (let k = 0; k < width; k++) out[i * width + k] = Number(k === labels[i]) - p[k];
    }
  }
  return out;
};

/** A denominator below this leaves nothing to fit. */
const SPENT = 1e-12;

/**
 * ρ*, one Newton step along f: 1 for values, Σrf / Σrf²(2s − r) for two classes, Σfr / Σf²p(1 − p) for K (one number; the diagonal
 * of the Hessian). 0 where the residuals are exhausted.
 */
export const stepLength = ({ task, labels, width }: Boosted, scores: Float64Array, f: Float64Array, r: Float64Array): number => {
  if (task === 'value') return r.some((v) => v !== 0) ? 1 : 0;
  let [along, curved] = [0, 0];
  for (let i = 0; i < labels.length; i++) {
    const p = task === 'classes' ? probsOf(rowOf(scores, i, width)) : undefined;
    for (let k = 0; k < width; k++) {
      const at = i * width + k;
      along += f[at] * r[at];
      curved += f[at] ** 2 * (p ? p[k] * (1 - p[k]) : r[at] * (2 * sign(labels[i]) - r[at]));
    }
  }
  return curved < SPENT ? 0 : along / curved;
};

/** Mean loss as the trainer's loss counts it (squares whole, not halved), and share of rows that are right. */
export const measure = ({ task, labels, width }: Boosted, scores: Float64Array): { readonly loss: number; readonly accuracy?: number } => {
  let [loss, right] = [0, 0];
  const n = labels.length;
  for (let i = 0; i < n; i++) {
    if (task === 'value') loss += (labels[i] - scores[i]) ** 2 / n;
    else if (task === 'binary') {
      loss += softplus(-2 * sign(labels[i]) * scores[i]) / n;
      right += Number(scores[i] > 0 === labels[i] > 0);
    } else {
      const row = rowOf(scores, i, width);
      const most = row.reduce((a, b) => Math.max(a, b));
      loss += (most + Math.log(row.reduce((sum, z) => sum + Math.exp(z - most), 0)) - row[labels[i]]) / n;
      right += Number(row.indexOf(most) === labels[i]);
    }
  }
  return { loss, ...(task === 'value' ? {} : { accuracy: right / n }) };
};
