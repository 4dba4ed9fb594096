import type { DataRef, Device, Expectation, GivenRow, ModelRef, RunRequest, Suite } from '../base/request.ts';
import type { DataTasks } from './data-view.ts';
import type { ModelDiff, ModelProfile, ProfileRequest } from './model-study.ts';
import type { Card, Fact, Interval, Picture, Report, TokenPiece } from './report.ts';
import type { VectorsRequest, VectorsResult } from './vectors.ts';

/** Every task the job process can do: name → what it is asked and what it gives back. Plain data, typed arrays allowed. */
export interface Tasks extends DataTasks {
  run: { readonly ask: RunRequest; readonly give: Report };
  /** Two saved reports. */
  compare: { readonly ask: { readonly runs: readonly [string, string] }; readonly give: Report };
  suite: { readonly ask: SuiteRequest; readonly give: SuiteResult };
  train: { readonly ask: TrainRequest; readonly give: TrainResult };
  info: { readonly ask: { readonly model: ModelRef }; readonly give: ModelFacts };
  /** A model node by node from its headers, for the model editor; `run` allows running it to measure shapes. */
  layers: { readonly ask: { readonly model: ModelRef; readonly run: boolean }; readonly give: ModelLayers };
  /** One stored tensor of a model. */
  weights: { readonly ask: { readonly model: ModelRef; readonly name: string }; readonly give: WeightFacts };
  /** Two model files, node by node and tensor by tensor. */
  diff: { readonly ask: { readonly models: readonly [string, string] }; readonly give: ModelDiff };
  /** What each layer takes and gives on some rows of a dataset. */
  profile: { readonly ask: ProfileRequest; readonly give: ModelProfile };
  /** A model with the first hidden units of its boosted head alone. */
  keepUnits: {
    readonly ask: { readonly model: string; readonly units: number; readonly out: string };
    readonly give: { readonly out: string; readonly units: number; readonly of: number; readonly notes: readonly string[] };
  };
  grad: { readonly ask: GradRequest; readonly give: GradResult };
  /** Unit vectors with small cosines between them. */
  vectors: { readonly ask: VectorsRequest; readonly give: VectorsResult };
  devices: {
    readonly ask: Record<string, never>;
    readonly give: readonly DeviceFound[];
  };
  /** What files are by their headers alone, in the order asked. */
  outline: { readonly ask: { readonly paths: readonly string[] }; readonly give: readonly FileOutline[] };
  /** An `assay.json` for files that were found. */
  draft: { readonly ask: DraftRequest; readonly give: Draft };
  /** Models and datasets of an `assay.json`, their paths as seen from anywhere. */
  names: { readonly ask: { readonly suite: string }; readonly give: Required<Pick<Suite, 'models' | 'datasets'>> };
  /** What a job would read and how much of it, told before it starts; nothing is run. */
  cost: { readonly ask: CostRequest; readonly give: Cost };
  /** One sample with its attribution, for the image tab. */
  attribute: { readonly ask: AttributeRequest; readonly give: Attribution };
}
export type TaskName = keyof Tasks;

export interface SuiteRequest {
  readonly path: string;
  readonly only?: readonly string[];
  readonly device: Device;
  readonly seed: number;
  /** At most this many rows of each split, the first ones. */
  readonly limit?: number;
}
export interface GateResult {
  readonly name: string;
  readonly holds: boolean;
  readonly actual: number | null;
  readonly interval?: Interval;
  readonly expected: Expectation;
  readonly sentence: string;
}
export interface CheckResult {
  readonly name: string;
  readonly status: 'passed' | 'failed' | 'skipped' | 'error';
  readonly sentence: string;
  readonly gates: readonly GateResult[];
  readonly report?: Report;
  readonly seconds: number;
  /** Where it stands in the file, from 1. */
  readonly line?: number;
}
export interface SuiteResult {
  readonly path: string;
  readonly checks: readonly CheckResult[];
}
/** A check as a page of reports shows it, with the place of its report among them. */
export type Verdict = Pick<CheckResult, 'name' | 'status' | 'sentence'> & { readonly report?: number };

