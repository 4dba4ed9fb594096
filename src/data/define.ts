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

/** A folder and everything under it. */
export interface Folder {
  readonly path: string;
  /** Paths of the files under it, with `/`, sorted; what begins with a dot is left out. */
  files(): Promise<readonly string[]>;
  open(file: string): Promise<Source>;
}

/** Image files behind the rows of a dataset, in order. */
export interface ImageFiles {
  readonly files: readonly { readonly name: string; readonly width: number; readonly height: number }[];
  /** The pixels of one file as stored, channels interleaved. */
  decode(
    row: number,
    signal?: AbortSignal,
  ): Promise<{ readonly width: number; readonly height: number; readonly channels: 1 | 3; readonly data: Uint8Array | Uint16Array }>;
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
  /** The label column that class names among them are of, where it is known: of another column they say nothing. */
  readonly namesOf?: string;
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
  /** Where rows are image files. */
  readonly images?: ImageFiles & {
    /** 3 where some image has colour. */
    readonly channels: 1 | 3;
    /** Masks that lie beside the images in a folder of their own. */
    readonly masks?: ImageFiles;
    /** The same rows, each image brought to this size, and to this number of channels where it is given. */
    sized(height: number, width: number, channels: 1 | 3 | undefined): Dataset;
  };
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
