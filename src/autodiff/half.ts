import { intOf } from '../graph/attribute.ts';
import type { Emit } from '../graph/emit.ts';
import { dtypes } from '../graph/schema.ts';

/**
 * The float32 value that stands for one in half precision, in a graph that computes in float32 between casts
 * (graph/passes/half.ts): what an output was cast from, what an input or parameter is cast to. Derivatives are taken there.
 * Other values stand for themselves.
 */
export const precise = (emit: Emit, x: string): string => {
  const dtype = emit.type(x)?.dtype;
  if (dtype !== 'float16' && dtype !== 'bfloat16') return x;
  const from = emit.producer(x);
  if (from?.op === 'Cast' && emit.type(from.inputs[0])?.dtype === 'float32') return from.inputs[0];
  const to = emit.nodes.find((n) => n.op === 'Cast' && n.inputs[0] === x && dtypes[intOf(n, 'to', 0)] === 'float32');
  return to?.outputs[0] ?? x;
};
