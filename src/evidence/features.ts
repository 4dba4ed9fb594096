import type { Smooth } from '../base/maths/lbfgs.ts';
import type { LinearHead } from '../base/maths/linear-head.ts';
import type { HeadRows } from '../base/maths/softmax-head.ts';

/** Which features of which rows. */
export interface FeatureAsk {
  /**
   * Name of a value of the graph, or of the node that makes it; '' or none: what the last Gemm, MatMul or Conv of the diagnosed
   * output reads. Without a model the features are columns of the data.
   */
  readonly layer?: string;
  /** Another split of the same data; none: the rows diagnosed. */
  readonly split?: string;
  /** How a row of several axes becomes one: means over all axes but the first or the last, or laid flat. `none` refuses such a row of a layer. */
  readonly pooling?: 'none' | 'channels-first' | 'channels-last' | 'flatten';
  /** Scores rather than features: no layer is the diagnosed output, and of what a Sigmoid makes, that which it reads. */
  readonly scores?: true;
}

export interface FeatureBatch {
  /** Dataset row numbers. */
  readonly rows: Float64Array;
  /** [rows, width], finite. */
  readonly features: Float32Array;
  /** As in the data, NaN where missing; absent where the data have none. */
  readonly labels?: Float64Array;
}

/** Features of a split, read batch by batch: one batch at a time is in memory. */
export interface FeatureStream {
  /** The value of the graph, or the columns of the data, in words for a report. */
  readonly layer: string;
  readonly width: number;
  /** Shape of one row before it was pooled or laid flat, and the operator that makes it: '' without a model. */
  readonly dims: readonly number[];
  readonly op: string;
  readonly count: number;
  batches(signal: AbortSignal): AsyncGenerator<FeatureBatch, void, undefined>;
}

/** Features of a split in one piece: 4 bytes a value and 12 a row. */
export interface FeatureTable {
  readonly layer: string;
  readonly width: number;
  /** Dataset row numbers. */
  readonly rows: Float64Array;
  /** [rows, width] */
  readonly features: Float32Array;
  /** Class of each row. */
  readonly labels: Int32Array;
  /** Names of the classes, where they are known. */
  readonly classNames?: readonly string[];
}

/** Values of a node of the model for the rows of a split; without a model, columns of the data. */
export interface FeaturesTool {
  /** What the diagnosed output's last Gemm, MatMul or Conv reads; undefined without a model, and where no single one makes the output. */
  readonly last: string | undefined;
  /** The first batch is read at once, so that the width is known. */
  open(ask: FeatureAsk): Promise<FeatureStream>;
  /** All rows of labelled data. Throws `evidence/no-labels`, `evidence/features-size` and what is wrong with the labels. */
  read(ask: FeatureAsk): Promise<FeatureTable>;
}

/** Linear heads on features: what is minimised to fit one, and the model written with one. */
export interface HeadTool {
  /** The mean objective of `softmaxHead` on these rows, computed where it is quickest. */
  objective(rows: HeadRows, strength: number): Promise<Smooth>;
  /**
   * Throws where a file cannot be written there. What it gives back writes the model cut off at the features, with the head in place
   * of what made the diagnosed output: the output keeps its name and is probabilities where it
   * was. Without a model the file takes the columns of the data.
   */
  open(
    path: string,
  ): Promise<
    (
      head: LinearHead,
      from: Pick<FeatureAsk, 'layer' | 'pooling'>,
      classNames: readonly string[],
      facts: Readonly<Record<string, string | number>>,
    ) => Promise<void>
  >;
}
