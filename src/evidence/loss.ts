/** Which loss of which rows. */
export interface LossAsk {
  readonly loss: 'cross-entropy' | 'binary-cross-entropy' | 'mse';
  /** Rows drawn without replacement; 0 for all. */
  readonly rows: number;
}

/** A trained tensor, by its place in the vector of parameters. */
export interface TrainedTensor {
  readonly name: string;
  readonly size: number;
}

/** Gradients gᵢ of single rows, the tensors of parameters apart. */
export interface RowGradients {
  /** ℓᵢ [rows]. */
  readonly losses: Float64Array;
  /** ‖gᵢ‖² and ⟨gᵢ, v⟩, [rows, tensors]. */
  readonly squares: Float64Array;
  readonly along: Float64Array;
  /** Σᵢ gᵢⱼ², one number for every parameter. */
  readonly second: Float64Array;
}

/** The mean loss of some rows as a function of the parameters, with the model in inference form. */
export interface OpenLoss {
  /** Dataset row numbers of the rows. */
  readonly rows: Float64Array;
  /** Rows that there are. */
  readonly of: number;
  readonly tensors: readonly TrainedTensor[];
  /** Parameters of the model, and their number. */
  readonly theta: Float64Array;
  readonly size: number;
  gradient(theta: Float64Array): Promise<{ readonly loss: number; readonly gradient: Float64Array }>;
  /** Times the Hessian, the Gauss–Newton matrix, or (1/N) Σ gᵢgᵢᵀ. */
  product(kind: 'hessian' | 'gauss-newton' | 'fisher', theta: Float64Array, v: Float64Array): Promise<Float64Array>;
  rowGradients(theta: Float64Array, v: Float64Array): Promise<RowGradients>;
}

/** The loss that the model diagnosed could be trained by. */
export interface LossTool {
  /** Throws `training/…` where the model cannot be trained so, or labels do not fit. */
  open(ask: LossAsk): Promise<OpenLoss>;
}
