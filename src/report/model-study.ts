import type { DataRef, Device, ModelRef } from '../base/request.ts';
import type { ModelValue } from './tasks.ts';

/** `added` and `removed` as seen from the first file. */
export type DiffStatus = 'added' | 'removed' | 'changed' | 'same';

export interface DiffSide {
  readonly path: string;
  readonly bytes: number;
  readonly producer: string;
  readonly opsets: Readonly<Record<string, number>>;
  readonly inputs: readonly ModelValue[];
  readonly outputs: readonly ModelValue[];
  readonly nodes: number;
  readonly parameters: number;
  readonly macs: number | null;
}
export interface NodeDiff {
  readonly status: DiffStatus;
  /** As the file calls it that has it; the first where both do. */
  readonly name: string;
  /** Where the other file calls it otherwise. */
  readonly otherName?: string;
  readonly op: string;
  readonly dims: ModelValue['dims'];
  /** What changed, one sentence each. */
  readonly changes: readonly string[];
}
export interface TensorDiff {
  readonly status: DiffStatus;
  readonly name: string;
  readonly otherName?: string;
  readonly dtype: string;
  readonly dims: readonly number[];
  readonly otherDims?: readonly number[];
  readonly otherDtype?: string;
  /** Of both, where they have one shape and their elements are numbers. */
  readonly values?: {
    readonly elements: number;
    readonly maxAbs: number;
    /** ‖a − b‖ / ‖a‖; null where a is all zeros and b is not. */
    readonly relative: number | null;
    /** Null where one is all zeros. */
    readonly cosine: number | null;
    readonly norm: number;
    readonly otherNorm: number;
    /** Places where one is not finite and the other not the same. */
    readonly notFinite: number;
  };
}
/** Two model files, node by node and tensor by tensor. */
export interface ModelDiff {
  readonly sides: readonly [DiffSide, DiffSide];
  /** What differs in headers, inputs and outputs. */
  readonly headers: readonly { readonly label: string; readonly first: string; readonly other: string }[];
  readonly nodes: readonly NodeDiff[];
  readonly tensors: readonly TensorDiff[];
  readonly notes: readonly string[];
}

export interface ProfileRequest {
  readonly model: ModelRef;
  readonly data: DataRef;
  readonly device: Device;
  /** At most so many rows of the data. */
  readonly rows: number;
}
/** What a layer did with the rows: time, and the moments of its first output. */
export interface LayerActivity {
  /** Milliseconds for one batch, the median of the timed runs; null where ONNX Runtime tells none. */
  readonly ms: number | null;
  readonly values: {
    readonly count: number;
    /** Of the finite ones; absent where there is none. */
    readonly min?: number;
    readonly max?: number;
    readonly mean?: number;
    readonly deviation?: number;
    /** Shares of all elements. */
    readonly zeros: number;
    readonly nan: number;
    readonly infinite: number;
  } | null;
}
export interface ModelProfile {
  readonly data: string;
  readonly rows: number;
  /** Rows of a timed batch. */
  readonly batch: number;
  /** Runs timed, after one to warm up. */
  readonly runs: number;
  /** Milliseconds of a batch: of all nodes one after another, and of a run as ONNX Runtime optimises it. */
  readonly nodesMs: number;
  readonly optimisedMs: number;
  /** In the order of `ModelLayers.layers`. */
  readonly layers: readonly LayerActivity[];
  readonly notes: readonly string[];
}
