import type { Fault } from '../base/fault.ts';
import type { DType, Tensor } from '../base/tensor.ts';

/** A file, a workspace URI or a test's array. Reads never pass `size`. */
export interface Source {
  readonly name: string;
  readonly path: string;
  readonly size: number;
  read(from: number, to: number, signal?: AbortSignal): Promise<Uint8Array>;
  /** A file beside this one, for formats and options that name a second file. */
  beside(name: string): Promise<Source>;
}

/** One column (array) of a dataset: `dims` is the shape of one row, [] for a scalar. */
export interface Column {
  readonly name: string;
  readonly dtype: DType;
  readonly dims: readonly number[];
  /** Of a text column of a text table: how many fields are no numbers, and the first of them. */
  readonly words?: { readonly count: number; readonly line: number; readonly first: string };
}

/**
 * An opened file: equal-length columns, read by slices so that a dataset larger than memory works.
 * `extras` are arrays of another length stored in the same file (row indices of a split, class names).
 */
export interface Dataset {
  readonly format: string;
  readonly path: string;
  readonly length: number;
  readonly columns: readonly Column[];
  readonly extras: readonly (Column & { readonly length: number })[];
  /** Arrays of the file that are refused, with why: thrown when one of them is asked for. */
  readonly refused?: ReadonlyMap<string, Fault>;
  /** What the reader assumed about the file, for the report. */
  readonly notes?: readonly string[];
  /** Rows [from, to) of the named columns; each tensor has dims [to-from, ...column.dims]. */
  slice(columns: readonly string[], from: number, to: number, signal?: AbortSignal): Promise<readonly Tensor[]>;
  /** The rows named, in the order given. */
  take(columns: readonly string[], rows: ArrayLike<number>, signal?: AbortSignal): Promise<readonly Tensor[]>;
  /** A whole extra array. */
  extra(name: string, signal?: AbortSignal): Promise<Tensor>;
  /** The same file seen through the arrays as long as this extra (`x_test` beside `x_train`). */
  view?(extra: string): Dataset;
  close(): Promise<void>;
}

/** A file format. `knows` looks at the first bytes; `endings` are lower case with the dot (`.npz`, `-ubyte.gz`). */
export interface Reader {
  readonly id: string;
  readonly title: string;
  readonly endings: readonly string[];
  knows(head: Uint8Array, name: string): boolean;
  open(source: Source, signal?: AbortSignal): Promise<Dataset>;
}

export const defineReader = (reader: Reader): Reader => reader;
