import type { DType } from '../base/tensor.ts';
import type { Graph } from '../graph/types.ts';
import { nodesWithin } from '../graph/walk.ts';

const floats = new Set<DType>(['float32', 'float64', 'float16', 'bfloat16']);

/** What DequantizeLinear reads of stored whole numbers: the floats that quantised parameters stand for. */
export const dequantised = ({ nodes, initializers }: Graph): readonly string[] =>
  nodes.flatMap(({ op, inputs, outputs }) =>
    op === 'DequantizeLinear' && (initializers.get(inputs[0])?.dims.length ?? 0) > 0 ? [outputs[0]] : [],
  );

/** Operators that pass the input on element by element. */
const elementwise = new Set([
  'Add',
  'Sub',
  'Mul',
  'Div',
  'Cast',
  'Reshape',
  'Flatten',
  'Transpose',
  'Squeeze',
  'Unsqueeze',
  'Identity',
  'Clip',
]);

/** Stored numbers that only shift or scale the input before the first layer (mean and standard deviation of the data). */
export const inputScaling = (graph: Graph): ReadonlySet<string> => {
  const raw = new Set(graph.inputs.map((i) => i.name).filter((name) => !graph.initializers.has(name)));
  const scaling = new Set<string>();
  for (const { op, domain, inputs, outputs } of graph.nodes) {
    const [stored, computed] = [inputs.filter((i) => graph.initializers.has(i)), inputs.filter((i) => i && !graph.initializers.has(i))];
    if (domain !== '' || !elementwise.has(op) || computed.length === 0 || !computed.every((i) => raw.has(i))) continue;
    for (const name of stored) scaling.add(name);
    for (const name of outputs) raw.add(name);
  }
  return scaling;
};

/**
 * Float initializers in the file's order, less what is not learned: scalars (an exporter's 0.5 or ε), the running statistics of
 * batch normalisation, and what only shifts or scales the input, unless there is nothing else.
 */
export const parametersOf = (graph: Graph): readonly string[] => {
  const statistics = new Set<string>();
  for (const node of nodesWithin(graph))
    if (node.op === 'BatchNormalization') for (const name of node.inputs.slice(3)) statistics.add(name);
  const all = [...graph.initializers].flatMap(([name, { dtype, dims }]) =>
    floats.has(dtype) && dims.length > 0 && !statistics.has(name) ? [name] : [],
  );
  const scaling = inputScaling(graph);
  const learned = all.filter((name) => !scaling.has(name));
  return learned.length > 0 ? learned : all;
};
