import type { DType } from '../base/tensor.ts';
import { intOf, intsOf } from '../graph/attribute.ts';
import { constantOf, numbersOf } from '../graph/constant.ts';
import type { Emit } from '../graph/emit.ts';
import { dtypes } from '../graph/schema.ts';
import type { Dim } from '../graph/types.ts';
import type { Site } from './rule.ts';

/** Shapes inside rules: static where types are known, computed in the graph where not. */
export const dimsOf = (emit: Emit, x: string): readonly Dim[] | undefined => emit.type(x)?.dims;
export const dtypeOf = (emit: Emit, x: string): DType => emit.type(x)?.dtype ?? 'float32';
const whole = (dims: readonly Dim[] | undefined): dims is readonly number[] => dims?.every((d) => typeof d === 'number') ?? false;

/** The shape of `x` as an int64 vector: a constant where known. */
export const shapeOf = (emit: Emit, x: string): string => {
  const dims = dimsOf(emit, x);
  return whole(dims) ? emit.ints(dims) : emit.Shape(x);
};
/** Its sizes but the first. */
const sizesBehind = (emit: Emit, x: string): string => emit.Slice(shapeOf(emit, x), emit.ints([1]), emit.ints([64]));
/** One size of `x` as a one-element vector. */
export const sizeAt = (emit: Emit, x: string, axis: number): string => {
  const dims = dimsOf(emit, x);
  const d = dims?.at(axis);
  if (typeof d === 'number') return emit.ints([d]);
  const at = axis < 0 && dims ? axis + dims.length : axis;
  return emit.call('Shape', [x], at === -1 ? { start: -1 } : { start: at, end: at + 1 });
};
/** Elements in one row of `x`, as a one-element vector. */
export const rowSize = (emit: Emit, x: string): string => {
  const row = dimsOf(emit, x)?.slice(1);
  if (whole(row)) return emit.ints([row.reduce<number>((n, d) => n * Number(d), 1)]);
  return emit.Reshape(emit.call('ReduceProd', [sizesBehind(emit, x)], { keepdims: 0 }), emit.ints([1]));
};
/** The shape of any number of rows as those of `x`. */
export const rowShape = (emit: Emit, x: string): string => {
  const row = dimsOf(emit, x)?.slice(1);
  return whole(row) ? emit.ints([-1, ...row]) : emit.Concat(emit.ints([-1]), sizesBehind(emit, x), { axis: 0 });
};
export const rankOf = (emit: Emit, x: string): number | undefined => dimsOf(emit, x)?.length;

export const dtypeCode = (dtype: DType): number => dtypes.indexOf(dtype);
export const cast = (emit: Emit, x: string, dtype: DType): string =>
  emit.type(x)?.dtype === dtype ? x : emit.Cast(x, { to: dtypeCode(dtype) });
/** `x` (a mask, a count) in the element type of `ref`. */
export const castLike = (emit: Emit, x: string, ref: string): string => cast(emit, x, dtypeOf(emit, ref));

/** A scalar in the element type of `ref`. */
export const num = (emit: Emit, value: number, ref: string): string => {
  const dtype = dtypeOf(emit, ref);
  return dtype === 'float16' || dtype === 'bfloat16' ? cast(emit, emit.scalar(value), dtype) : emit.scalar(value, dtype);
};
const filled = (emit: Emit, value: number, x: string): string =>
  rankOf(emit, x) === 0 ? num(emit, value, x) : emit.Expand(num(emit, value, x), shapeOf(emit, x));
export const zerosLike = (emit: Emit, x: string): string => filled(emit, 0, x);
export const onesLike = (emit: Emit, x: string): string => filled(emit, 1, x);

export const sameShape = (emit: Emit, a: string, b: string): boolean => {
  const [s, t] = [dimsOf(emit, a), dimsOf(emit, b)];
  return a === b || (s !== undefined && t !== undefined && s.length === t.length && s.every((d, i) => d !== undefined && d === t[i]));
};

/** `v` in the shape of `ref`, which has as many elements. */
export const reshapeLike = (emit: Emit, v: string, ref: string): string => {
  if (sameShape(emit, v, ref)) return v;
  const dims = dimsOf(emit, ref);
  const holes = dims?.filter((d) => typeof d !== 'number').length;
  const fixed = dims && holes !== undefined && holes <= 1 && !dims.includes(0);
  const out = fixed
    ? emit.Reshape(v, emit.ints(dims.map((d) => (typeof d === 'number' ? d : -1))))
    : emit.Reshape(v, shapeOf(emit, ref), { allowzero: 1 });
  const type = emit.type(ref);
  return type?.dims ? emit.typed(out, { ...type, dtype: dtypeOf(emit, v) }) : out;
};

/** Floats that constants are written in. */
export const isPlain = (emit: Emit, x: string): boolean => ['float32', 'float64'].includes(dtypeOf(emit, x));

