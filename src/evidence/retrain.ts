/** What one training run reached. */
export interface Retrained {
  /** Least validation loss, and greatest validation accuracy of classes, over the evaluations. */
  readonly loss: number;
  readonly accuracy?: number;
  readonly epochs: number;
  readonly steps: number;
}

export interface RetrainAsk {
  /** Draws the first values of the parameters and the order of rows. */
  readonly seed: number;
  /** Multiplies the recipe's learning rate. */
  readonly rate?: number;
  /** In place of the recipe's length. */
  readonly steps?: number;
  /** Ends after so many evaluations without a lower validation loss. */
  readonly patience?: number;
}

/** A recipe that can be trained again and again on parts of its training rows, its validation rows staying the same. */
export interface Retraining {
  /** Rows that may be trained on, and their dataset row numbers. */
  readonly rows: Float64Array;
  /** Class, or value, of each of them. */
  readonly labels: Float64Array;
  /** 0 where values are predicted. */
  readonly classes: number;
  readonly validation: number;
  /** Validation rows whose input is that of a training row, too. */
  readonly repeated: number;
  /** Trained numbers. */
  readonly parameters: number;
  /** Steps of the recipe on all rows. */
  readonly steps: number;
  /** Trains on the rows at these places of `rows`. */
  train(places: ArrayLike<number>, ask: RetrainAsk): Promise<Retrained>;
}

/** Trains the model of a recipe anew. */
export interface RetrainTool {
  /** Throws `training/…`, and `training/other-data` where the recipe trains on another file than that of the run. */
  open(recipe: string): Promise<Retraining>;
}
