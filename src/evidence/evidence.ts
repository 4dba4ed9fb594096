import type { Scale } from '../autodiff/entry.ts';
import type { RuleSet } from '../autodiff/rule-sets/index.ts';
import type { Calibration } from '../base/calibration.ts';
import type { Adaptive } from '../base/calibration-forms.ts';
import type { GatedEnsemble, Voters } from '../base/ensemble.ts';
import type { Job } from '../base/job.ts';
import type { OutputHead } from '../base/output-head.ts';
import type { Views } from '../base/perturbation.ts';
import type { Random } from '../base/random.ts';
import type { DType, Tensor } from '../base/tensor.ts';
import type { AttackTool } from './attack.ts';
import type { BiasTool } from './biases.ts';
import type { FeaturesTool, HeadTool } from './features.ts';
import type { FreshTool } from './fresh.ts';
import type { LossTool } from './loss.ts';
import type { MapsOpener } from './maps.ts';
import type { PairTool } from './pair.ts';
import type { RetrainTool } from './retrain.ts';
import type { SamplesTool } from './samples.ts';
import type { WeightsTool } from './weights.ts';

export type { Token } from '../data/text-words.ts';
export type { SamplesTool } from './samples.ts';
export type { Scale };

/** Row-major matrix of one batch. */
export interface Matrix {
  readonly rows: number;
  readonly cols: number;
  readonly data: Float64Array;
}

/** What a diagnostic may ask for, per batch. Names are nouns; a provider for each lives in providers/<noun>.ts. */
export interface Evidence {
  /** Dataset row numbers (zero-based) of this batch. */
  rows: Float64Array;
  /** Class index per row. */
  labels: Int32Array;
  /** Number to be predicted per row, as in the data; NaN where missing. */
  targets: Float64Array;
  /** What the model says per row, as given: one column, or those of an output of several. */
  predictions: Matrix;
  /** Class probabilities in float64, each row summing to 1; a binary score becomes two columns. */
  probs: Matrix;
  /** log of probs: log-softmax of the logits in float64, else log(max(p, 1e-12)). */
  logProbs: Matrix;
  /** Scores before Softmax, as given; a binary one s becomes (0, s); where only probabilities are given ln max(p, 1e-25). */
  logits: Matrix;
  /** 0 or 1 for every label of which a row may have several. */
  marks: Matrix;
  /** Probability of each such label in float64, on its own: sigmoid of the logits, or as given. */
  labelProbs: Matrix;
  /** Column of the data → its values in words: the columns that options named `group` ask for, and `group`, where the data have them. */
  groups: Readonly<Record<string, readonly string[]>>;
}
export type Noun = keyof Evidence;

/** Facts about the subject that hold for all batches. */
export interface Subject {
  /** Class names, by index. */
  readonly classes: readonly string[];
  /** Names of the columns of predictions, where values are predicted and a table names several. */
  readonly predictions?: readonly string[];
  readonly rows: number;
  /** How probabilities were made: from logits (softmax or sigmoid) or given; `values` are no class scores. */
  readonly scores: 'logits' | 'probabilities' | 'values' | 'none';
  readonly modelName?: string;
  readonly dataName: string;
  /** Where a study ran, and how long, for what its report prints beside maps. */
  readonly ran?: { readonly device: string; readonly seconds: number };
}

