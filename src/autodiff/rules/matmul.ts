import { floatOf, intOf } from '../../graph/attribute.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Back, Rule, Rules } from '../rule.ts';
import { dimsOf, num, rankOf, reshapeLike, sumTo } from '../shapes.ts';

/** Matrix products. ONNX Runtime fuses a Transpose into the product that uses it, so none is avoided here. */
const transposed = (emit: Emit, x: string): string => {
  const rank = rankOf(emit, x) ?? 2;
  const perm = Array.from({ length: rank }, (_, i) => i);
  return emit.Transpose(x, { perm: [...perm.slice(0, -2), rank - 1, rank - 2] });
};
const scaled = (emit: Emit, x: string, by: number): string => (by === 1 ? x : emit.Mul(num(emit, by, x), x));

/** Operands of rank 1 are made matrices, so that the rules below see matrices only. */
const asMatrix = (emit: Emit, x: string, side: 0 | 1): string => (rankOf(emit, x) === 1 ? emit.Unsqueeze(x, emit.ints([side])) : x);
const cotangent = (emit: Emit, g: string, a: string, b: string): string => {
  const left = rankOf(emit, a) === 1;
  const right = rankOf(emit, b) === 1;
  if (left && right) return emit.Reshape(g, emit.ints([1, 1]));
  if (left) return emit.Unsqueeze(g, emit.ints([-2]));
  return right ? emit.Unsqueeze(g, emit.ints([-1])) : g;
};

const matmulLeft: Back = (emit, g, { x: [a, b] }) => {
  const out = emit.MatMul(cotangent(emit, g, a, b), transposed(emit, asMatrix(emit, b, 1)));
  return rankOf(emit, a) === 1 ? reshapeLike(emit, sumTo(emit, out, asMatrix(emit, a, 0)), a) : sumTo(emit, out, a);
};

/**
 * aᵀ·g. Where the right operand is one matrix for a whole batch of left ones, the batch joins the summed axis: one Gemm,
 * instead of a batch of products that are then added.
 */
const matmulRight: Back = (emit, g, { x: [a, b] }) => {
  const down = cotangent(emit, g, a, b);
  const left = asMatrix(emit, a, 0);
  const [s, t] = [dimsOf(emit, left), dimsOf(emit, asMatrix(emit, b, 1))];
  const [k, n] = [t?.at(-2), t?.at(-1)];
  if (s && t?.length === 2 && s.length > 2 && typeof k === 'number' && typeof n === 'number') {
    const rows = emit.Reshape(left, emit.ints([-1, k]));
    const columns = emit.Reshape(down, emit.ints([-1, n]));
    return reshapeLike(emit, emit.Gemm(rows, columns, { transA: 1 }), b);
  }
  const out = emit.MatMul(transposed(emit, left), down);
  return rankOf(emit, b) === 1 ? reshapeLike(emit, sumTo(emit, out, asMatrix(emit, b, 1)), b) : sumTo(emit, out, b);
};

/** y = α·A′·B′ + β·C, where ′ is an optional transpose. */
const gemm: Rule = {
  back: [
    (emit, g, { x: [, b], node }) => {
      const [ta, tb, alpha] = [intOf(node, 'transA', 0), intOf(node, 'transB', 0), node.attributes.alpha];
      return ta ? emit.Gemm(b, g, { transA: tb, transB: 1, alpha }) : emit.Gemm(g, b, { transB: 1 - tb, alpha });
    },
    (emit, g, { x: [a], node }) => {
      const [ta, tb, alpha] = [intOf(node, 'transA', 0), intOf(node, 'transB', 0), node.attributes.alpha];
      return tb ? emit.Gemm(g, a, { transA: 1, transB: ta, alpha }) : emit.Gemm(a, g, { transA: 1 - ta, alpha });
    },
    (emit, g, { x: [, , c], node }) => scaled(emit, sumTo(emit, g, c), floatOf(node, 'beta', 1)),
  ],
};

/** d det(A)/dA = det(A)·A^{−T}. ONNX has no inverse; ONNX Runtime has, on the CPU. */
const det: Back = (emit, g, { x: [x], y: [y] }) => {
  const inverse = emit.call('Inverse', [x], {}, 'com.microsoft');
  const type = emit.type(x);
  const scale = emit.Unsqueeze(emit.Mul(g, y), emit.ints([-2, -1]));
  return emit.Mul(scale, transposed(emit, type ? emit.typed(inverse, type) : inverse));
};

export const matmul: Rules = {
  Det: { back: [det] },
  MatMul: { back: [matmulLeft, matmulRight] },
  Gemm: gemm,
};
