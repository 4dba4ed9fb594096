import type { Graph, Model, Node } from '../types.ts';
import { mapSubgraphs, readsOf } from '../walk.ts';

const pruned = (graph: Graph): Graph => {
  const wanted = new Set(graph.outputs.map((o) => o.name));
  const nodes: Node[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((o) => wanted.has(o))) continue;
    const kept = mapSubgraphs(node, pruned);
    nodes.push(kept);
    for (const name of readsOf(kept)) wanted.add(name);
  }
  nodes.reverse();
  const used = <T>(map: ReadonlyMap<string, T>): ReadonlyMap<string, T> => new Map(Array.from(map).filter(([name]) => wanted.has(name)));
  return {
    ...graph,
    nodes,
    initializers: used(graph.initializers),
    ...(graph.sparseInitializers ? { sparseInitializers: used(graph.sparseInitializers) } : {}),
  };
};

/** Drops nodes and initializers that no output needs; inputs stay. Law: the outputs are unchanged. */
export const prune = (model: Model): Model => ({ ...model, graph: pruned(model.graph) });

/** The part of a graph that makes `outputs`, whose values are made inside; inputs stay. */
export const restrict = (graph: Graph, outputs: Graph['outputs']): Graph => pruned({ ...graph, outputs });