export interface TrainRequest {
  readonly recipe: string;
  readonly out: string;
  readonly device: Device;
  readonly resume: boolean;
  readonly force: boolean;
  /** Trains with several seeds beside another recipe, `baseline` for the natural one of its parts, and saves no model. */
  readonly compare?: { readonly with: string; readonly seeds: number };
}
/** Columns of equal length, at most ten messages a second: a point stands for a step, in a long run for the mean of several that end with `step`. */
export interface TrainLive {
  readonly kind: 'steps';
  readonly step: readonly number[];
  readonly epoch: number;
  readonly epochs: number;
  readonly totalSteps: number;
  readonly loss: readonly number[];
  readonly accuracy: readonly number[];
  readonly learningRate: readonly number[];
  readonly gradientNorm: readonly number[];
  /** By line: what the monitors of the recipe gave. */
  readonly monitors?: Readonly<Record<string, readonly number[]>>;
  /** Least and most loss of the steps of a point. */
  readonly lossLeast?: readonly number[];
  readonly lossMost?: readonly number[];
  /** Spent in steps, and epochs trained on, until then. */
  readonly seconds?: readonly number[];
  readonly epochsMade?: readonly number[];
  /** ‖Δθ‖/‖θ‖ and ‖Δθ⊥‖/‖θ‖ of the newest measured call, by the step; NaN before the first. */
  readonly updateRatio?: readonly number[];
  readonly effectiveStep?: readonly number[];
  readonly stepsPerSecond: number;
}
export interface TrainEpoch {
  readonly kind: 'epoch';
  readonly epoch: number;
  /** Steps made, and seconds spent in them, when it ended. */
  readonly step?: number;
  readonly seconds?: number;
  readonly validationLoss?: number;
  readonly validationAccuracy?: number;
  /** Headline numbers of diagnostics run on the validation rows, by `diagnostic/number`, and cards to show, twice a second at most. */
  readonly diagnosed?: Readonly<Record<string, number>>;
  readonly cards?: readonly Card[];
  /** What the monitors come to so far, in sentences. */
  readonly said?: readonly string[];
}
/** A line of the table of stages of a regime. */
export interface TrainStage {
  readonly kind: 'stage';
  readonly stage: string;
  readonly numbers: Readonly<Record<string, number>>;
}
/** A training that can be paused, and stopped with what it has reached kept: when it begins, and whenever it pauses or goes on. */
export interface TrainStanding {
  readonly kind: 'standing';
  readonly paused: boolean;
}
export type Live = TrainLive | TrainEpoch | TrainStage | TrainStanding;
/** What a training that goes on is asked: to wait, to go on, or to end and keep what it has reached. */
export type Steer = 'run' | 'pause' | 'stop';
export interface TrainResult {
  readonly out: string;
  readonly report: Report;
}

export interface ModelFacts {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly irVersion: number;
  readonly opsets: Readonly<Record<string, number>>;
  readonly producer: string;
  readonly inputs: readonly { readonly name: string; readonly dtype: string; readonly dims: readonly (number | string)[] }[];
  readonly outputs: readonly { readonly name: string; readonly dtype: string; readonly dims: readonly (number | string)[] }[];
  readonly operators: readonly { readonly op: string; readonly count: number; readonly gradient: boolean; readonly reason?: string }[];
  readonly nodes: number;
  readonly parameters: number;
  readonly macs: number | null;
  readonly layers: readonly {
    readonly name: string;
    readonly op: string;
    readonly output: string;
    readonly dims: readonly (number | string)[];
    readonly parameters: number;
    readonly macs: number | null;
  }[];
  readonly withoutGradient: readonly { readonly node: string; readonly op: string; readonly reason: string }[];
  readonly notes: readonly string[];
}

