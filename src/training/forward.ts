import { floatOf } from '../graph/attribute.ts';
import type { Emit } from '../graph/emit.ts';
import type { Graph, Node } from '../graph/types.ts';
import { readsOf } from '../graph/walk.ts';

/** Nodes that `wanted` depends on, in the graph's order. */
const needed = (graph: Graph, wanted: string): Node[] => {
  const names = new Set([wanted]);
  const kept = graph.nodes.toReversed().filter((node) => {
    if (!node.outputs.some((o) => names.has(o))) return false;
    for (const name of readsOf(node)) names.add(name);
    return true;
  });
  return kept.toReversed();
};

/**
 * Batch normalisation by the batch's own mean and biased variance. The stored mean and variance move by 1 − momentum,
 * the variance toward the unbiased one: n/(n−1) of what ONNX adds.
 */
const normalise = (emit: Emit, node: Node, stored: ReadonlyMap<string, string>): readonly (readonly [string, string])[] => {
  const [x, scale, shift, mean, variance] = node.inputs;
  const momentum = floatOf(node, 'momentum', 0.9);
  const inputs = [x, scale, shift, stored.get(mean) ?? mean, stored.get(variance) ?? variance];
  const outputs = [node.outputs[0], emit.fresh(`${mean}.next`), emit.fresh(`${variance}.biased`)];
  emit.node({ ...node, inputs, outputs, attributes: { ...node.attributes, training_mode: { type: 'int', value: 1 } } });
  const dtype = emit.type(scale)?.dtype ?? 'float32';
  const channels = emit.type(mean)?.dims;
  for (const value of outputs.slice(1)) emit.typed(value, { kind: 'tensor', dtype, ...(channels ? { dims: channels } : {}) });
  const count = emit.call('CastLike', [emit.Div(emit.Size(x), emit.Size(mean)), scale]);
  const bessel = emit.Div(count, emit.Max(emit.Sub(count, emit.scalar(1)), emit.scalar(1)));
  const kept = emit.Mul(emit.scalar(momentum), inputs[4]);
  const unbiased = emit.Add(kept, emit.Mul(bessel, emit.Sub(outputs[2], kept)));
  return [
    [mean, outputs[1]],
    [variance, unbiased],
  ];
};

/**
 * Records the nodes that `output` depends on. Those of `norms` are put in training form, with the stored statistics
 * under the names of `stored`; the result tells the next value of each.
 */
export const emitForward = (
  emit: Emit,
  graph: Graph,
  output: string,
  norms: ReadonlySet<Node>,
  stored: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> => {
  const next = new Map<string, string>();
  for (const node of needed(graph, output)) {
    if (!norms.has(node)) emit.node(node);
    else for (const [name, value] of normalise(emit, node, stored)) next.set(name, value);
  }
  return next;
};
