import type { DType } from '../base/tensor.ts';
import type { Graph, Node } from './types.ts';
import { called } from './walk.ts';

/** Operators of the standard domain whose inputs from index `from` on all have one element type, and whose first output has it too. */
const uniform: Readonly<Record<string, readonly number[]>> = Object.fromEntries([
  ...['Add', 'Sub', 'Mul', 'Div', 'MatMul', 'PRelu', 'Mod', 'BitwiseAnd', 'BitwiseOr', 'BitwiseXor'].map((op) => [op, [0, 1]]),
  ...['Gemm', 'Conv', 'ConvTranspose', 'Sum', 'Max', 'Min', 'Mean', 'Concat', 'Einsum'].map((op) => [op, [0, 1, 2, 3, 4, 5, 6, 7]]),
  ['Where', [1, 2]],
  ['Clip', [0, 1, 2]],
  ['BatchNormalization', [0]],
  ['LSTM', [0, 1, 2, 3, 5, 6, 7]],
  ['GRU', [0, 1, 2, 3, 5]],
  ['RNN', [0, 1, 2, 3, 5]],
]);

/** Operators whose first output has the element type of their first input. */
const keeping: ReadonlySet<string> = new Set([
  ...[
    'Abs',
    'Neg',
    'Relu',
    'LeakyRelu',
    'Elu',
    'Selu',
    'Celu',
    'Gelu',
    'Sigmoid',
    'HardSigmoid',
    'HardSwish',
    'Mish',
    'Tanh',
    'Exp',
    'Log',
  ],
  ...['Sqrt', 'Reciprocal', 'Erf', 'Sin', 'Cos', 'Floor', 'Ceil', 'Round', 'Sign', 'Softmax', 'LogSoftmax', 'Softplus', 'Softsign'],
  ...['Identity', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Transpose', 'Slice', 'Pad', 'Tile', 'Expand', 'Gather', 'GatherElements'],
  ...[
    'GatherND',
    'ScatterElements',
    'ScatterND',
    'ReduceSum',
    'ReduceMean',
    'ReduceMax',
    'ReduceMin',
    'ReduceProd',
    'ReduceL1',
    'ReduceL2',
  ],
  ...['MaxPool', 'AveragePool', 'GlobalAveragePool', 'GlobalMaxPool', 'LRN', 'InstanceNormalization', 'DepthToSpace', 'SpaceToDepth'],
  ...['CumSum', 'Trilu', 'TopK', 'Pow', 'Dropout'],
]);

/** Inputs that must be of these types. */
const required: Readonly<Record<string, readonly (readonly [number, readonly DType[]])[]>> = {
  If: [[0, ['bool']]],
  Where: [[0, ['bool']]],
  Not: [[0, ['bool']]],
  Reshape: [[1, ['int64']]],
  Expand: [[1, ['int64']]],
  Tile: [[1, ['int64']]],
  ConstantOfShape: [[0, ['int64']]],
  Gather: [[1, ['int32', 'int64']]],
  GatherElements: [[1, ['int32', 'int64']]],
  GatherND: [[1, ['int64']]],
};

const comparisons: ReadonlySet<string> = new Set(['Equal', 'Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual']);

/** Element types that follow from declared inputs and constants through operators whose typing is one rule; others stay unknown. */
const outputType = (node: Node, types: ReadonlyMap<string, DType>): DType | undefined => {
  if (node.op === 'Shape' || node.op === 'Size' || node.op === 'NonZero') return 'int64';
  if (comparisons.has(node.op) || ['And', 'Or', 'Not', 'Xor', 'IsNaN', 'IsInf'].includes(node.op)) return 'bool';
  const constant = node.op === 'Constant' ? node.attributes.value : undefined;
  if (constant?.type === 'tensor') return constant.value.dtype;
  if (node.op in uniform) return uniform[node.op].map((i) => types.get(node.inputs[i] ?? '')).find((t) => t !== undefined);
  return keeping.has(node.op) ? types.get(node.inputs[0] ?? '') : undefined;
};

/** Nodes of the standard domain that are called with element types that cannot be, as far as types follow from what is declared. */
export const typeProblems = (graph: Graph): readonly { readonly where: string; readonly sentence: string }[] => {
  const types = new Map<string, DType>();
  for (const [name, c] of graph.initializers) types.set(name, c.dtype);
  for (const { name, type } of graph.inputs) {
    if (type?.kind !== 'tensor' || type.dtype === 'undefined') continue;
    types.set(name, type.dtype);
  }
  const out: { where: string; sentence: string }[] = [];
  for (const node of graph.nodes) {
    if (node.domain !== '') continue;
    const where = called(node);
    const together = comparisons.has(node.op) ? [0, 1] : uniform[node.op];
    const known = (together ?? []).flatMap((i) => {
      const dtype = types.get(node.inputs[i] ?? '');
      return dtype ? [{ input: node.inputs[i], dtype }] : [];
    });
    const odd = known.find((k) => k.dtype !== known[0].dtype);
    if (odd)
      out.push({
        where,
        sentence: `node ${where} takes '${known[0].input}' of type ${known[0].dtype} together with '${odd.input}' of type ${odd.dtype}`,
      });
    for (const [i, allowed] of required[node.op] ?? []) {
      const dtype = types.get(node.inputs[i] ?? '');
      if (dtype && !allowed.includes(dtype))
        out.push({ where, sentence: `input '${node.inputs[i]}' of node ${where} is of type ${dtype} but must be ${allowed.join(' or ')}` });
    }
    const made = outputType(node, types);
    if (made && node.outputs[0]) types.set(node.outputs[0], made);
  }
  return out;
};
