import type { Graph, Model } from '../types.ts';
import { mapSubgraphs, topological } from '../walk.ts';

const ordered = (graph: Graph): Graph => {
  const { order, stuck } = topological(graph.nodes);
  // Nodes on a cycle stay where verify finds them.
  return { ...graph, nodes: [...order, ...stuck].map((n) => mapSubgraphs(n, ordered)) };
};

/** Nodes in topological order, which ONNX asks of a file and ONNX Runtime does not insist on. Law: the outputs are unchanged. */
export const sort = (model: Model): Model => ({ ...model, graph: ordered(model.graph) });
