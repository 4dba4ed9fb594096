import { constantOf, dataOf } from './constant.ts';
import type { Graph, Node } from './types.ts';
import { called, nodesWithin, producers, readsOf } from './walk.ts';

/** Operators that lay scores out anew, or turn them into probabilities one by one. */
const passing = new Set(['Reshape', 'Transpose', 'Concat', 'Identity', 'Squeeze', 'Unsqueeze', 'Flatten', 'Cast', 'Sigmoid']);

/** A vector of biases, stored. */
interface StoredBias {
  readonly name: string;
  readonly values: Float64Array;
}

/** Biases behind a value, through what only lays scores out anew; or why there are none, in words. */
export const scoreBiases = (graph: Graph, value: string): { readonly stored: readonly StoredBias[] } | { readonly reason: string } => {
  const by = producers(graph);
  const found = new Map<string, Set<Node>>();
  const waiting = [value];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const node = by.get(at);
    if (!node) return { reason: `'${at}' is made by no operator` };
    if (passing.has(node.op)) {
      waiting.push(...(node.op === 'Concat' ? node.inputs : node.inputs.slice(0, 1)));
      continue;
    }
    const bias =
      node.op === 'Conv' || node.op === 'Gemm'
        ? node.inputs[2]
        : node.op === 'Add'
          ? node.inputs.find((i) => graph.initializers.has(i))
          : undefined;
    if (!bias || !graph.initializers.has(bias)) return { reason: `${called(node)} adds no stored bias` };
    found.set(bias, (found.get(bias) ?? new Set()).add(node));
  }
  const stored: StoredBias[] = [];
  for (const [name, own] of found) {
    const other = [...nodesWithin(graph)].find((node) => readsOf(node).includes(name) && !own.has(node));
    if (other) return { reason: `the bias '${name}' is also read by ${called(other)}` };
    const constant = graph.initializers.get(name);
    const wide = constant?.dims.filter((d) => d !== 1) ?? [];
    if (!constant?.bytes || !/^float(32|64)$/.test(constant.dtype) || wide.length > 1)
      return { reason: `the bias '${name}' is no vector of stored numbers` };
    stored.push({ name, values: Float64Array.from(dataOf(constant) as Float32Array) });
  }
  return { stored };
};

/** The graph with other values in some of its stored tensors. */
export const withBiases = (graph: Graph, values: Readonly<Record<string, Float64Array>>): Graph => ({
  ...graph,
  initializers: new Map(
    Array.from(graph.initializers, ([name, constant]) => [
      name,
      Object.hasOwn(values, name) ? constantOf(constant.dtype, constant.dims, values[name]) : constant,
    ]),
  ),
});