/** Gradient of one chosen entry per row, at points of a path; compiled once, the path runs as a batch axis. */
export interface GradientTool {
  /** Name of the value whose entries are the targets; the logits where a final Softmax/Sigmoid could be skipped. */
  readonly output: string;
  /** Entries in a row of it. */
  readonly targets: number;
  /** Shape of one point, e.g. [1, 8, 8]: of an input row, or of the value that points are of. */
  readonly inputDims: readonly number[];
  /** Points that run at once: longer requests are done in parts, and need more memory for their points alone. */
  readonly atOnce: number;
  /**
   * For every row b: Σ_i weights[i] · ∇f_t(b)(points[b, i]), with f_t the target's entry.
   * `points` is [B, S, ...inputDims] laid out flat; `gradient` and `values` come back as [B, d] and [B, S].
   * With `square`, also Σ_i weights[i] · (∇f)². Chunked over S and B so that memory stays bounded.
   */
  sum(request: GradientRequest, signal: AbortSignal): Promise<GradientSums>;
  /** f_t(b) at points [n, d], one target each, without a gradient: [n]. */
  values(request: PointRequest, signal: AbortSignal): Promise<Float64Array>;
}
export interface PointRequest {
  readonly points: Float32Array;
  readonly targets: Int32Array;
  readonly against?: Int32Array;
  readonly inputs?: Float32Array;
}
export interface GradientRequest {
  readonly rows: number;
  readonly points: Float32Array;
  /** Paths are straight: `points` holds the two ends of each, [B, 2, d], and point i is (1 − nodes[i])·one + nodes[i]·other. */
  readonly nodes?: readonly number[];
  readonly weights: readonly number[];
  readonly targets: Int32Array;
  /** Entries taken away: f is the target's entry less this one. */
  readonly against?: Int32Array;
  readonly square?: boolean;
  /** Where points are of a value inside the model: the input rows [B, d], for the parts of the model that read them beside it. */
  readonly inputs?: Float32Array;
}
/** Tokens have no gradient: points are their embeddings, [T, width] a row, and `inputs` the tokens themselves. */
export interface Embedding {
  /** The value of the graph. */
  readonly name: string;
  readonly tokens: number;
  readonly width: number;
  /** Embeddings [n, T, width] of rows of tokens [n, T]. */
  of(tokens: Float32Array, signal: AbortSignal): Promise<Float32Array>;
}
export interface GradientSums {
  readonly gradient: Float64Array;
  readonly squared?: Float64Array;
  readonly values: Float64Array;
}

/** What is differentiated, where, and by which rules. */
export interface GradientAsk {
  /** Of class scores: the logit (default), the probability, or −log of it. */
  readonly scale?: Scale;
  /** A single score s stands for two classes, with the logits −s and s. */
  readonly mirrored?: boolean;
  /** A float value of the graph in the output's place: a neuron is one entry of it, counted in row-major order. */
  readonly of?: string;
  /** A float value of the graph in the input's place: points are values of it. */
  readonly at?: string;
  /** Other rules than the derivative's. `deeplift`: a path holds a point and its reference, with weights [1, 0]. */
  readonly rules?: RuleSet;
}

/** A float value inside the model that its output depends on. */
export interface LayerFacts {
  readonly name: string;
  /** Operator that makes it. */
  readonly op: string;
  /** Shape of one row. */
  readonly dims: readonly number[];
}

/** The model's gradients: those of the logits at the input, and every other. */
export interface ModelGradients extends GradientTool {
  /** Where the model's input is whole numbers that choose rows of a table. */
  readonly embedding?: Embedding;
  /** Values between input and output, in the order of computation. */
  readonly layers: readonly LayerFacts[];
  /** Names of the layers with weights, from the output back to the input. */
  readonly weighted: readonly string[];
  /** The model with the weights of its last `layers` layers drawn anew, each tensor from N(0, its own standard deviation). */
  redrawn(layers: number, random: Job['random']): Promise<ModelGradients>;
  /** The same tool for another question; compiled when first asked for. Throws `graph/no-gradient`, `graph/rule-set`, `evidence/layer`. */
  asked(ask: GradientAsk, signal: AbortSignal): Promise<GradientTool>;
  /** Values h of a layer [n, dh] at input rows `points` [n, d], ∂f_t/∂h [n, dh] and f [n]. Throws `evidence/layer`. */
  layer(
    ask: Pick<GradientAsk, 'scale' | 'of' | 'mirrored'> & { readonly at: string },
    request: PointRequest,
    signal: AbortSignal,
  ): Promise<{
    readonly dims: readonly number[];
    readonly activation: Float64Array;
    readonly gradient: Float64Array;
    readonly values: Float64Array;
  }>;
}

