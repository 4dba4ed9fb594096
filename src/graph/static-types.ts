import { infer } from './infer.ts';
import type { Dim, Graph, TensorType } from './types.ts';

/** The first axis where it is free is the batch, N. */
const batched = (dims: readonly Dim[] | undefined): readonly Dim[] | undefined =>
  dims?.map((d, axis) => (axis === 0 && typeof d !== 'number' ? 'N' : d));

/** Types of a graph's values from what the file declares and what operators imply, without a run; what neither tells is absent. */
export const staticTypes = (graph: Graph): ReadonlyMap<string, TensorType> => {
  const types = new Map<string, TensorType>();
  for (const [name, c] of graph.initializers) types.set(name, { kind: 'tensor', dtype: c.dtype, dims: c.dims });
  for (const { name, type } of graph.inputs) {
    if (type?.kind !== 'tensor' || types.has(name)) continue;
    const dims = batched(type.dims);
    types.set(name, dims ? { ...type, dims } : type);
  }
  const declared = new Map(graph.values);
  for (const { name, type } of graph.outputs) if (type) declared.set(name, type);
  const whole = (type: TensorType | undefined): boolean => type?.dims?.every((d) => d !== undefined) ?? false;
  for (const node of graph.nodes) {
    const implied = infer(
      node,
      (value) => types.get(value),
      (value) => graph.initializers.get(value),
    );
    node.outputs.forEach((name, i) => {
      const told = declared.get(name);
      const named = told?.kind === 'tensor' ? told : undefined;
      const type = whole(implied[i]) || !named ? implied[i] : named;
      if (name && type) types.set(name, type);
    });
  }
  return types;
};
