import { floatOf, intOf, intsOf } from '../../graph/attribute.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Node } from '../../graph/types.ts';
import { dimsOf, given } from '../shapes.ts';
import type { Body } from './control-body.ts';

/** leftᵀ·right, or, without a left, the sum of right's rows: matrices of a turn. */
interface Term {
  readonly left: string;
  readonly right: string;
}
/** The cotangent of a value around a body that is the same sum in every turn: over all turns it is one product of what the turns lay out. */
export interface Product {
  readonly name: string;
  readonly terms: readonly Term[];
}

const isMatrix = (emit: Emit, v: string): boolean => {
  const dims = dimsOf(emit, v);
  return dims?.length === 2 && typeof dims[1] === 'number';
};
const term = (emit: Emit, left: string, right: string): readonly Term[] | undefined =>
  (left === '' || isMatrix(emit, left)) && isMatrix(emit, right) ? [{ left, right }] : undefined;

const termOf = (emit: Emit, node: Node): readonly Term[] | undefined => {
  const [a, b, c] = node.inputs;
  if (node.op === 'MatMul') {
    const turned = emit.producer(a);
    return turned?.op === 'Transpose' && intsOf(turned, 'perm')?.join() === '1,0' ? term(emit, turned.inputs[0], b) : undefined;
  }
  if (node.op === 'Gemm')
    return !c && intOf(node, 'transA', 0) && !intOf(node, 'transB', 0) && floatOf(node, 'alpha', 1) === 1 ? term(emit, a, b) : undefined;
  const rows = node.op === 'ReduceSum' && given(emit, b)?.join() === '0' && intOf(node, 'keepdims', 1) === 0;
  return rows ? term(emit, '', a) : undefined;
};

/** The cotangent `value` of `name`, made behind a body, as products of matrices; undefined where it is anything else. */
export const productOf = ({ emit, forward }: Body, name: string, value: string): Product | undefined => {
  const own = new Set(emit.nodes.slice(0, forward));
  const same = (v: string): boolean => dimsOf(emit, v)?.join() === dimsOf(emit, name)?.join();
  const parts = (v: string): readonly Term[] | undefined => {
    const node = emit.producer(v);
    if (!node || own.has(node) || !same(v)) return undefined;
    if (node.op === 'Identity') return parts(node.inputs[0]);
    if (node.op !== 'Add') return termOf(emit, node);
    const [left, right] = node.inputs.map(parts);
    return left && right && [...left, ...right];
  };
  const whole = dimsOf(emit, name)?.every((d) => typeof d === 'number');
  const terms = whole ? parts(value) : undefined;
  return terms && { name, terms };
};

/** The product over all turns; `over` gives the values of all turns, [T, rows, columns]. */
export const multiply = (emit: Emit, inner: Emit, { name, terms }: Product, over: (v: string) => string): string => {
  const rows = (v: string): string => emit.Reshape(over(v), emit.ints([-1, Number(dimsOf(inner, v)?.[1])]));
  const made = terms.map(({ left, right }) =>
    left ? emit.Gemm(rows(left), rows(right), { transA: 1 }) : emit.ReduceSum(rows(right), emit.ints([0]), { keepdims: 0 }),
  );
  const out = made.reduce((a, b) => emit.Add(a, b));
  const type = inner.type(name);
  return type ? emit.typed(out, type) : out;
};