/** Logits and labels of all rows of a split, in one piece. */
export interface ScoreTable {
  readonly classes: number;
  /** Dataset row numbers. */
  readonly rows: Float64Array;
  readonly labels: Int32Array;
  /** [rows, classes], as the noun `logits`: a model's logits as float32, everything else as float64. */
  readonly logits: Float32Array | Float64Array;
  /** [rows, width]: what the model says of perturbed inputs, where it was asked. */
  readonly features?: Float64Array;
}

/** What the model says of changed inputs. */
export interface PerturbedTool {
  /** False for a table of predictions. */
  readonly given: boolean;
  /** Shape of one input row. */
  readonly inputDims: readonly number[];
  /** For the rows of a table, of split `name` ('' for those diagnosed): probabilities of its topK largest logits' classes under every perturbation. */
  features(name: string, table: ScoreTable, views: Views): Promise<Float64Array>;
}

/** Everything the model says about the rows, kept in memory: 4 bytes a row and class (8 where they are not a model's logits), and 12 a row. */
export interface ScoresTool {
  /** The rows diagnosed. */
  readonly shown: ScoreTable;
  /** The rows of another split of the same data. */
  split(name: string): Promise<ScoreTable>;
}

/** Trains a small net on matrices in memory, in compiled steps (src/training). */
export interface TrainerTool {
  /** Liu et al. 2024: minimises the correctness-aware loss of logits/τ(features) by Adam from `start` on. `losses` has one number a step. */
  temperatureNet(ask: {
    /** [rows, width]. */
    readonly features: Float64Array;
    /** [rows, classes]. */
    readonly logits: Float32Array | Float64Array;
    readonly labels: Int32Array;
    readonly classes: number;
    readonly start: Adaptive;
    readonly weighting: 'none' | 'balanced';
    readonly rate: number;
    readonly steps: number;
    readonly batch: number;
    /** Shuffles the rows. */
    readonly order: Random;
  }): Promise<{ readonly net: Adaptive; readonly losses: readonly number[] }>;
}

/** Writes the model anew with a calibrator behind the diagnosed output; its inputs and outputs stay. */
export interface CalibratedTool {
  /** Throws where a model cannot be written there; what it gives back writes it, with these facts in the metadata. An adaptive calibration reads `views`. */
  open(path: string): Promise<(calibration: Calibration, facts: Readonly<Record<string, string | number>>, views?: Views) => Promise<void>>;
}

/** Writes the model anew with a head behind the diagnosed output: its inputs and outputs stay, those of the head are added. */
export interface OutputHeadTool {
  /** A row of weights for every column of the diagnosed output, [columns, width]: those of the last Gemm, MatMul or Conv. Throws `evidence/class-weights`. */
  classWeights(): Promise<Values>;
  /** Throws where a model cannot be written there; what it gives back writes it, with these facts in the metadata, and names the outputs added. */
  open(path: string): Promise<(head: OutputHead, facts: Readonly<Record<string, string | number>>) => Promise<readonly string[]>>;
}

/** What one operator costs for one row; null where it cannot be counted. */
export interface OperatorCost {
  readonly name: string;
  readonly op: string;
  readonly parameters: number;
  /** Multiply–accumulates. */
  readonly macs: number | null;
  /** Elements of its output. */
  readonly activations: number | null;
}

/** What one row of this data's shape costs the model. */
export interface CostsTool {
  count(): Promise<{
    readonly operators: readonly OperatorCost[];
    readonly parameters: number;
    /** Most bytes of values alive at once in the file's order, inputs and outputs among them, and bytes of all of them; null where a size is not known. */
    readonly peakBytes: number | null;
    readonly totalBytes: number | null;
  }>;
}

/** One array or column of a data file. `dims` is the whole shape, number of rows (or other first axis) first. */
export interface StoredColumn {
  readonly name: string;
  readonly dtype: DType;
  readonly dims: readonly number[];
}
export interface Values {
  readonly dims: readonly number[];
  readonly data: Float64Array;
}

