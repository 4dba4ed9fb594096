import type { Fault } from '../base/fault.ts';
import type { GivenRow } from '../base/request.ts';
import type { Tensor } from '../base/tensor.ts';
import type { Dataset } from '../data/define.ts';
import type { GivenText } from '../data/text-fit.ts';
import type { Token } from '../data/text-words.ts';
import type { Matrix } from './evidence.ts';

/** One batch of bound data: the model's input, or, for a table of predictions, its scores. */
export interface BoundBatch {
  /** Dataset row numbers. */
  readonly rows: Float64Array;
  readonly x?: Tensor;
  readonly scores?: Matrix;
  /** Class numbers or targets; NaN where missing. */
  readonly labels?: Float64Array;
  /** 0 or 1 for each of several labels, where they were asked for. */
  readonly marks?: Matrix;
  /** Values, in words, of the columns to group by. */
  readonly groups?: Readonly<Record<string, readonly string[]>>;
}

/** A row that was given, as the model takes it. */
export interface GivenBatch {
  /** [1, ...inputDims] */
  readonly x: Tensor;
  /** Of a model of tokens: the text as tokens, and the field it stood in. */
  readonly text?: GivenText & { readonly field?: number };
  /** Else the field behind each value of the input. */
  readonly fields?: readonly number[];
}

/** A dataset bound to a model's input: which rows, in which shape, with which labels. */
export interface Bound {
  readonly path: string;
  /** File name. */
  readonly name: string;
  /** Rows of the split, cut at the limit. */
  readonly count: number;
  /** Shape of one input row; [] for a table of predictions. */
  readonly inputDims: readonly number[];
  /** The words behind rows of tokens, by dataset rows, and the token that fills rows up, where text was read as tokens. */
  readonly text?: {
    words(rows: readonly number[], signal: AbortSignal): Promise<readonly (readonly Token[])[]>;
    readonly padding: number;
    /** Number of tokens that there are. */
    readonly size: number;
    readonly mask?: number;
  };
  /** Names of the columns that make up an input row, where each is one number of it. */
  readonly inputNames?: readonly string[];
  readonly labelled: boolean;
  /** Columns and arrays of the file, for faults that ask for a name. */
  readonly known: readonly string[];
  /** Columns to group by that were asked for and hold one value a row. */
  readonly groups: readonly string[];
  /** Class names by index: given with the model, those of text labels, or stored in the file. */
  readonly classNames?: readonly string[];
  /** `labels`: the numbers of text labels hang on these names, so they must be as many as the classes. `stored`: only shown, where they fit. */
  readonly namesFrom: 'given' | 'labels' | 'stored';
  /** Names of a table's columns of predictions, where they are several. */
  readonly predictionNames?: readonly string[];
  /** Kind of a table's scores; absent where a model makes them. */
  readonly table?: 'probabilities' | 'logits' | 'score' | 'values';
  /** Why rows have no scores, where neither a model nor the data give any. */
  readonly unscored?: Fault;
  /** The array that was named as the rows (x), where they have no scores. */
  readonly rowsNamed?: string;
  /** The file itself, for what is read of it by name, and its column of labels. */
  readonly dataset: Dataset;
  readonly labelColumn?: string;
  /** What the numbers of text labels stand for. */
  readonly labelNames?: readonly string[];
  /** Elements of one row as stored, for the size of batches. */
  readonly rowSize: number;
  rowAt(position: number): number;
  batches(size: number, signal: AbortSignal): AsyncGenerator<BoundBatch, void, undefined>;
  /** Rows by their positions in the split, in the order given. */
  take(positions: readonly number[], signal: AbortSignal): Promise<BoundBatch>;
  /** Rows by their numbers in the dataset, in the order given. */
  takeRows(rows: readonly number[], signal: AbortSignal): Promise<BoundBatch>;
  /** Input values before mean and standard deviation, [n, ...dims], of rows by their numbers, where rows are pictures; `dims` is the shape in which they are. */
  plain(
    rows: readonly number[],
    signal: AbortSignal,
  ): Promise<{ readonly values: Float64Array; readonly dims: readonly number[] } | undefined>;
  /** A row of the same kind that is not in the data, where they feed a model. Throws `data/given-width`, `data/given-field`, `data/given-text`. */
  given?(row: GivenRow): GivenBatch;
  close(): Promise<void>;
}
