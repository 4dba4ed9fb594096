import type { Node } from './types.ts';

/** A node of one output, named after it, without attributes. */
export const plainNode = (op: string, inputs: readonly string[], output: string): Node => ({
  op,
  domain: '',
  name: output,
  inputs,
  outputs: [output],
  attributes: {},
});
