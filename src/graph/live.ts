import type { Graph, Node } from './types.ts';
import { readsOf } from './walk.ts';

/** The graph without nodes and initializers that no output needs. Inputs stay. */
export const live = (graph: Graph): Graph => {
  const wanted = new Set(graph.outputs.map((o) => o.name));
  const nodes: Node[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((o) => wanted.has(o))) continue;
    nodes.push(node);
    for (const name of readsOf(node)) wanted.add(name);
  }
  const kept = new Set([...wanted, ...graph.inputs.map((i) => i.name), ...nodes.flatMap((n) => n.outputs)]);
  const only = <T>(map: ReadonlyMap<string, T>): Map<string, T> => new Map([...map].filter(([name]) => kept.has(name)));
  return {
    ...graph,
    nodes: nodes.reverse(),
    initializers: new Map([...graph.initializers].filter(([name]) => wanted.has(name))),
    values: only(graph.values),
    ...(graph.sparseInitializers ? { sparseInitializers: only(graph.sparseInitializers) } : {}),
  };
};
