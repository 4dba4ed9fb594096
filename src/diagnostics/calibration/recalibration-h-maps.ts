import type { Calibration } from '../../base/calibration.ts';
import { knotsOf, monotoneAt } from '../../base/calibration-forms.ts';
import { softmaxInPlace } from '../../base/maths/softmax-regression.ts';
import type { Random } from '../../base/random.ts';

/** A family of maps that keep every prediction, over rows of log-probabilities [rows, classes]. */
export interface HMap {
  readonly id: 'temperature-ensemble' | 'piecewise-linear';
  start(random: Random): Float64Array;
  calibration(theta: Float64Array): Calibration;
  /** New probabilities of the rows, and what turns their derivative into that of θ. */
  apply(
    theta: Float64Array,
    logProbs: Float64Array,
    classes: number,
  ): { readonly probs: Float64Array; back(gradient: Float64Array): Float64Array };
}

/** Entries of the mixture's parts that are kept for its derivative; beyond, rows of a step are fewer. */
export const KEPT: number = 2 ** 25;

/** P = Σ_j ŵ_j softmax(|a_j|·ℓ), ŵ_j = |w_j|/Σ|w|; θ = (a, w), first U(−1/√J, 1/√J). */
export const temperatureEnsemble = (count: number): HMap => {
  const weightsOf = (theta: Float64Array): { readonly weights: Float64Array; readonly total: number } => {
    const w = theta.subarray(count).map(Math.abs);
    const total = w.reduce((sum, v) => sum + v, 0);
    return { weights: w.map((v) => v / total), total };
  };
  return {
    id: 'temperature-ensemble',
    start: (random) => Float64Array.from({ length: 2 * count }, () => (2 * random.next() - 1) / Math.sqrt(count)),
    calibration: (theta) => ({ kind: 'mixture', scales: theta.slice(0, count).map(Math.abs), weights: weightsOf(theta).weights }),
    apply(theta, logProbs, classes) {
      const { weights, total } = weightsOf(theta);
      const n = logProbs.length;
      const parts = new Float64Array(count * n);
      const probs = new Float64Array(n);
      const most = new Float64Array(n / classes);
      for (let i = 0; i < most.length; i++) {
        most[i] = logProbs[i * classes];
        for (let j = 1; j < classes; j++) most[i] = Math.max(most[i], logProbs[i * classes + j]);
      }
      for (let t = 0; t < count; t++) {
        const scale = Math.abs(theta[t]);
        for (let i = 0, at = 0; at < n; i++, at += classes) {
          const to = t * n + at;
          let sum = 0;
          for (let j = 0; j < classes; j++) {
            const e = Math.exp(scale * (logProbs[at + j] - most[i]));
            parts[to + j] = e;
            sum += e;
          }
          const share = weights[t] / sum;
          for (let j = 0; j < classes; j++) {
            probs[at + j] += share * parts[to + j];
            parts[to + j] /= sum;
          }
        }
      }
      return {
        probs,
        back(gradient) {
          const out = new Float64Array(2 * count);
          const own = new Float64Array(count);
          for (let t = 0; t < count; t++) {
            let slope = 0;
            for (let at = 0; at < n; at += classes) {
              const from = t * n + at;
              let mean = 0;
              for (let j = 0; j < classes; j++) mean += parts[from + j] * gradient[at + j];
              own[t] += mean;
              for (let j = 0; j < classes; j++) slope += parts[from + j] * logProbs[at + j] * (gradient[at + j] - mean);
            }
            out[t] = Math.sign(theta[t]) * weights[t] * slope;
          }
          const mean = own.reduce((sum, g, t) => sum + weights[t] * g, 0);
          for (let t = 0; t < count; t++) out[count + t] = (Math.sign(theta[count + t]) * (own[t] - mean)) / total;
          return out;
        },
      };
    },
  };
};

/** −ln p is mapped on [0, 100] and beyond. */
const REACH = 100;

/** softmax of −m(−ℓ), m piecewise linear of slopes |s|, first 1: the stated map, which is monotone for every θ (card 43). */
export const piecewiseLinear = (segments: number): HMap => {
  const width = REACH / segments;
  return {
    id: 'piecewise-linear',
    start: () => new Float64Array(segments).fill(1),
    calibration: (theta) => ({ kind: 'monotone', width, slopes: theta.map(Math.abs) }),
    apply(theta, logProbs, classes) {
      const map = { width, slopes: theta.map(Math.abs) };
      const knots = knotsOf(map);
      const n = logProbs.length;
      const probs = new Float64Array(n);
      const row = new Float64Array(classes);
      for (let at = 0; at < n; at += classes) {
        for (let j = 0; j < classes; j++) row[j] = -monotoneAt(map, knots, -logProbs[at + j]);
        softmaxInPlace(row);
        probs.set(row, at);
      }
      return {
        probs,
        back(gradient) {
          // Of an entry in step k every slope below counts a whole width, its own what is left.
          const whole = new Float64Array(segments + 1);
          const out = new Float64Array(segments);
          for (let at = 0; at < n; at += classes) {
            let mean = 0;
            for (let j = 0; j < classes; j++) mean += probs[at + j] * gradient[at + j];
            for (let j = 0; j < classes; j++) {
              const fall = -probs[at + j] * (gradient[at + j] - mean);
              const k = Math.min(segments - 1, Math.floor(-logProbs[at + j] / width));
              whole[k] += fall;
              out[k] += fall * (-logProbs[at + j] - k * width);
            }
          }
          for (let k = segments - 1, above = 0; k >= 0; k--) {
            out[k] = Math.sign(theta[k]) * (out[k] + width * above);
            above += whole[k];
          }
          return out;
        },
      };
    },
  };
};
