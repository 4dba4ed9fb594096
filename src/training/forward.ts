import { floatOf } from '../graph/attribute.ts';
import type { Emit } from '../graph/emit.ts';
import { restrict } from '../graph/passes/prune.ts';
import type { Attributes, Graph, Node } from '../graph/types.ts';

/**
 * Batch normalisation by the batch's own mean and biased variance; the stored ones move toward the batch's mean and
 * unbiased variance: stored = m·stored + (1−m)·batch. The operator is given zeros that nothing else reads, as ONNX Runtime
 * writes its second and third output over the inputs they come from.
 */
const normalise = (emit: Emit, node: Node, stored: ReadonlyMap<string, string>): readonly (readonly [string, string])[] => {
  const [x, scale, shift, mean, variance] = node.inputs;
  const before = [mean, variance].map((name) => stored.get(name) ?? name);
  const batch = [mean, variance].map((name) => emit.fresh(`${name}.batch`));
  const attributes: Attributes = {
    ...node.attributes,
    training_mode: { type: 'int', value: 1 },
    momentum: { type: 'float', value: 0 },
  };
  const zeros = before.map((name) => emit.Sub(name, name));
  for (const [i, name] of before.entries()) {
    const type = emit.type(name);
    if (type) emit.typed(batch[i], type);
  }
  emit.node({ ...node, inputs: [x, scale, shift, ...zeros], outputs: [node.outputs[0], ...batch], attributes });
  const count = emit.call('CastLike', [emit.Div(emit.Size(x), emit.Size(before[0])), scale]);
  const bessel = emit.Div(count, emit.Max(emit.Sub(count, emit.scalar(1)), emit.scalar(1)));
  const momentum = floatOf(node, 'momentum', 0.9);
  const moved = (from: string, to: string): string =>
    emit.Add(emit.Mul(emit.scalar(momentum), from), emit.Mul(emit.scalar(1 - momentum), to));
  return [
    [mean, moved(before[0], batch[0])],
    [variance, moved(before[1], emit.Mul(bessel, batch[1]))],
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
  for (const node of restrict(graph, [{ name: output }]).nodes) {
    if (!norms.has(node)) emit.node(node);
    else for (const [name, value] of normalise(emit, node, stored)) next.set(name, value);
  }
  return next;
};
