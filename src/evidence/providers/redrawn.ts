import { recording } from '../../autodiff/differentiate.ts';
import { pathBetween } from '../../autodiff/rule-sets/path.ts';
import type { Random } from '../../base/random.ts';
import { sizeOf } from '../../base/tensor.ts';
import { fromFloats } from '../../data/values.ts';
import { constantFrom, numbersOf } from '../../graph/constant.ts';
import type { Prepared } from '../../graph/prepare.ts';
import type { Constant, Node } from '../../graph/types.ts';

/** A node with weights, and the parameters of its layer: its own and those of what follows it up to the next. */
export interface WeightedLayer {
  readonly name: string;
  readonly parameters: readonly string[];
}

const weighted = new Set([
  'Conv',
  'ConvTranspose',
  'Gemm',
  'MatMul',
  'Einsum',
  'LSTM',
  'GRU',
  'RNN',
  'FusedMatMul',
  'FusedConv',
  'FusedGemm',
  'Attention',
  'MultiHeadAttention',
]);

/** Layers from the output back to the input. What comes before the first of them (a normalisation of the data) belongs to none. */
export const weightedLayers = ({ model, probed }: Prepared, input: string, output: string): readonly WeightedLayer[] => {
  const { initializers } = model.graph;
  const floats = (node: Node): readonly string[] =>
    node.inputs.filter((x) => {
      const c = initializers.get(x);
      return c !== undefined && /float/.test(c.dtype) && c.dims.length > 0 && sizeOf(c.dims) > 1;
    });
  const out: WeightedLayer[] = [];
  let after: string[] = [];
  for (const node of pathBetween(recording(model.graph, probed), input, output).nodes.toReversed()) {
    after.push(...floats(node));
    if (!weighted.has(node.op) || floats(node).length === 0) continue;
    out.push({ name: node.name || node.outputs[0], parameters: [...new Set(after)] });
    after = [];
  }
  return out;
};

/** Each tensor drawn anew from N(0, its own standard deviation) (Adebayo et al. 2018, as in card 00-attribution-common). */
const redraw = (constant: Constant, random: Random): Constant => {
  const values = numbersOf(constant);
  const n = values.length;
  let [sum, squares] = [0, 0];
  for (const v of values) sum += Number(v);
  for (const v of values) squares += (Number(v) - sum / n) ** 2;
  const std = Math.sqrt(squares / n);
  const drawn = Float64Array.from({ length: n }, () => std * random.normal());
  return constantFrom({ dtype: constant.dtype, dims: constant.dims, data: fromFloats(drawn, constant.dtype) });
};

/** The model with the weights of these layers drawn anew. */
export const redrawn = (prepared: Prepared, layers: readonly WeightedLayer[], random: (name: string) => Random): Prepared => {
  const initializers = new Map(prepared.model.graph.initializers);
  for (const name of new Set(layers.flatMap((l) => l.parameters))) {
    const constant = initializers.get(name);
    if (constant) initializers.set(name, redraw(constant, random(`redrawn/${name}`)));
  }
  return { ...prepared, model: { ...prepared.model, graph: { ...prepared.model.graph, initializers } } };
};
