import type { DType } from '../base/tensor.ts';
import type { Graph } from '../graph/types.ts';
import { nodesWithin } from '../graph/walk.ts';

const floats = new Set<DType>(['float32', 'float64', 'float16', 'bfloat16']);

/** What DequantizeLinear reads of stored whole numbers: the floats that quantised parameters stand for. */
export const dequantised = ({ nodes, initializers }: Graph): readonly string[] =>
  nodes.flatMap(({ op, inputs, outputs }) =>
    op === 'DequantizeLinear' && (initializers.get(inputs[0])?.dims.length ?? 0) > 0 ? [outputs[0]] : [],
  );

/**
 * Float initializers in the file's order, less what is not learned: scalars (an exporter's 0.5 or ε) and the running
 * statistics of batch normalisation.
 */
export const parametersOf = (graph: Graph): readonly string[] => {
  const statistics = new Set<string>();
  for (const node of nodesWithin(graph))
    if (node.op === 'BatchNormalization') for (const name of node.inputs.slice(3)) statistics.add(name);
  return [...graph.initializers].flatMap(([name, { dtype, dims }]) =>
    floats.has(dtype) && dims.length > 0 && !statistics.has(name) ? [name] : [],
  );
};