export interface DataColumn {
  readonly name: string;
  readonly dtype: string;
  /** Of one row; [] for a scalar. */
  readonly dims: readonly number[];
}
/** What a file is, by its headers. */
export type FileOutline = { readonly path: string } & (
  | { readonly kind: 'model'; readonly inputs: readonly ModelValue[]; readonly outputs: readonly ModelValue[] }
  | {
      readonly kind: 'data';
      readonly format: string;
      readonly rows: number;
      readonly columns: readonly DataColumn[];
      /** Arrays of another length than the rows. */
      readonly extras: readonly (DataColumn & { readonly length: number })[];
    }
  | { readonly kind: 'unreadable'; readonly reason: string }
);

export interface DraftRequest {
  /** Where the `assay.json` would stand; its paths are relative to it. */
  readonly path: string;
  readonly models: readonly string[];
  /** Data files and folders of images. */
  readonly data: readonly string[];
  /** Lists of class names, tokenizers and training recipes. */
  readonly labels: readonly string[];
  readonly tokenizers: readonly string[];
  readonly recipes: readonly string[];
}
export interface Draft {
  readonly suite: Suite;
  /** What was left out, and what to look at. */
  readonly notes: readonly string[];
}

export interface ModelValue {
  readonly name: string;
  readonly dtype: string;
  /** Null where not even the rank is known. */
  readonly dims: readonly (number | string)[] | null;
}
/** One node of the main graph. */
export interface LayerRow {
  readonly name: string;
  readonly op: string;
  /** Values it reads, stored tensors left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Stored tensors it reads, as places in `weights`. */
  readonly weights: readonly number[];
  /** Of its first output. */
  readonly dims: ModelValue['dims'];
  readonly dtype: string;
  /** Of parameters that it is the first to read. */
  readonly parameters: number;
  /** Multiply–accumulates for one row; null where not known. */
  readonly macs: number | null;
  /** Why no gradient passes it. */
  readonly noGradient?: string;
}
export interface ModelLayers {
  readonly path: string;
  readonly bytes: number;
  readonly irVersion: number;
  readonly opsets: Readonly<Record<string, number>>;
  readonly producer: string;
  readonly inputs: readonly ModelValue[];
  readonly outputs: readonly ModelValue[];
  readonly parameters: number;
  readonly weightBytes: number;
  readonly macs: number | null;
  /** Most bytes of values alive at once for one row; null where not measured. */
  readonly activationBytes: number | null;
  readonly layers: readonly LayerRow[];
  readonly weights: readonly {
    readonly name: string;
    readonly dtype: string;
    readonly dims: readonly number[];
    readonly bytes: number;
    /** The file beside the model that holds it. */
    readonly location?: string;
  }[];
  /** Shapes were measured by a run, not only implied. */
  readonly measured: boolean;
  readonly notes: readonly string[];
}
export interface WeightFacts {
  readonly name: string;
  readonly dtype: string;
  readonly dims: readonly number[];
  readonly count: number;
  readonly zeros: number;
  readonly notFinite: number;
  /** Of the finite ones; absent where there is none. */
  readonly min?: number;
  readonly max?: number;
  readonly mean?: number;
  readonly deviation?: number;
  /** Counts in bins of equal width from `min` to `max`. */
  readonly histogram: readonly number[];
  /** How many lie more than six standard deviations from the mean, and the furthest of them with their index. */
  readonly outliers: number;
  readonly furthest: readonly { readonly at: readonly number[]; readonly value: number }[];
}

export interface GradRequest {
  readonly model: string;
  readonly out: string;
  /** NAME, `cross-entropy`, `mse` or `sum`, with `:OUTPUT`. */
  readonly of: string;
  readonly wrt: readonly string[];
  readonly loss?: string;
  readonly product?: 'hvp' | 'ggn' | 'fisher';
  readonly perExample?: 'norms' | 'gradients';
  readonly jacobian?: boolean;
  /** Data to run the gradient on and look for what is not finite: a file, or `zeros`, `ones` or `random`. */
  readonly check?: string;
}
/** Whether a gradient is finite on some rows, and who made what is not. */
export interface GradCheck {
  readonly data: string;
  readonly rows: number;
  readonly finite: boolean;
  readonly sentence: string;
}
export interface GradResult {
  readonly out: string;
  readonly nodes: number;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly notes: readonly string[];
  readonly check?: GradCheck;
}

