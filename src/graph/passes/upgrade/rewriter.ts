import type { Given } from '../../emit.ts';
import type { Constant, Node, TensorType } from '../../types.ts';

/** What the rewrite of one node may use. */
export interface Rewriter {
  /** Operator set version the node was written for. */
  readonly version: number;
  /** Appends an operator of the newest form and gives its first output, which is `output` where given. */
  call(op: string, inputs: readonly string[], attributes?: Readonly<Record<string, Given>>, output?: string): string;
  /** Appends a node as it is. */
  push(node: Node): void;
  /** A name that nothing has. */
  fresh(stem: string): string;
  /** A 1-d int64 constant. */
  ints(values: readonly number[]): string;
  /** A 1-d float32 constant. */
  floats(values: readonly number[]): string;
  /** A 0-d constant of the element type of `x`. */
  scalarLike(value: number, x: string): string;
  type(value: string): TensorType | undefined;
  constant(value: string): Constant | undefined;
  /** Makes `constant` known as `name`. */
  store(name: string, constant: Constant): void;
  /** Throws `graph/unsupported`. */
  refuse(reason: string): never;
}

/**
 * How a node written before operator set `before` reads in the current form: the node to go on with, or undefined where the
 * rewrite has appended everything itself.
 */
export interface Upgrade {
  readonly before: number;
  readonly rewrite: (node: Node, at: Rewriter) => Node | undefined;
}
/** Operator → its upgrades, oldest first. */
export type Upgrades = Readonly<Record<string, readonly Upgrade[]>>;

/** The node without some attributes. */
export const without = (node: Node, ...names: readonly string[]): Node => ({
  ...node,
  attributes: Object.fromEntries(Object.entries(node.attributes).filter(([k]) => !names.includes(k))),
});

/** The node with input `index` set, '' for any missing before it. */
export const withInput = (node: Node, index: number, value: string): Node => {
  const inputs = [...node.inputs];
  while (inputs.length < index) inputs.push('');
  inputs[index] = value;
  return { ...node, inputs };
};