/**
 * The arrays of an `.npz`, or the columns of a table, whatever they mean, read by name. A study that uses it needs neither a model nor
 * predictions, and its text labels may be names that are no class of the model (numbered after those that are).
 */
export interface ColumnsTool {
  readonly path: string;
  readonly list: readonly StoredColumn[];
  /** Dataset numbers of the rows diagnosed (split, limit); of another file all its rows. */
  readonly rows: Float64Array;
  /** Array or column of the labels, where there is one, and that named as the rows (x). */
  readonly label?: string;
  readonly x?: string;
  /** The whole array in float64, also one whose first axis is not the rows. Throws `data/column`, `data/not-a-number`, `data/array-text`, `data/array-size`. */
  read(name: string, signal: AbortSignal): Promise<Values>;
  /** Of an array with a first axis as long as the rows, those diagnosed: [rows, …]. Throws also `data/array-rows`. */
  take(name: string, signal: AbortSignal): Promise<Values>;
  /** The rows diagnosed, columns as they are stored, a batch at a time. Throws `data/column`. */
  batches(
    names: readonly string[],
    signal: AbortSignal,
  ): AsyncGenerator<{ readonly rows: Float64Array; readonly columns: readonly Tensor[] }, void, undefined>;
  /** A whole array of text, or of numbers in words. */
  words(name: string, signal: AbortSignal): Promise<readonly string[]>;
  /** Dataset numbers of the rows of another split. */
  split(name: string, signal: AbortSignal): Promise<Float64Array>;
  /** Another data file, its path taken from the working directory. */
  file(path: string, signal: AbortSignal): Promise<ColumnsTool>;
}

/** What the model, or the table, says about all rows diagnosed, in memory, with labels as they are in the data. */
export interface OutputTable {
  /** Dataset row numbers. */
  readonly rows: Float64Array;
  readonly values: Matrix;
  /** Column names: classes for probabilities. */
  readonly names: readonly string[];
  /** NaN where missing; absent where the data have none. Text labels that are no class are numbered after the classes. */
  readonly labels?: Float64Array;
  /** What the numbers of text labels stand for. */
  readonly labelNames?: readonly string[];
}
export interface OutputsTool {
  /** False where neither a model nor the data give outputs. */
  readonly given: boolean;
  /** `values` as given (embeddings, predictions), or class probabilities; of another data file with `path`. */
  read(as: 'values' | 'probabilities', path?: string): Promise<OutputTable>;
  /** What another model, of one input, gives for rows of its input ([rows, …]): [rows, width]. */
  encode(model: string, inputs: Values): Promise<Values>;
}

/** Other models, or tables of predictions, on the rows diagnosed, and one model made of several. */
export interface EnsembleTool {
  /** Class probabilities of each, by its path (.onnx, else a table with as many rows), its labels as they are in the data. Throws `data/member-rows`. */
  read(paths: readonly string[]): Promise<readonly OutputTable[]>;
  /**
   * Throws where a file cannot be written there, or where the rows are no token ids. What it gives back writes the ensemble with its
   * gate as one model: of models read before, of heads on the subject's model, or of heads on token ids alone.
   */
  open(
    path: string,
    voters: Voters['kind'],
  ): Promise<(ensemble: GatedEnsemble, facts: Readonly<Record<string, string | number>>) => Promise<void>>;
}

/** Questions a study may put to the model. */
export interface Tools {
  gradient: ModelGradients;
  samples: SamplesTool;
  costs: CostsTool;
  scores: ScoresTool;
  calibrated: CalibratedTool;
  trainer: TrainerTool;
  perturbed: PerturbedTool;
  columns: ColumnsTool;
  maps: MapsOpener;
  outputHead: OutputHeadTool;
  biases: BiasTool;
  outputs: OutputsTool;
  retrain: RetrainTool;
  fresh: FreshTool;
  features: FeaturesTool;
  head: HeadTool;
  ensemble: EnsembleTool;
  pair: PairTool;
  weights: WeightsTool;
  loss: LossTool;
  attacks: AttackTool;
}
export type ToolName = keyof Tools;
