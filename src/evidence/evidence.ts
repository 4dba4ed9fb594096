import type { Calibration } from '../base/calibration.ts';
import type { DType, Tensor } from '../base/tensor.ts';

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
  /** Column of the data → its values in words: the columns that options named `group` ask for, and `group`, where the data have them. */
  groups: Readonly<Record<string, readonly string[]>>;
}
export type Noun = keyof Evidence;

/** Facts about the subject that hold for all batches. */
export interface Subject {
  /** Class names, by index. */
  readonly classes: readonly string[];
  readonly rows: number;
  /** How probabilities were made: from logits (softmax or sigmoid) or given; `values` are no class scores. */
  readonly scores: 'logits' | 'probabilities' | 'values' | 'none';
  readonly modelName?: string;
  readonly dataName: string;
}

/** Gradient of one chosen output per row, at points of a path; compiled once, the path runs as a batch axis. */
export interface GradientTool {
  /** Name of the model output whose entries are the targets; `logits` where a final Softmax/Sigmoid could be skipped. */
  readonly output: string;
  /** Columns of that output. */
  readonly targets: number;
  /** Shape of one input row, e.g. [1, 8, 8]. */
  readonly inputDims: readonly number[];
  /**
   * For every row b: Σ_i weights[i] · ∇f_t(b)(points[b, i]), with f_t the target's output entry.
   * `points` is [B, S, ...inputDims] laid out flat; `gradient` and `values` come back as [B, d] and [B, S].
   * With `square`, also Σ_i weights[i] · (∇f)². Chunked over S and B so that memory stays bounded.
   */
  sum(
    request: {
      readonly rows: number;
      readonly points: Float32Array;
      readonly weights: readonly number[];
      readonly targets: Int32Array;
      readonly square?: boolean;
    },
    signal: AbortSignal,
  ): Promise<{ readonly gradient: Float64Array; readonly squared?: Float64Array; readonly values: Float64Array }>;
}

/** Chosen rows of the dataset as the model sees them. */
export interface SamplesTool {
  readonly count: number;
  readonly inputDims: readonly number[];
  /** `x` is [n, ...inputDims] after preprocessing; `outputs` the diagnosed output [n, classes]; `labels` where the data has them. */
  take(
    positions: readonly number[],
    signal: AbortSignal,
  ): Promise<{ readonly x: Tensor; readonly rows: readonly number[]; readonly outputs: Matrix; readonly labels?: Int32Array }>;
  /** Input values of dataset rows before mean and standard deviation, [n, ...dims], in the shape in which a row is a picture, if it is one. */
  plain?(
    rows: readonly number[],
    signal: AbortSignal,
  ): Promise<{ readonly values: Float64Array; readonly dims: readonly number[] } | undefined>;
}

/** Logits and labels of all rows of a split, in one piece. */
export interface ScoreTable {
  readonly classes: number;
  /** Dataset row numbers. */
  readonly rows: Float64Array;
  readonly labels: Int32Array;
  /** [rows, classes], as the noun `logits`: a model's logits as float32, everything else as float64. */
  readonly logits: Float32Array | Float64Array;
}

/** Everything the model says about the rows, kept in memory: 4 bytes a row and class (8 where they are not a model's logits), and 12 a row. */
export interface ScoresTool {
  /** The rows diagnosed. */
  readonly shown: ScoreTable;
  /** The rows of another split of the same data. */
  split(name: string): Promise<ScoreTable>;
}

/** Writes the model anew with a calibrator behind the diagnosed output; its inputs and outputs stay. */
export interface CalibratedTool {
  /** Throws where a model cannot be written there; what it gives back writes it, with these facts in the metadata. */
  open(path: string): Promise<(calibration: Calibration, facts: Readonly<Record<string, string | number>>) => Promise<void>>;
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
  /** Array or column of the labels, where there is one. */
  readonly label?: string;
  /** The whole array in float64, also one whose first axis is not the rows. Throws `data/column`, `data/not-a-number`, `data/array-text`, `data/array-size`. */
  read(name: string, signal: AbortSignal): Promise<Values>;
  /** Of an array with a first axis as long as the rows, those diagnosed: [rows, …]. Throws also `data/array-rows`. */
  take(name: string, signal: AbortSignal): Promise<Values>;
  /** A whole array of text, or of numbers in words. */
  words(name: string, signal: AbortSignal): Promise<readonly string[]>;
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
  /** `values` as given (embeddings, predictions), or class probabilities. */
  read(as: 'values' | 'probabilities'): Promise<OutputTable>;
}

/** Questions a study may put to the model. */
export interface Tools {
  gradient: GradientTool;
  samples: SamplesTool;
  costs: CostsTool;
  scores: ScoresTool;
  calibrated: CalibratedTool;
  columns: ColumnsTool;
  outputs: OutputsTool;
}
export type ToolName = keyof Tools;