/** Trailing axes of one element that are repeated: a product with a row of ones, many times as fast as Expand to few elements. */
const repeated = (emit: Emit, v: string, ref: string): string | undefined => {
  const [from, dims] = [dimsOf(emit, v), dimsOf(emit, ref)];
  if (!from || !dims || from.length !== dims.length || !isPlain(emit, v)) return undefined;
  const kept = dims.findIndex((d, i) => d === undefined || d !== from[i]);
  const rest = dims.slice(kept);
  if (kept < 1 || !whole(rest) || from.slice(kept).some((d) => d !== 1) || dims.filter((d) => typeof d !== 'number').length > 1)
    return undefined;
  const n = rest.reduce<number>((a, b) => a * Number(b), 1);
  if (n < 2 || n > 64 || dims.includes(0)) return undefined;
  const ones = emit.constant(constantOf(dtypeOf(emit, v), [1, n], new Float64Array(n).fill(1)));
  return reshapeLike(emit, emit.MatMul(emit.Reshape(v, emit.ints([-1, 1])), ones), ref);
};

/** `v` broadcast to the shape of `ref`. */
export const expandLike = (emit: Emit, v: string, ref: string): string => {
  if (sameShape(emit, v, ref)) return v;
  const product = repeated(emit, v, ref);
  if (product) return product;
  const dims = dimsOf(emit, ref);
  const from = dimsOf(emit, v);
  // A 1 in Expand's shape keeps the size that is there, so an equal symbolic axis needs no Shape.
  const kept =
    dims && from && dims.every((d, i) => typeof d === 'number' || (d !== undefined && d === from[i - dims.length + from.length]));
  const shape = kept ? emit.ints(dims.map((d) => (typeof d === 'number' ? d : 1))) : shapeOf(emit, ref);
  const out = emit.Expand(v, shape);
  const type = emit.type(ref);
  return type?.dims ? emit.typed(out, { ...type, dtype: dtypeOf(emit, v) }) : out;
};

export const sum = (emit: Emit, x: string, axes: readonly number[], keepdims = 0): string =>
  axes.length === 0 ? x : emit.ReduceSum(x, emit.ints(axes), { keepdims });
export const mean = (emit: Emit, x: string, axes: readonly number[], keepdims = 1): string =>
  emit.call('ReduceMean', [x, emit.ints(axes)], { keepdims });

const certain = (d: Dim): boolean => d !== undefined;

/** Sums `v` back to the shape of `x`, from which it was broadcast. */
export const sumTo = (emit: Emit, v: string, x: string): string => {
  if (sameShape(emit, v, x)) return v;
  const [s, t] = [dimsOf(emit, v), dimsOf(emit, x)];
  const lead = s && t ? s.length - t.length : 0;
  if (s && t && lead >= 0 && t.every((d, i) => d === 1 || (certain(d) && d === s[i + lead]))) {
    const extra = Array.from({ length: lead }, (_, i) => i);
    const ones = t.flatMap((d, i) => (d === 1 && s[i + lead] !== 1 ? [i + lead] : []));
    if (extra.length === 0) return sum(emit, v, ones, 1);
    if (ones.length === 0) return sum(emit, v, extra, 0);
    return reshapeLike(emit, sum(emit, v, [...extra, ...ones], 0), x);
  }
  // Axes found when the graph runs: those where x, padded with leading ones, is 1 and v is not.
  const [big, small] = [emit.Shape(v), emit.Shape(x)];
  const one = constantOf('int64', [1], [1]);
  const lone = emit.call('ConstantOfShape', [emit.Sub(emit.Shape(big), emit.Shape(small))], { value: { type: 'tensor', value: one } });
  const padded = emit.Concat(lone, small, { axis: 0 });
  const axes = emit.Reshape(emit.call('NonZero', [emit.Not(emit.Equal(padded, big))]), emit.ints([-1]));
  return reshapeLike(emit, emit.ReduceSum(v, axes, { keepdims: 1, noop_with_empty_axes: 1 }), x);
};

/** Numbers of a constant input (axes, shapes, pads), or undefined where it is computed. */
export const given = (emit: Emit, x: string | undefined): readonly number[] | undefined => {
  const c = x ? emit.constantOf(x) : undefined;
  return c?.bytes ? numbersOf(c) : undefined;
};

export const positive = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);
/** The attribute `axis` counted from the front; a rank is needed only where it is negative. */
export const axisOf = (emit: Emit, { node, x, y }: Site, fallback: number): number => {
  const axis = intOf(node, 'axis', fallback);
  return axis < 0 ? positive(axis, rankOf(emit, x[0]) ?? rankOf(emit, y[0]) ?? 0) : axis;
};

/** Axes of a reduction as a value, and as numbers where they are constant; undefined for "all". */
export const reductionAxes = (
  emit: Emit,
  { node, x }: Site,
): { readonly all: boolean; readonly axes?: readonly number[]; readonly value?: string } => {
  const attribute = intsOf(node, 'axes');
  const axes = attribute ?? (x[1] ? given(emit, x[1]) : []);
  if (axes?.length === 0) return { all: intOf(node, 'noop_with_empty_axes', 0) === 0, axes: [] };
  if (axes) return { all: false, axes, value: attribute ? emit.ints(attribute) : x[1] };
  return { all: false, value: x[1] };
};
