import { floatOf, intOf } from '../graph/attribute.ts';
import type { Emit } from '../graph/emit.ts';
import type { Node } from '../graph/types.ts';
import { weightGradient } from './rules/convolution-weights.ts';
import { windowOf } from './rules/convolution-window.ts';
import { axisOf, dimsOf, mean, num, rankOf, sum } from './shapes.ts';

/**
 * What each example adds to the gradient of a parameter that enters through input `input` of a node whose output has
 * cotangent g, examples along the first axis. The norms of matrix products come from the outer-product identity
 * ‖x gᵀ‖² = ‖x‖²‖g‖² (with T rows: Σ (x xᵀ)∘(g gᵀ)), so that nothing of the parameter's size is made.
 */
export interface Contribution {
  /** [N, …shape of the parameter]. */
  gradient(): string;
  /** [N]. */
  squaredNorm(): string;
}
type Uses = Readonly<Record<string, (emit: Emit, node: Node, input: number, g: string) => Contribution | undefined>>;

const rowNorms = (emit: Emit, v: string): string => {
  const flat = emit.Reshape(v, emit.ints([0, -1]));
  return emit.ReduceSum(emit.Mul(flat, flat), emit.ints([1]), { keepdims: 0 });
};
const plain = (emit: Emit, gradient: () => string): Contribution => ({ gradient, squaredNorm: () => rowNorms(emit, gradient()) });

/** Σ_t left_t·right_tᵀ of each example, [N, T, a] and [N, T, b] → [N, a, b]; `factor` scales it. */
const outer = (emit: Emit, left: string, right: string, factor = 1): Contribution => {
  const scaled = (v: string, by: number): string => (by === 1 ? v : emit.Mul(num(emit, by, v), v));
  const gradient = (): string => scaled(emit.MatMul(emit.Transpose(left, { perm: [0, 2, 1] }), right), factor);
  const [rows, a, b] = [dimsOf(emit, left)?.[1], dimsOf(emit, left)?.[2], dimsOf(emit, right)?.[2]];
  const small = typeof rows === 'number' && typeof a === 'number' && typeof b === 'number' && rows * rows <= a * b;
  const gram = (v: string): string => emit.MatMul(v, emit.Transpose(v, { perm: [0, 2, 1] }));
  return {
    gradient,
    squaredNorm: () =>
      small
        ? scaled(emit.ReduceSum(emit.Mul(gram(left), gram(right)), emit.ints([1, 2]), { keepdims: 0 }), factor * factor)
        : rowNorms(emit, gradient()),
  };
};
/** [N, …, d] as [N, T, d]. */
const asRows = (emit: Emit, v: string): string => {
  const dims = dimsOf(emit, v);
  const last = dims?.at(-1);
  return typeof last === 'number' ? emit.Reshape(v, emit.ints([0, -1, last])) : v;
};

/** A parameter broadcast against a value with examples in front: everything but the examples is summed back. */
const broadcast = (emit: Emit, parameter: string, v: string): Contribution | undefined => {
  const [p, s] = [dimsOf(emit, parameter), dimsOf(emit, v)];
  if (!p || !s || p.length > s.length || (p.length === s.length && p[0] !== 1)) return undefined;
  const lead = s.length - p.length;
  const axes = s.flatMap((_, i) => (i > 0 && (i < lead || (p[i - lead] === 1 && s[i] !== 1)) ? [i] : []));
  return plain(emit, () => emit.Reshape(sum(emit, v, axes), emit.ints([-1, ...p.map(Number)])));
};
const spatial = (emit: Emit, v: string): readonly number[] => Array.from({ length: (rankOf(emit, v) ?? 2) - 2 }, (_, i) => i + 2);

