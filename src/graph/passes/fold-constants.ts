import { type DType, sizeOf } from '../../base/tensor.ts';
import { intOf } from '../attribute.ts';
import { constantOf } from '../constant.ts';
import type { Constant, Graph, Model, Node, TensorType } from '../types.ts';
import { freshNames, mapSubgraphs, namesWithin } from '../walk.ts';
import { constantFromSmall, evaluators, smallOf } from './fold/evaluate.ts';

/** What is known beside the graph itself, from probing. */
export interface Known {
  readonly types: ReadonlyMap<string, TensorType>;
  /** Values that are the same for every batch and every row. */
  readonly contents: ReadonlyMap<string, Constant>;
}

/** Results larger than this stay computed. */
const largest = 4096;
const floating = (dtype: DType): boolean => dtype.startsWith('float') || dtype.startsWith('bfloat') || dtype.startsWith('complex');
/** A float array of the file is a parameter: what is computed from it stays, or its gradient would be lost. */
const isParameter = (c: Constant): boolean => floating(c.dtype) && sizeOf(c.dims) > 1;

const shapeOf = (node: Node, type: TensorType | undefined): Constant | undefined => {
  const dims = type?.dims;
  if (!dims) return undefined;
  const bound = (v: number): number => Math.min(Math.max(v < 0 ? v + dims.length : v, 0), dims.length);
  const part = node.op === 'Size' ? dims : dims.slice(bound(intOf(node, 'start', 0)), bound(intOf(node, 'end', dims.length)));
  const sizes = part.map((d) => (typeof d === 'number' ? d : Number.NaN));
  if (sizes.some(Number.isNaN)) return undefined;
  return node.op === 'Size' ? constantOf('int64', [], [sizeOf(sizes)]) : constantOf('int64', [sizes.length], sizes);
};

interface Visible {
  readonly constants: ReadonlyMap<string, Constant>;
  readonly parameters: ReadonlySet<string>;
}

/** A Reshape target with at most one axis that follows the batch: that axis is what is left over. */
const reshapeTarget = (node: Node, known: Known | undefined): Constant | undefined => {
  const dims = known?.types.get(node.outputs[0])?.dims;
  if (node.op !== 'Reshape' || node.domain !== '' || !dims || dims.includes(undefined) || dims.includes(0)) return undefined;
  const open = dims.filter((d) => typeof d !== 'number').length;
  return open > 1
    ? undefined
    : constantOf(
        'int64',
        [dims.length],
        dims.map((d) => (typeof d === 'number' ? d : -1)),
      );
};

const folded = (graph: Graph, outer: Visible, known: Known | undefined): Graph => {
  const initializers = new Map(graph.initializers);
  const outputs = new Set(graph.outputs.map((o) => o.name));
  const constants = new Map([...outer.constants, ...graph.initializers]);
  const parameters = new Set(outer.parameters);
  for (const [name, c] of graph.initializers) if (isParameter(c)) parameters.add(name);
  const lookup = (name: string): Constant | undefined => (parameters.has(name) ? undefined : constants.get(name));
  const resultOf = (node: Node): Constant | undefined => {
    const [output] = node.outputs;
    if (node.domain !== '' || node.outputs.length !== 1 || outputs.has(output)) return undefined;
    const told = known?.contents.get(output);
    // The same for every row, but not once the parameters that it is computed from are trained (a normalised weight).
    if (told && !(floating(told.dtype) && node.inputs.some((name) => parameters.has(name)))) return told;
    if (node.op === 'Shape' || node.op === 'Size') {
      const c = constants.get(node.inputs[0]);
      return shapeOf(node, c ? { kind: 'tensor', dtype: c.dtype, dims: c.dims } : known?.types.get(node.inputs[0]));
    }
    const evaluate = evaluators[node.op];
    if (!evaluate) return undefined;
    const inputs = node.inputs.map((name) => (name ? lookup(name) : undefined));
    if (node.inputs.some((name, i) => name && (!inputs[i] || sizeOf(inputs[i].dims) > largest))) return undefined;
    const value = evaluate(
      inputs.map((c) => c && smallOf(c)),
      node,
    );
    return value && value.values.length <= largest ? constantFromSmall(value) : undefined;
  };
  const fresh = freshNames(known ? namesWithin(graph) : new Set<string>());
  const nodes: Node[] = [];
  for (const node of graph.nodes) {
    const value = resultOf(node);
    if (value) {
      initializers.set(node.outputs[0], value);
      constants.set(node.outputs[0], value);
      // Types and contents are of the main graph; inside, only constants are known.
      continue;
    }
    if (node.inputs.some((name) => parameters.has(name))) for (const name of node.outputs) parameters.add(name);
    const target = initializers.has(node.inputs[1]) ? undefined : reshapeTarget(node, known);
    if (target) {
      const name = fresh(`${node.outputs[0]}/shape`);
      initializers.set(name, target);
      nodes.push({ ...node, inputs: [node.inputs[0], name] });
    } else nodes.push(mapSubgraphs(node, (g) => folded(g, { constants, parameters }, undefined)));
  }
  return { ...graph, nodes, initializers };
};

/**
 * Replaces shape, index and mask arithmetic whose inputs are known by its value, never what is computed from parameters.
 * Law: the outputs are unchanged, for every batch size.
 */
export const foldConstants = (model: Model, known?: Known): Model => ({
  ...model,
  graph: folded(model.graph, { constants: new Map(), parameters: new Set() }, known),
});
