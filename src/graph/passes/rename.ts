import type { Graph, Node } from '../types.ts';
import { mapSubgraphs } from '../walk.ts';

type Names = (name: string) => string;

export const renameNode = (node: Node, to: Names): Node => ({
  ...mapSubgraphs(node, (inner) => renamed(inner, to)),
  // Node names must be unique as well; values' already are.
  name: to(node.outputs.find((o) => o) ?? node.name),
  inputs: node.inputs.map((i) => (i ? to(i) : i)),
  outputs: node.outputs.map((o) => (o ? to(o) : o)),
});

/** The graph with every value called otherwise, also where subgraphs read it. Law: `to` keeps different names different. */
export const renamed = (graph: Graph, to: Names): Graph => {
  const keys = <T>(map: ReadonlyMap<string, T>): Map<string, T> => new Map(Array.from(map, ([name, v]) => [to(name), v]));
  return {
    ...graph,
    inputs: graph.inputs.map((i) => ({ ...i, name: to(i.name) })),
    outputs: graph.outputs.map((o) => ({ ...o, name: to(o.name) })),
    nodes: graph.nodes.map((n) => renameNode(n, to)),
    initializers: keys(graph.initializers),
    values: keys(graph.values),
    ...(graph.sparseInitializers ? { sparseInitializers: keys(graph.sparseInitializers) } : {}),
  };
};
