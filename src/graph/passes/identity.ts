import { dropoutOf } from '../dropout.ts';
import { isHeld } from '../held.ts';
import type { Graph, Model, Node } from '../types.ts';
import { mapSubgraphs } from '../walk.ts';

/** `from` maps a copied value to what it is a copy of, in this graph or one around it. */
const rewired = (graph: Graph, around: ReadonlyMap<string, string>): Graph => {
  const from = new Map(around);
  const outputs = new Set(graph.outputs.map((o) => o.name));
  const real = (name: string): string => from.get(name) ?? name;
  const nodes: Node[] = [];
  for (const node of graph.nodes) {
    const moved = mapSubgraphs({ ...node, inputs: node.inputs.map(real) }, (g) => rewired(g, from));
    const [output] = node.outputs;
    const means = isHeld(moved) || dropoutOf(moved) !== undefined;
    if (moved.op === 'Identity' && moved.domain === '' && !outputs.has(output) && !means) from.set(output, moved.inputs[0]);
    else nodes.push(moved);
  }
  return { ...graph, nodes };
};

/**
 * Readers of an Identity read its input, so that a parameter which the exporter shared through copies is seen as one. Copies
 * that are outputs stay, and so do those that mean something in training. Law: the outputs are unchanged.
 */
export const dropIdentity = (model: Model): Model => ({ ...model, graph: rewired(model.graph, new Map()) });
