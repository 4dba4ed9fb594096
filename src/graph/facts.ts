import { type DType, sizeOf } from '../base/tensor.ts';
import { intOf, stringOf } from './attribute.ts';
import { dimsAt } from './batch-dim.ts';
import type { Constant, Dim, Graph, Node, TensorType } from './types.ts';
import { subgraphs } from './walk.ts';

/** One node of the main graph, as the table of layers shows it. */
export interface Layer {
  readonly name: string;
  readonly op: string;
  readonly output: string;
  readonly dims: readonly Dim[];
  /** Elements of the parameters that this node is the first to read. */
  readonly parameters: number;
  /** Multiply–accumulates for one row; null where not known. */
  readonly macs: number | null;
}

const floating = (dtype: DType | undefined): boolean => dtype !== undefined && /^b?float/.test(dtype);
const quantised: ReadonlySet<DType> = new Set<DType>(['int8', 'uint8', 'int4', 'uint4', 'int2', 'uint2']);

/** Inputs that hold running statistics, not parameters. */
const statistics: Readonly<Record<string, readonly number[]>> = { BatchNormalization: [3, 4] };
/** Where the weights of a quantised operator are. */
const weightInput: Readonly<Record<string, number>> = { QLinearConv: 3, QLinearMatMul: 3 };

const isParameter = (c: Constant): boolean => (floating(c.dtype) || quantised.has(c.dtype)) && c.dims.length > 0;

interface Sizes {
  readonly node: Node;
  /** Sizes of an input or output at one row, where known. */
  in(i: number): readonly number[] | undefined;
  out(i: number): readonly number[] | undefined;
}
type Count = (s: Sizes) => number | null;

const convolution: Count = ({ node, in: input, out }) => {
  const [w, y] = [input(weightInput[node.op] ?? 1), out(0)];
  return w && y ? sizeOf(y) * sizeOf(w.slice(1)) : null;
};
const transposed: Count = ({ in: input }) => {
  const [x, w] = [input(0), input(1)];
  return x && w ? sizeOf(x) * sizeOf(w.slice(1)) : null;
};
const product: Count = ({ node, in: input, out }) => {
  const [a, y] = [input(0), out(0)];
  if (!a || !y || a.length === 0) return null;
  const turned = node.op === 'Gemm' || node.domain === 'com.microsoft' ? intOf(node, 'transA', 0) : 0;
  return sizeOf(y) * a[turned && a.length > 1 ? a.length - 2 : a.length - 1];
};
/** W [d, gates·H, I] and R [d, gates·H, H] are applied once a step and row. */
const recurrent: Count = ({ node, in: input }) => {
  const [x, w, r] = [input(0), input(1), input(2)];
  if (!x || !w || !r) return null;
  const steps = intOf(node, 'layout', 0) === 0 ? x[0] * x[1] : x[1] * x[0];
  return steps * (sizeOf(w) + sizeOf(r));
};
/** Two operands: the product of the sizes of all letters. */
const einsum: Count = ({ node, in: input }) => {
  const terms = stringOf(node, 'equation', '').replace(/\s/g, '').split('->')[0].split(',');
  if (terms.length !== 2 || terms.some((t) => t.includes('.'))) return null;
  const sizes = new Map<string, number>();
  for (const [i, term] of terms.entries()) {
    const dims = input(i);
    if (dims?.length !== term.length) return null;
    [...term].forEach((letter, k) => void sizes.set(letter, dims[k]));
  }
  return sizeOf([...sizes.values()]);
};

const counts: Readonly<Record<string, Count>> = {
  Conv: convolution,
  ConvInteger: convolution,
  QLinearConv: convolution,
  FusedConv: convolution,
  ConvTranspose: transposed,
  Gemm: product,
  MatMul: product,
  MatMulInteger: product,
  QLinearMatMul: product,
  FusedMatMul: product,
  FusedGemm: product,
  LSTM: recurrent,
  GRU: recurrent,
  RNN: recurrent,
  Einsum: einsum,
};

/** Operators with products inside that are not counted. */
const uncounted: ReadonlySet<string> = new Set([
  ...['Attention', 'MultiHeadAttention', 'GroupQueryAttention', 'PackedAttention', 'QAttention', 'DeformConv', 'DFT', 'STFT', 'Det'],
  ...['If', 'Loop', 'Scan', 'SequenceMap', 'MatMulNBits', 'QGemm', 'EmbedLayerNormalization', 'MoE'],
]);
const familiar: ReadonlySet<string> = new Set(['', 'com.microsoft', 'ai.onnx.ml']);

const macsOf = (node: Node, types: ReadonlyMap<string, TensorType>): number | null => {
  const at = (name: string | undefined): readonly number[] | undefined => {
    const dims = name ? types.get(name)?.dims : undefined;
    return dims && dimsAt(dims, 1);
  };
  const count = counts[node.op];
  if (count) return count({ node, in: (i) => at(node.inputs[i]), out: (i) => at(node.outputs[i]) });
  return uncounted.has(node.op) || !familiar.has(node.domain) || subgraphs(node).length > 0 ? null : 0;
};

/** Float and quantised initializers that are not running statistics, in the graph and inside its subgraphs. */
const parametersOf = (graph: Graph): ReadonlyMap<string, Constant> => {
  const out = new Map<string, Constant>();
  const buffers = new Set<string>();
  const walk = (g: Graph): void => {
    for (const [name, c] of g.initializers) if (isParameter(c)) out.set(name, c);
    for (const node of g.nodes) {
      for (const i of statistics[node.op] ?? []) if (node.inputs[i]) buffers.add(node.inputs[i]);
      subgraphs(node).forEach(walk);
    }
  };
  walk(graph);
  for (const name of buffers) out.delete(name);
  return out;
};

export interface Facts {
  readonly parameters: number;
  /** For one row; null where an operator on the way cannot be counted. */
  readonly macs: number | null;
  readonly layers: readonly Layer[];
}

/** Parameters, multiply–accumulates and shapes, layer by layer, from probed types. Shape arithmetic is not listed. */
export const factsOf = (graph: Graph, types: ReadonlyMap<string, TensorType>): Facts => {
  const parameters = parametersOf(graph);
  const counted = new Set<string>();
  const layers: Layer[] = [];
  let macs: number | null = 0;
  for (const node of graph.nodes) {
    const own = macsOf(node, types);
    macs = macs === null || own === null ? null : macs + own;
    let size = 0;
    for (const name of node.inputs) {
      const c = counted.has(name) ? undefined : parameters.get(name);
      if (!c) continue;
      counted.add(name);
      size += sizeOf(c.dims);
    }
    const output = node.outputs.find((o) => o) ?? '';
    const type = types.get(output);
    if (floating(type?.dtype) || size > 0 || own !== 0)
      layers.push({ name: node.name || output, op: node.op, output, dims: type?.dims ?? [], parameters: size, macs: own });
  }
  const total = Array.from(parameters.values()).reduce((n, c) => n + sizeOf(c.dims), 0);
  return { parameters: total, macs, layers };
};
