import { type Calibration, othersOf } from '../../base/calibration.ts';
import { Fault } from '../../base/fault.ts';
import { argmax } from '../../base/maths/argmax.ts';
import { type ScoredRows, softmaxInPlace } from '../../base/maths/softmax-regression.ts';

export interface FitOptions {
  /** Bins of histogram binning. */
  readonly bins: number;
  /** Pull of vector scaling towards no change. */
  readonly l2: number;
  /** Pull of matrix scaling's off-diagonal weights and biases towards 0. */
  readonly odir: number;
}

/** A way to repair probabilities, fitted on rows whose classes are known. */
export interface Recalibrator {
  readonly id: string;
  readonly title: string;
  readonly source: string;
  /** Throws `diagnostic/…` where these rows cannot determine it. `near` is a fit on nearly the same rows. */
  fit(rows: ScoredRows, options: FitOptions, near?: Calibration): Calibration;
}

/** What would let a scale grow without bound: every row's class has its largest logit. */
export const mustErr = ({ classes, scores, labels }: ScoredRows, title: string): void => {
  for (let i = 0; i < labels.length; i++) {
    const at = i * classes;
    for (let j = 0; j < classes; j++) if (scores[at + j] > scores[at + labels[i]]) return;
  }
  throw new Fault('diagnostic/separable', { title, rows: labels.length });
};

/** One class against the rest: p and the sum of the other probabilities of every row, and whether the row is of the class. */
export interface OneVsRest {
  readonly p: Float64Array;
  readonly others: Float64Array;
  readonly hits: Uint8Array;
}

/** All classes against the rest; of two only class 1. Throws where a class has no rows. */
export const oneVsRest = ({ classes, scores, labels }: ScoredRows, title: string): OneVsRest[] => {
  const rows = labels.length;
  const counts = new Int32Array(classes);
  for (const label of labels) counts[label]++;
  const missing = counts.indexOf(0);
  if (missing >= 0) throw new Fault('diagnostic/class-missing', { title, class: missing, rows });
  const kept = classes === 2 ? [1] : Array.from({ length: classes }, (_, j) => j);
  const parts = kept.map((j) => ({
    p: new Float64Array(rows),
    others: new Float64Array(rows),
    hits: Uint8Array.from(labels, (label) => Number(label === j)),
  }));
  const z = new Float64Array(classes);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < classes; j++) z[j] = scores[i * classes + j];
    softmaxInPlace(z);
    const most = argmax(z, 0, classes);
    for (let k = 0; k < kept.length; k++) {
      parts[k].p[i] = z[kept[k]];
      parts[k].others[i] = othersOf(z, kept[k], most);
    }
  }
  return parts;
};
