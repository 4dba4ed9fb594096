import type { Tensor } from '../base/tensor.ts';
import type { State } from '../training/compile.ts';
import type { StepColumns } from './train-live.ts';

export interface EpochRow {
  /** From 1. */
  readonly epoch: number;
  /** Steps made when it ended. */
  readonly step: number;
  readonly lr: number;
  /** Mean over the rows of the epoch, while the parameters moved. */
  readonly trainLoss: number;
  readonly trainAccuracy?: number;
  readonly valLoss?: number;
  readonly valAccuracy?: number;
  /** Numbers of diagnostics of the validation rows, by `diagnostic/number`. */
  readonly diagnosed?: Readonly<Record<string, number>>;
}

/** One number per step. */
export interface Curves {
  loss: number[];
  accuracy: number[];
  lr: number[];
  gradientNorm: number[];
  /** By line: what monitors gave. */
  monitors: Record<string, number[]>;
}

/** Adds the numbers of some steps. */
export const append = (curves: Curves, { loss, accuracy, learningRate, gradientNorm, monitors }: StepColumns): void => {
  const add = (to: number[], values: readonly number[]): void => {
    for (const value of values) to.push(value);
  };
  add(curves.loss, loss);
  add(curves.accuracy, accuracy);
  add(curves.lr, learningRate);
  add(curves.gradientNorm, gradientNorm);
  for (const [line, values] of Object.entries(monitors)) {
    curves.monitors[line] ??= [];
    add(curves.monitors[line], values);
  }
};

/** Where a run is: plain data, kept in checkpoints. */
export interface Progress {
  step: number;
  /** Epochs finished, and rows trained on in the one under way. */
  epoch: number;
  position: number;
  /** Rows of a step now, and steps made since that was decided; rows trained on in all. */
  batch: number;
  undecided: number;
  seen: number;
  /** Over the epoch under way: rows seen, Σ loss and Σ rows that were right. */
  rows: number;
  lossSum: number;
  correctSum: number;
  history: EpochRow[];
  best?: { readonly metric: number; readonly row: EpochRow };
  /** Evaluations since the metric improved. */
  waited: number;
  /** Falls where `nonfinite` is `halve-lr`. */
  lrScale: number;
  /** Steps left out because they were not finite: in all, and in a row. */
  skipped: number;
  skippedInRow: number;
  /** Seconds spent in steps. */
  stepSeconds: number;
  early: boolean;
  /** The optimizer has nothing left to do. */
  done: boolean;
}

export interface Snapshot {
  readonly progress: Progress;
  readonly curves: Curves;
  readonly state: State;
  /** Parameters and statistics at the best evaluation. */
  readonly best?: State;
  /** What sampler and targets keep. */
  readonly host?: Readonly<Record<string, Float64Array>>;
}

export const fresh = (state: State): Snapshot => ({
  progress: {
    step: 0,
    epoch: 0,
    position: 0,
    batch: 0,
    undecided: 0,
    seen: 0,
    rows: 0,
    lossSum: 0,
    correctSum: 0,
    history: [],
    waited: 0,
    lrScale: 1,
    skipped: 0,
    skippedInRow: 0,
    stepSeconds: 0,
    early: false,
    done: false,
  },
  curves: { loss: [], accuracy: [], lr: [], gradientNorm: [], monitors: {} },
  state,
});

/** A first state with other parameters. */
export const startingAt = (start: State, theta: Tensor): State => ({ ...start, theta, ...(start.ema ? { ema: theta } : {}) });

/** What an evaluation or a saved model needs of a state: the mean of the parameters where one runs. */
export const weights = (state: State): Record<string, Tensor> => ({
  theta: state.ema ?? state.theta,
  ...Object.fromEntries(Object.entries(state).filter(([key]) => key.startsWith('statistic/'))),
});
