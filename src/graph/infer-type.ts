import type { Dim, Node, TensorType } from './types.ts';

/** What a row of the tables of types is: types of a node's outputs from those of its inputs. */
export type Dims = readonly Dim[] | undefined;
export interface At {
  readonly node: Node;
  readonly x: readonly (TensorType | undefined)[];
  /** Numbers of a constant input, if it is one. */
  ints(input: number): readonly number[] | undefined;
}
export type Infer = (at: At) => (TensorType | undefined)[];

export const tensor = (dtype: TensorType['dtype'], dims: Dims): TensorType =>
  dims ? { kind: 'tensor', dtype, dims } : { kind: 'tensor', dtype };
export const like = (x: TensorType | undefined, dims: Dims): (TensorType | undefined)[] => [x && tensor(x.dtype, dims)];
