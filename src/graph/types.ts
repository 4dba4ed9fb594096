import type { DType } from '../base/tensor.ts';

/** ONNX in memory: plain readonly data, no protobuf. Values are named; '' is an omitted optional input or output. */
export type Dim = number | string | undefined;

/** `dims` undefined means unknown rank. A string is a symbolic axis. */
export interface TensorType {
  readonly kind: 'tensor';
  readonly dtype: DType;
  readonly dims?: readonly Dim[];
}
export type ValueType =
  | TensorType
  | { readonly kind: 'sequence' | 'optional'; readonly of?: ValueType }
  | { readonly kind: 'map'; readonly key: DType; readonly of?: ValueType }
  | { readonly kind: 'sparse'; readonly dtype: DType; readonly dims?: readonly Dim[] };

export interface ValueInfo {
  readonly name: string;
  readonly type?: ValueType;
  readonly doc?: string;
}

/**
 * A stored tensor. Exactly one holds the elements: `bytes` (little-endian, packed as ONNX raw_data, a view on the
 * file where possible), `strings`, or `external` (on disk beside the model, read when needed).
 */
export interface Constant {
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly bytes?: Uint8Array;
  readonly strings?: readonly Uint8Array[];
  readonly external?: { readonly location: string; readonly offset: number; readonly length: number };
}

export interface SparseConstant {
  readonly values: Constant;
  readonly indices: Constant;
  readonly dims: readonly number[];
}

/** int64 attributes are JavaScript numbers; beyond ±2^63 they saturate on writing (exporters use INT64_MAX as "to the end"). */
export type Attribute =
  | { readonly type: 'int' | 'float'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'ints' | 'floats'; readonly value: readonly number[] }
  | { readonly type: 'strings'; readonly value: readonly string[] }
  | { readonly type: 'tensor'; readonly value: Constant }
  | { readonly type: 'tensors'; readonly value: readonly Constant[] }
  | { readonly type: 'sparse'; readonly value: SparseConstant }
  | { readonly type: 'sparses'; readonly value: readonly SparseConstant[] }
  | { readonly type: 'graph'; readonly value: Graph }
  | { readonly type: 'graphs'; readonly value: readonly Graph[] }
  | { readonly type: 'type'; readonly value: ValueType }
  | { readonly type: 'types'; readonly value: readonly ValueType[] }
  /** Inside a function body: the attribute of the call that takes its place. */
  | { readonly type: 'reference'; readonly value: string };

export type Attributes = Readonly<Record<string, Attribute>>;

export interface Node {
  readonly op: string;
  /** '' is the standard domain (`ai.onnx` is read as ''). */
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
  readonly doc?: string;
  readonly overload?: string;
}

export interface Graph {
  readonly name: string;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** In topological order. */
  readonly nodes: readonly Node[];
  readonly initializers: ReadonlyMap<string, Constant>;
  readonly sparseInitializers?: ReadonlyMap<string, SparseConstant>;
  /** Types of intermediate values, where known. */
  readonly values: ReadonlyMap<string, ValueType>;
  readonly doc?: string;
}

export interface FunctionDef {
  readonly name: string;
  readonly domain: string;
  readonly overload?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: readonly string[];
  readonly defaults: Attributes;
  readonly nodes: readonly Node[];
  readonly opsets: ReadonlyMap<string, number>;
  readonly doc?: string;
}

export interface Model {
  readonly irVersion: number;
  readonly opsets: ReadonlyMap<string, number>;
  readonly producer: string;
  readonly producerVersion: string;
  readonly domain: string;
  readonly version: number;
  readonly doc?: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly graph: Graph;
  readonly functions: readonly FunctionDef[];
  /** Folder of the file, for external data; absent for a model made in memory. */
  readonly folder?: string;
}
