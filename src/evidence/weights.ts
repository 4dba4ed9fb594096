import type { Matrix } from './evidence.ts';
import type { LabelledRows } from './fresh.ts';

/** One trained tensor of a model. */
export interface WeightTensor {
  readonly name: string;
  readonly dims: readonly number[];
  /** Axis of the output channels. */
  readonly channels: number;
  readonly values: Float64Array;
}

/** The model as a function of its parameters, on some rows. */
export interface WeightsAt {
  readonly tensors: readonly WeightTensor[];
  /** Operators of the model that normalise, by name, each with how often it stands there. */
  readonly normalisations: Readonly<Record<string, number>>;
  /** Mean cross-entropy of the rows, and its gradient by tensor. */
  gradient(): Promise<{ readonly loss: number; readonly gradients: readonly Float64Array[] }>;
  /** Class scores of the rows, with other values in the place of one tensor's. */
  scores(change?: { readonly at: number; readonly values: Float64Array }): Promise<Matrix>;
}

/** Parameters as inputs: gradients and changes of single tensors. */
export interface WeightsTool {
  /** Batch normalisations use the statistics of these rows, or those stored. Throws `training/…`. */
  open(rows: Pick<LabelledRows, 'x' | 'dims' | 'labels' | 'classes'>, ask: { readonly statistics: 'batch' | 'stored' }): Promise<WeightsAt>;
}