export interface DeviceFound {
  readonly provider: string;
  readonly ok: boolean;
  readonly reason: string;
  /** What else would have to be installed, one sentence each. */
  readonly missing?: readonly string[];
}

export interface CostRequest {
  readonly models?: readonly ModelRef[];
  readonly data?: DataRef;
  /** A recipe, whose model and data stand in it. */
  readonly recipe?: string;
}
export interface Cost {
  readonly reads: readonly string[];
  /** Of the data before a split or a limit; null where there is none. */
  readonly rows: number | null;
  /** Of the models together. */
  readonly parameters: number;
  /** Multiply–accumulates of the models for one row; null where not known. */
  readonly macs: number | null;
  /** Of a recipe. */
  readonly length?: { readonly epochs: number } | { readonly steps: number };
}

export interface AttributeRequest {
  readonly model: ModelRef;
  readonly data: DataRef;
  readonly device: Device;
  readonly seed: number;
  /** Position in the split. */
  readonly position: number;
  /** A dataset row (zero-based) in place of a position, as cards name it; it must be in the split. */
  readonly row?: number;
  /** A row as it stands in an editor, in place of one of the data. With a text the data's path may be empty: then there are none. */
  readonly given?: GivenRow;
  readonly method: string;
  /** Class index or name; the predicted class where absent. */
  readonly target?: number | string;
  readonly options: Readonly<Record<string, unknown>>;
}
/** What one attribution is drawn over. */
export type Shown =
  /** A map [height, width], over the picture if there is one. */
  | { readonly kind: 'map'; readonly picture: Picture | null; readonly width: number; readonly height: number }
  /** Tokens in their order, padding left out; `pieces` tell which go on with a word, and which are not of the text. */
  | { readonly kind: 'tokens'; readonly words: readonly string[]; readonly pieces?: readonly Omit<TokenPiece, 'text' | 'score'>[] }
  /** A signal [channels, places], one value of the map for each place. */
  | { readonly kind: 'signal'; readonly channels: number; readonly places: number; readonly signal: Float32Array }
  /** Columns of a table with the row's own values, or units of a layer. */
  | { readonly kind: 'bars'; readonly what: 'Input' | 'Unit'; readonly names: readonly string[]; readonly inputs?: Float32Array };
/** Where the values of a row that was given stand in it. */
export type Placed =
  /** For each token its UTF-16 range in the text, null where it stands nowhere; how many tokens the text has, and the field that it is. */
  | {
      readonly kind: 'text';
      readonly ranges: readonly (readonly [number, number] | null)[];
      readonly tokens: number;
      readonly field?: number;
    }
  /** For each value its field, what the model was given for it, and what stood for its absence. */
  | {
      readonly kind: 'fields';
      readonly fields: readonly number[];
      readonly values: Float32Array;
      readonly inputs: Float32Array;
      readonly baseline?: Float32Array;
    };
export interface Attribution {
  /** Dataset row, its position in the split, and how many rows the split has; −1 for a row that was given. */
  readonly row: number;
  readonly position: number;
  readonly count: number;
  readonly shown: Shown;
  /** Of a row that was given, where the method tells its tokens or fields apart. */
  readonly placed?: Placed;
  /** Signed, one for each place of what is shown; channels are summed. */
  readonly values: Float32Array;
  /** Share of all attribution, in percent, that was asked to lie in values drawn at full strength. */
  readonly outliers: number;
  readonly classes: readonly string[];
  readonly probs: readonly number[];
  readonly label?: number;
  readonly prediction: number;
  readonly target: number;
  readonly method: string;
  /** Layers that methods may look at, from input to output. */
  readonly layers: readonly { readonly name: string; readonly shape: string }[];
  readonly facts: readonly Fact[];
  /** What was done to the data or fell back. */
  readonly notes: readonly string[];
}
