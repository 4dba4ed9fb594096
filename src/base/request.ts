/** What a user asks for, as plain data: the same on the command line, in `assay.json`, in VS Code and between processes. */
export type Device = 'auto' | 'cpu' | 'cuda' | 'webgpu' | 'dml' | 'coreml';

export interface ModelRef {
  readonly path: string;
  /** Graph input that receives the data, and output that is diagnosed; where absent the only (or first) one. */
  readonly input?: string;
  readonly output?: string;
  /** Class names in index order. */
  readonly labels?: readonly string[];
}

export interface Preprocess {
  readonly scale?: number;
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  readonly layout?: 'nchw' | 'nhwc' | 'flat';
  /** `HxW` */
  readonly resize?: string;
  /** Path of a `tokenizer.json` or a vocabulary, for columns of text. */
  readonly tokenizer?: string;
}

export interface DataRef {
  readonly path: string;
  /** Array, column or file that holds the inputs and the labels. */
  readonly x?: string;
  readonly y?: string;
  /** A separate label file (IDX). */
  readonly labels?: string;
  /** `train`, `test`, a fraction (`0.2` or `0.2@SEED`), `COLUMN=VALUE`, or `@ARRAY` of row indices stored in the file. */
  readonly split?: string;
  readonly preprocess?: Preprocess;
  /** Predictions tables: `prob=REGEX,label=NAME`. */
  readonly columns?: string;
}

/** A row that stands in no data file: a text, or the fields of a table in the order of its columns. */
export type GivenRow = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'fields'; readonly fields: readonly string[] };

/** What a subject is compared with: another model on the same data (or the same rows prepared otherwise), or a table of predictions. */
export interface AgainstRef {
  readonly model?: ModelRef;
  readonly data?: DataRef;
}

/** One diagnostic on one subject. Without `model` the data is a predictions table. */
export interface RunRequest {
  readonly id: string;
  readonly model?: ModelRef;
  readonly data: DataRef;
  /** For diagnostics that compare two. */
  readonly against?: AgainstRef;
  readonly options: Readonly<Record<string, unknown>>;
  readonly device: Device;
  readonly seed: number;
  /** At most this many rows of the split, the first ones. */
  readonly limit?: number;
}

/** A gate on one headline number; `bound` names the side of its interval that must satisfy it. */
export interface Expectation {
  readonly min?: number;
  readonly max?: number;
  readonly bound?: 'point' | 'lower' | 'upper';
  readonly level?: number;
}

export interface Check {
  readonly name: string;
  readonly run: string;
  readonly model?: string;
  readonly data: string;
  /** A model, or a dataset that is a table of predictions, that the check compares with. */
  readonly against?: string;
  /** Dataset for the model compared with, where its inputs are prepared otherwise. */
  readonly againstData?: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly expect?: Readonly<Record<string, Expectation>>;
}

/** `assay.json`. Paths are relative to the file. */
export interface Suite {
  readonly models?: Readonly<Record<string, ModelRef>>;
  readonly datasets?: Readonly<Record<string, DataRef>>;
  readonly checks?: readonly Check[];
}
