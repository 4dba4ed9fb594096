import { Fault } from '../../base/fault.ts';

/** Predictions of single classes as events: their probabilities and whether they came true, of all rows and classes. */
export interface Events {
  readonly classes: number;
  /** [rows, classes]. */
  readonly probs: Float64Array;
  readonly labels: Int32Array;
}

const DIGIT = 11;
const SIZE = 1 << DIGIT;

/**
 * Indices in ascending order of numbers ≥ 0, equal ones by index: radix passes over the bits of the floats, which order them. Several
 * times faster than sorting by a comparison.
 */
export const orderOf = (values: Float64Array): Uint32Array => {
  const n = values.length;
  const bits = new Uint32Array(values.slice().buffer);
  let from = new Uint32Array(n);
  let to = new Uint32Array(n);
  for (let i = 0; i < n; i++) from[i] = i;
  const counts = new Uint32Array(SIZE);
  // Low words come first, as on every machine that ONNX Runtime runs on.
  for (const word of [0, 1])
    for (let shift = 0; shift < 32; shift += DIGIT) {
      counts.fill(0);
      for (let i = 0; i < n; i++) counts[(bits[2 * i + word] >>> shift) & (SIZE - 1)]++;
      let sum = 0;
      for (let d = 0; d < SIZE; d++) {
        const count = counts[d];
        counts[d] = sum;
        sum += count;
      }
      for (let i = 0; i < n; i++) to[counts[(bits[2 * from[i] + word] >>> shift) & (SIZE - 1)]++] = from[i];
      [from, to] = [to, from];
    }
  return from;
};

/** A window reaches as far to one side of an event as to the other. */
export const mustBeEven = (window: number): void => {
  if (window % 2 !== 0) throw new Fault('option/value', { name: 'window', value: String(window), expected: 'an even number' });
};

/** T_k = Σ_{|j−k| ≤ W/2} d_j/(W + 1), zero beyond both ends: the divisor stays (Huang et al. 2025). */
export const windowMeans = (d: Float64Array, window: number): Float64Array => {
  const half = window >> 1;
  const n = d.length;
  const sums = new Float64Array(n + 1);
  for (let k = 0; k < n; k++) sums[k + 1] = sums[k] + d[k];
  const out = new Float64Array(n);
  for (let k = 0; k < n; k++) out[k] = (sums[Math.min(n, k + half + 1)] - sums[Math.max(0, k - half)]) / (window + 1);
  return out;
};

/** |T| along the probability axis: mean probability in the window, and its error. */
export interface LocalErrors {
  readonly points: readonly (readonly [probability: number, error: number])[];
  readonly mean: number;
  readonly most: number;
}

/** Points of a curve: so many evenly among the windows, and as many along the axis of probability. */
const POINTS = 100;

/** Windows drawn, by their middle event: evenly by rank, which shows where the events are, and by mean probability, which the axis shows. */
const placesOf = (means: Float64Array, from: number, inside: number): Int32Array => {
  if (inside <= 2 * POINTS) return Int32Array.from({ length: inside }, (_, k) => from + k);
  const chosen = new Set(Array.from({ length: POINTS }, (_, k) => from + Math.floor((k * (inside - 1)) / (POINTS - 1))));
  for (let k = from, due = 0; k < from + inside; k++)
    if (means[k] * POINTS >= due) {
      chosen.add(k);
      due = Math.floor(means[k] * POINTS) + 1;
    }
  return Int32Array.from(chosen).sort();
};

/** Sorted events, ready for outcomes: what T is for these labels, or for others. */
export interface Windows {
  /** Mean probability of the windows drawn. */
  readonly probabilities: Float64Array;
  /** T of the windows drawn, and the mean and largest |T| of all windows. */
  errors(labels: Int32Array): { readonly drawn: Float64Array; readonly mean: number; readonly most: number };
}

/** Windows that lie wholly inside the events of all classes, or of one; null where there are too few events for one. */
export const windowsOf = ({ classes, probs }: Omit<Events, 'labels'>, window: number, of: number | 'all'): Windows | null => {
  const chosen = of === 'all' ? probs : Float64Array.from({ length: probs.length / classes }, (_, i) => probs[i * classes + of]);
  const n = chosen.length;
  const half = window >> 1;
  const inside = n - 2 * half;
  if (inside < 1) return null;
  const order = orderOf(chosen);
  const sorted = Float64Array.from(order, (at) => chosen[at]);
  const means = windowMeans(sorted, window);
  const places = placesOf(means, half, inside);
  const d = new Float64Array(n);
  return {
    probabilities: Float64Array.from(places, (k) => means[k]),
    errors(labels) {
      for (let k = 0; k < n; k++) {
        const at = order[k];
        const hit = of === 'all' ? at % classes === labels[Math.floor(at / classes)] : labels[at] === of;
        d[k] = sorted[k] - Number(hit);
      }
      const t = windowMeans(d, window);
      let [sum, most] = [0, 0];
      for (let k = half; k < n - half; k++) {
        const size = Math.abs(t[k]);
        sum += size;
        if (size > most) most = size;
      }
      return { drawn: Float64Array.from(places, (k) => t[k]), mean: sum / inside, most };
    },
  };
};

/**
 * Signed window means of predicted − met over all events, or those of one class: the integrated event error of Huang et al. 2025. Above 0
 * events are promised more often than they come.
 */
export const localErrors = (events: Events, window: number, of: number | 'all' = 'all'): LocalErrors | null => {
  const windows = windowsOf(events, window, of);
  if (!windows) return null;
  const { drawn, mean, most } = windows.errors(events.labels);
  return { points: Array.from(drawn, (t, k): [number, number] => [windows.probabilities[k], t]), mean, most };
};
