import { intOf } from '../attribute.ts';
import { numbersOf } from '../constant.ts';
import type { Constant, Graph, Node } from '../types.ts';
import { mapSubgraphs } from '../walk.ts';

type ConstantOf = (name: string) => Constant | undefined;

/** Whether the target shape stands on its own: no 0 in it that copies a size of the input. */
const absolute = (node: Node, constantOf: ConstantOf): boolean => {
  if (intOf(node, 'allowzero', 0) === 1) return true;
  const target = constantOf(node.inputs[1]);
  return target?.bytes !== undefined && !numbersOf(target).includes(0);
};

/**
 * A Reshape of a Reshape reads what the first one reads: the elements keep their order. ONNX Runtime 1.30 fuses such pairs
 * too, and cannot open a graph whose first target is computed and whose second is constant. Law: the outputs are unchanged.
 */
export const joinReshapes = (graph: Graph, outer: ConstantOf = () => undefined): Graph => {
  const constantOf: ConstantOf = (name) => graph.initializers.get(name) ?? outer(name);
  const sources = new Map<string, string>();
  const nodes = graph.nodes.map((given) => {
    const node = mapSubgraphs(given, (inner) => joinReshapes(inner, constantOf));
    if (node.op !== 'Reshape' || node.domain !== '') return node;
    const source = sources.get(node.inputs[0]);
    sources.set(node.outputs[0], source ?? node.inputs[0]);
    return source && absolute(node, constantOf) ? { ...node, inputs: [source, node.inputs[1]] } : node;
  });
  return { ...graph, nodes };
};
