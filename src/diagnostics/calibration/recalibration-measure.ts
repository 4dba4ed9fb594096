import { type Calibration, calibrate } from '../../base/calibration.ts';
import { argmax } from '../../base/maths/argmax.ts';
import { normalQuantile } from '../../base/maths/normal.ts';
import type { ScoreTable } from '../../evidence/evidence.ts';
import { addBatch, emptyState, type ReliabilityState } from './reliability-state.ts';

/** Rows calibrated at once. */
const CHUNK = 4096;
/** Log of the smallest probability a loss made from probabilities looks at. */
const FLOOR = Math.log(1e-12);

/** A prediction that calibration changes. */
export interface Flip {
  readonly row: number;
  readonly label: number;
  readonly before: number;
  readonly after: number;
}

/** Probabilities of some rows, judged: sums for the diagram, two losses a row, and what the model predicts now. */
export interface Judged {
  readonly state: ReliabilityState;
  readonly logLoss: Float64Array;
  readonly brier: Float64Array;
  readonly flips: { readonly toRight: number; readonly toWrong: number; readonly between: number; readonly rows: readonly Flip[] };
}

/** Flips listed. */
const LISTED = 50;

/** Judges what `fits[k]` makes of `parts[k]`; losses stand in the order of the parts. `clip` looks at no probability below 1e-12. */
export const judge = (parts: readonly ScoreTable[], fits: readonly Calibration[], bins: number, clip: boolean): Judged => {
  const state = emptyState('width', bins);
  const rows = parts.reduce((n, p) => n + p.rows.length, 0);
  const [logLoss, brier] = [new Float64Array(rows), new Float64Array(rows)];
  const flipped: Flip[] = [];
  let [toRight, toWrong, between, done] = [0, 0, 0, 0];
  for (const [k, part] of parts.entries()) {
    const { classes, labels, logits, features } = part;
    for (let from = 0; from < labels.length; from += CHUNK) {
      const n = Math.min(CHUNK, labels.length - from);
      const { probs, logProbs } = calibrate(fits[k], logits, classes, from, n, features);
      if (clip) for (let i = 0; i < logProbs.length; i++) logProbs[i] = Math.max(logProbs[i], FLOOR);
      const matrix = (data: Float64Array) => ({ rows: n, cols: classes, data });
      const [numbers, given] = [part.rows.subarray(from, from + n), labels.subarray(from, from + n)];
      addBatch(state, { rows: numbers, labels: given, probs: matrix(probs), logProbs: matrix(logProbs) });
      for (let i = 0; i < n; i++, done++) {
        const label = given[i];
        logLoss[done] = -logProbs[i * classes + label];
        let sum = 0;
        for (let j = 0; j < classes; j++) sum += (probs[i * classes + j] - Number(j === label)) ** 2;
        brier[done] = sum;
        const [before, after] = [argmax(logits, (from + i) * classes, classes), argmax(probs, i * classes, classes)];
        if (before === after) continue;
        if (after === label) toRight++;
        else if (before === label) toWrong++;
        else between++;
        flipped.push({ row: numbers[i], label, before, after });
      }
    }
  }
  const listed = flipped.sort((a, b) => a.row - b.row).slice(0, LISTED);
  return { state, logLoss, brier, flips: { toRight, toWrong, between, rows: listed } };
};

/** A mean over rows with its normal interval and standard error. */
export interface Mean {
  readonly value: number;
  readonly range: readonly [number, number];
  readonly error: number;
}

/** The mean of a, or of a − b over the same rows. */
export const meanOf = (a: Float64Array, b: Float64Array | undefined, level: number): Mean => {
  const n = a.length;
  const at = (i: number): number => a[i] - (b ? b[i] : 0);
  let [sum, squares] = [0, 0];
  for (let i = 0; i < n; i++) sum += at(i);
  const value = sum / n;
  for (let i = 0; i < n; i++) squares += (at(i) - value) ** 2;
  const error = Math.sqrt(squares / Math.max(1, n - 1) / n);
  const half = normalQuantile((1 + level) / 2) * error;
  return { value, range: [value - half, value + half], error };
};
