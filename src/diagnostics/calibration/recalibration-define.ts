import { type Calibration, othersOf } from '../../base/calibration.ts';
import { Fault } from '../../base/fault.ts';
import { argmax } from '../../base/maths/argmax.ts';
import { type ScoredRows, softmaxInPlace } from '../../base/maths/softmax-regression.ts';
import type { Random } from '../../base/random.ts';
import type { TrainerTool } from '../../evidence/evidence.ts';

export interface FitOptions {
  /** Bins of histogram binning. */
  readonly bins: number;
  /** Pull of vector scaling towards no change. */
  readonly l2: number;
  /** Pull of matrix scaling's off-diagonal weights and biases towards 0. */
  readonly odir: number;
}

export interface TrainOptions {
  /** h-calibration: the family of maps and its size, the windows of the loss, and what picks the epoch to keep. */
  readonly mapping: 'temperature-ensemble' | 'piecewise-linear' | 'auto';
  readonly temperatures: number;
  readonly segments: number;
  readonly window: number;
  readonly epsilon: number;
  readonly clusters: number;
  readonly epochs: number;
  readonly select: 'top-label' | 'classwise' | 'nll';
  /** Correctness-aware: weights of right and wrong rows, hidden units, and how long it is trained. */
  readonly weighting: 'none' | 'balanced';
  readonly hidden: number;
  readonly steps: number;
  /** Both: Adam's rate and rows of a step; 0 for their own. */
  readonly rate: number;
  readonly batch: number;
}

/** Rows to fit on. */
export interface FitRows extends ScoredRows {
  /** [rows, width]: what perturbed inputs say, where that was asked for. */
  readonly features?: Float64Array;
}

/** What training is given besides rows. */
export interface Aid {
  random(name: string): Random;
  /** Lets others have their turn; throws where the job was stopped. */
  pause(): Promise<void>;
  note(text: string): void;
  /** Keeps what training told of every step or epoch. */
  trace(name: string, of: readonly number[]): void;
  readonly trainer: TrainerTool;
}

interface Named {
  readonly id: string;
  readonly title: string;
  readonly source: string;
}

/** A way to repair probabilities, fitted on rows whose classes are known. */
export interface FittedRecalibrator extends Named {
  /** Throws `diagnostic/…` where these rows cannot determine it. `near` is a fit on nearly the same rows. */
  fit(rows: ScoredRows, options: FitOptions, near?: Calibration): Calibration;
}

/** One whose numbers depend on where training begins and how long it goes on: nothing that was seen elsewhere may help it. */
export interface TrainedRecalibrator extends Named {
  /** Reads what the model says of perturbed inputs. */
  readonly perturbs?: true;
  train(rows: FitRows, options: TrainOptions, aid: Aid): Promise<Calibration>;
}

export type Recalibrator = FittedRecalibrator | TrainedRecalibrator;

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
