import type { Tensor } from '../base/tensor.ts';
import type { Token } from '../data/text-words.ts';
import type { Matrix } from './evidence.ts';

/** Chosen rows of the dataset as the model sees them. */
export interface SamplesTool {
  readonly count: number;
  readonly inputDims: readonly number[];
  /** `x` is [n, ...inputDims] after preprocessing; `outputs` the diagnosed output [n, classes]; `labels` where the data has them. */
  take(
    positions: readonly number[],
    signal: AbortSignal,
  ): Promise<{ readonly x: Tensor; readonly rows: readonly number[]; readonly outputs: Matrix; readonly labels?: Int32Array }>;
  /** Names of the numbers in a row, where they are columns of a table. */
  readonly names?: readonly string[];
  /** The words behind the tokens of dataset rows, [n][tokens], and the token that fills rows up, where the input is tokens. */
  words?(rows: readonly number[], signal: AbortSignal): Promise<readonly (readonly Token[])[] | undefined>;
  readonly padding?: number;
  /** The token that hides a word, if there is one. */
  readonly mask?: number;
  /** Input values of dataset rows before mean and standard deviation, [n, ...dims], in the shape in which a row is a picture, if it is one. */
  plain?(
    rows: readonly number[],
    signal: AbortSignal,
  ): Promise<{ readonly values: Float64Array; readonly dims: readonly number[] } | undefined>;
}