const uses: Uses = {
  Gemm(emit, node, input, g) {
    const [x, , c] = node.inputs;
    if (intOf(node, 'transA', 0) || input === 0) return undefined;
    if (input === 2) return broadcast(emit, c, scaledBy(emit, g, floatOf(node, 'beta', 1)));
    const row = (v: string): string => emit.Unsqueeze(v, emit.ints([1]));
    const alpha = floatOf(node, 'alpha', 1);
    return intOf(node, 'transB', 0) ? outer(emit, row(g), row(x), alpha) : outer(emit, row(x), row(g), alpha);
  },
  MatMul(emit, { inputs: [x, w] }, input, g) {
    return input === 1 && rankOf(emit, w) === 2 && (rankOf(emit, x) ?? 0) >= 2 ? outer(emit, asRows(emit, x), asRows(emit, g)) : undefined;
  },
  Add: (emit, node, input, g) => broadcast(emit, node.inputs[input], g),
  Sub: (emit, node, input, g) => broadcast(emit, node.inputs[input], input === 0 ? g : emit.Neg(g)),
  Mul: (emit, node, input, g) => broadcast(emit, node.inputs[input], emit.Mul(g, node.inputs[1 - input])),
  Div(emit, node, input, g) {
    const [, b] = node.inputs;
    const quotient = emit.Div(g, b);
    return broadcast(emit, node.inputs[input], input === 0 ? quotient : emit.Neg(emit.Mul(quotient, node.outputs[0])));
  },
  Expand: (emit, node, input, g) => (input === 0 ? broadcast(emit, node.inputs[0], g) : undefined),
  Conv(emit, node, input, g) {
    const [x, w] = node.inputs;
    if (input === 2) return plain(emit, () => sum(emit, g, spatial(emit, g)));
    if (input === 0) return undefined;
    const at = windowOf(emit, { node, x: node.inputs, y: node.outputs });
    return plain(emit, () => weightGradient(emit, x, g, w, at, true));
  },
  BatchNormalization(emit, node, input, g) {
    if (intOf(node, 'training_mode', 0) === 1 || input === 0 || input > 2) return undefined;
    const [x, , , m, v] = node.inputs;
    if (input === 2) return plain(emit, () => sum(emit, g, spatial(emit, g)));
    const along = (c: string): string => emit.Reshape(c, emit.ints([1, -1, ...spatial(emit, x).map(() => 1)]));
    const deviation = emit.Sqrt(emit.Add(v, num(emit, floatOf(node, 'epsilon', 1e-5), v)));
    const hat = emit.Div(emit.Sub(x, along(m)), along(deviation));
    return plain(emit, () => sum(emit, emit.Mul(g, hat), spatial(emit, g)));
  },
  LayerNormalization(emit, node, input, g) {
    const [x] = node.inputs;
    if (input === 0) return undefined;
    const parameter = node.inputs[input];
    if (input === 2) return broadcast(emit, parameter, g);
    const axis = axisOf(emit, { node, x: node.inputs, y: node.outputs, g: [g] }, -1);
    const axes = Array.from({ length: (rankOf(emit, x) ?? axis + 1) - axis }, (_, i) => axis + i);
    const centred = emit.Sub(x, mean(emit, x, axes));
    const deviation = emit.Sqrt(emit.Add(mean(emit, emit.Mul(centred, centred), axes), num(emit, floatOf(node, 'epsilon', 1e-5), x)));
    return broadcast(emit, parameter, emit.Mul(g, emit.Div(centred, deviation)));
  },
  /** Rows of a table, some read more than once: Σ over pairs of positions that read the same row. */
  Gather(emit, node, input, g) {
    const [table, indices] = node.inputs;
    const width = rankOf(emit, indices);
    if (input !== 0 || intOf(node, 'axis', 0) !== 0 || width !== 2 || rankOf(emit, table) !== 2) return undefined;
    const same = emit.Equal(emit.Unsqueeze(indices, emit.ints([2])), emit.Unsqueeze(indices, emit.ints([1])));
    const products = emit.MatMul(g, emit.Transpose(g, { perm: [0, 2, 1] }));
    const counted = emit.Where(same, products, num(emit, 0, g));
    const rows = emit.Squeeze(emit.call('Shape', [table], { end: 1 }), emit.ints([0]));
    const hot = emit.Equal(emit.Unsqueeze(indices, emit.ints([2])), emit.Range(emit.scalar(0, 'int64'), rows, emit.scalar(1, 'int64')));
    return {
      squaredNorm: () => emit.ReduceSum(counted, emit.ints([1, 2]), { keepdims: 0 }),
      gradient: () => emit.MatMul(emit.Transpose(emit.Where(hot, num(emit, 1, g), num(emit, 0, g)), { perm: [0, 2, 1] }), g),
    };
  },
};
const scaledBy = (emit: Emit, v: string, by: number): string => (by === 1 ? v : emit.Mul(num(emit, by, v), v));

/** What one node adds, or undefined where the table does not know its operator in this form. */
export const contribution = (emit: Emit, node: Node, input: number, g: string): Contribution | undefined =>
  node.domain === '' && Object.hasOwn(uses, node.op) ? uses[node.op](emit, node, input, g) : undefined;
