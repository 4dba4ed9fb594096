import { chance } from '../chance.ts';
import type { Attribute, Graph, Model, Node } from '../types.ts';
import { mapSubgraphs, subgraphs } from '../walk.ts';

const smallBytes = 1024;

const plain = (a: Attribute): unknown => {
  if (a.type !== 'tensor') return [a.type, a.value];
  const { dtype, dims, bytes } = a.value;
  return bytes && bytes.length <= smallBytes ? [dtype, dims, Array.from(bytes)] : undefined;
};

/** Equal for nodes that compute the same; undefined for those that are not compared. */
const keyOf = (node: Node): string | undefined => {
  if (chance.has(node.op) || subgraphs(node).length > 0) return undefined;
  const attributes = Object.keys(node.attributes)
    .sort()
    .map((k) => [k, plain(node.attributes[k])] as const);
  if (attributes.some(([, a]) => a === undefined)) return undefined;
  return JSON.stringify([node.op, node.domain, node.overload, node.inputs, attributes, node.outputs.map((o) => o !== '')]);
};

const shared = (graph: Graph, around: ReadonlyMap<string, string>): Graph => {
  const from = new Map(around);
  const outputs = new Set(graph.outputs.map((o) => o.name));
  const seen = new Map<string, Node>();
  const nodes: Node[] = [];
  for (const node of graph.nodes) {
    const moved = mapSubgraphs({ ...node, inputs: node.inputs.map((i) => from.get(i) ?? i) }, (g) => shared(g, from));
    const key = keyOf(moved);
    const twin = key ? seen.get(key) : undefined;
    if (twin && !node.outputs.some((o) => outputs.has(o))) node.outputs.forEach((o, i) => void (o && from.set(o, twin.outputs[i])));
    else {
      nodes.push(moved);
      if (key && !twin) seen.set(key, moved);
    }
  }
  return { ...graph, nodes };
};

/** One node for each computation that is written several times in a graph; parameters of equal value stay apart. Law: the outputs are unchanged. */
export const shareEqual = (model: Model): Model => ({ ...model, graph: shared(model.graph, new Map()) });
