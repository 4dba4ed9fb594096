import type { Matrix, ModelGradients } from './evidence.ts';

/** Rows of a split as the model takes them, in memory: 4 bytes a value and 12 a row. */
export interface LabelledRows {
  /** Dataset row numbers. */
  readonly rows: Float64Array;
  /** [rows, …dims] */
  readonly x: Float32Array;
  readonly dims: readonly number[];
  readonly labels: Int32Array;
  /** One more than the largest label, or as many as the model tells apart. */
  readonly classes: number;
}

/** How fresh models are trained: by a recipe file, whose data are left aside, or by these numbers with Adam. */
export interface FreshAsk {
  /** The model diagnosed with its parameters drawn anew, or a new one; a recipe names its own. */
  readonly source: 'model' | { readonly kind: 'mlp' | 'cnn'; readonly [option: string]: string | number | boolean };
  readonly recipe?: string;
  /** Trained with this loss, in place of cross-entropy or that of the recipe. */
  readonly loss?: { readonly kind: string; readonly [option: string]: string | number | boolean };
  readonly epochs: number;
  readonly batch: number;
  readonly rate: number;
  /** Trained on the worst rows near each, in place of the rows. */
  readonly adversarial?: {
    readonly norm: 'linf' | 'l2';
    readonly epsilon: number;
    readonly steps: number;
    readonly randomStart: boolean;
    readonly range?: readonly [number, number];
  };
}

/** What is trained on: rows of one shape, with their classes. */
export interface FreshRows {
  /** [rows, …dims] */
  readonly x: Float32Array;
  readonly labels: Int32Array;
}

/** A model after its training. */
interface Questioned {
  /** Class scores, [rows, classes]. */
  scores(x: Float32Array): Promise<Matrix>;
  gradient(): Promise<ModelGradients>;
  /** Adversarial rows near these, by an attack in the graph. */
  attacked(rows: FreshRows, attack: NonNullable<FreshAsk['adversarial']>): Promise<Float32Array>;
}

/** One trained elsewhere. */
export interface TrainedModel extends Questioned {
  /** File name. */
  readonly name: string;
}

/** What was found by each finished training, in words, kept in a file. */
export interface KeptResults {
  get(key: string): string | undefined;
  put(key: string, value: string): Promise<void>;
}

export interface FreshModel extends Questioned {
  /** Seconds that one step of its training took. */
  readonly stepSeconds: number;
}

/** One compiled training, run as often as asked. */
export interface FreshTrainer {
  /** What is trained, and how, in words for a report. */
  readonly how: string;
  /** Trained numbers. */
  readonly parameters: number;
  /** Steps of one training on so many rows. */
  steps(rows: number): number;
  /** Trains anew from `seed`, or only the first `most` steps; `told` hears the share done. */
  train(rows: FreshRows, seed: number, ask?: { readonly most?: number; readonly told?: (share: number) => void }): Promise<FreshModel>;
}

/** Trains fresh models on rows made by a study. */
export interface FreshTool {
  /** All rows diagnosed, or of another split of the same data. Throws what is wrong with labels or values. */
  data(split?: string): Promise<LabelledRows>;
  /** What the model diagnosed says of rows, [rows, …dims]. */
  scores(x: Float32Array, dims: readonly number[]): Promise<Matrix>;
  /** A model in a file, for rows of this shape. Throws `diagnostic/block-model`. */
  trained(path: string, dims: readonly number[]): Promise<TrainedModel>;
  /** Results in a file, as far as they are of the same model, data and `identity`. Throws `training/kept-results`, `file/overwrites`. */
  kept(path: string, identity: Readonly<Record<string, unknown>>): Promise<KeptResults>;
  /** `like` tells the shape of a row, their number and the classes. Throws `training/…`. */
  open(ask: FreshAsk, like: { readonly dims: readonly number[]; readonly rows: number; readonly classes: number }): Promise<FreshTrainer>;
}
