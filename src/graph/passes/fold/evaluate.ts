import { type DType, sizeOf } from '../../../base/tensor.ts';
import { intOf, intsOf } from '../../attribute.ts';
import { constantOf, numbersOf } from '../../constant.ts';
import type { Attribute, Constant, Node } from '../../types.ts';
import { indicesOf, stridesOf } from './strides.ts';

/** A small array of numbers on the host. Whole numbers beyond ±2^53 are rounded, as attributes are. */
interface Small {
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly values: readonly number[];
}

const numeric: ReadonlySet<DType> = new Set<DType>([
  ...(['float32', 'float64', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64', 'bool'] as const),
]);
export const smallOf = (c: Constant): Small | undefined =>
  c.bytes && numeric.has(c.dtype) ? { dtype: c.dtype, dims: c.dims, values: numbersOf(c) } : undefined;
export const constantFromSmall = (s: Small): Constant => constantOf(s.dtype, s.dims, s.values);

type Evaluate = (x: readonly (Small | undefined)[], node: Node) => Small | undefined;

const whole = (dtype: DType): boolean => !dtype.startsWith('float');
/** Rounds to what the element type can hold. */
const held = (dtype: DType, v: number): number => (dtype === 'float32' ? Math.fround(v) : whole(dtype) ? Math.trunc(v) : v);

const axisOf = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** Numpy broadcasting; undefined where the shapes do not fit. */
const joint = (a: readonly number[], b: readonly number[]): number[] | undefined => {
  const rank = Math.max(a.length, b.length);
  const at = (d: readonly number[], i: number): number => d[i - rank + d.length] ?? 1;
  const out = Array.from({ length: rank }, (_, i) => (at(a, i) === 1 ? at(b, i) : at(a, i)));
  return out.every((d, i) => [at(a, i), at(b, i)].every((e) => e === d || e === 1)) ? out : undefined;
};
/** Values of `s` as if of shape `dims`, to which it broadcasts. */
const spread = (s: Small, dims: readonly number[]): readonly number[] => {
  if (s.dims.length === dims.length && s.dims.every((d, i) => d === dims[i])) return s.values;
  const padded = [...Array.from({ length: dims.length - s.dims.length }, () => 1), ...s.dims];
  const steps = stridesOf(padded).map((step, i) => (padded[i] === 1 ? 0 : step));
  return indicesOf(dims, steps).map((i) => s.values[i]);
};

const binary =
  (f: (a: number, b: number, dtype: DType) => number, out?: DType): Evaluate =>
  ([a, b]) => {
    const dims = a && b && joint(a.dims, b.dims);
    if (!a || !b || !dims) return undefined;
    const [u, v] = [spread(a, dims), spread(b, dims)];
    return { dtype: out ?? a.dtype, dims, values: u.map((value, i) => held(out ?? a.dtype, f(value, v[i], a.dtype))) };
  };
const unary =
  (f: (a: number) => number): Evaluate =>
  ([a]) =>
    a && { ...a, values: a.values.map((v) => held(a.dtype, f(v))) };

/** Integer division by zero is left to ONNX Runtime. */
const divide: Evaluate = (x, node) => {
  const [a, b] = x;
  if (a && b && whole(a.dtype) && b.values.includes(0)) return undefined;
  return binary((u, v) => u / v)(x, node);
};
const modulo: Evaluate = (x, node) => {
  const [a, b] = x;
  if (!a || !b || !whole(a.dtype) || b.values.includes(0) || intOf(node, 'fmod', 0)) return undefined;
  return binary((u, v) => u - v * Math.floor(u / v))(x, node);
};
const reshaped = (a: Small | undefined, dims: readonly number[]): Small | undefined =>
  a && sizeOf(dims) === a.values.length ? { ...a, dims } : undefined;

const reshape: Evaluate = ([a, shape], node) => {
  if (!a || !shape) return undefined;
  const zero = intOf(node, 'allowzero', 0) === 1;
  const dims = shape.values.map((d, i) => (d === 0 && !zero ? (a.dims[i] ?? 0) : d));
  const known = dims.filter((d) => d !== -1).reduce((n, d) => n * d, 1);
  return reshaped(
    a,
    dims.map((d) => (d === -1 ? (known === 0 ? 0 : a.values.length / known) : d)),
  );
};
const squeeze: Evaluate = ([a, axes], node) => {
  if (!a || (node.inputs[1] && !axes)) return undefined;
  const drop = axes?.values.map((v) => axisOf(v, a.dims.length));
  return reshaped(
    a,
    a.dims.filter((d, i) => (drop ? !drop.includes(i) : d !== 1)),
  );
};
const unsqueeze: Evaluate = ([a, axes]) => {
  if (!a || !axes) return undefined;
  const rank = a.dims.length + axes.values.length;
  const made = new Set(axes.values.map((v) => axisOf(v, rank)));
  let i = 0;
  return reshaped(
    a,
    Array.from({ length: rank }, (_, k) => (made.has(k) ? 1 : a.dims[i++])),
  );
};
const gather: Evaluate = ([a, indices], node) => {
  if (!a || !indices || a.dims.length === 0) return undefined;
  const axis = axisOf(intOf(node, 'axis', 0), a.dims.length);
  const chosen = indices.values.map((v) => axisOf(v, a.dims[axis]));
  if (chosen.some((v) => v < 0 || v >= a.dims[axis])) return undefined;
  const inner = sizeOf(a.dims.slice(axis + 1));
  const outer = sizeOf(a.dims.slice(0, axis));
  const values: number[] = [];
  for (let o = 0; o < outer; o++)
    for (const c of chosen) for (let k = 0; k < inner; k++) values.push(a.values[(o * a.dims[axis] + c) * inner + k]);
  return { dtype: a.dtype, dims: [...a.dims.slice(0, axis), ...indices.dims, ...a.dims.slice(axis + 1)], values };
};
const concat: Evaluate = (x, node) => {
  const all = x.filter((s) => s !== undefined);
  const [first] = all;
  if (!first || all.length !== node.inputs.length) return undefined;
  const axis = axisOf(intOf(node, 'axis', 0), first.dims.length);
  const outer = sizeOf(first.dims.slice(0, axis));
  const values: number[] = [];
  for (let o = 0; o < outer; o++)
    for (const s of all) {
      const run = s.values.length / outer;
      for (let k = 0; k < run; k++) values.push(s.values[o * run + k]);
    }
  const length = all.reduce((n, s) => n + s.dims[axis], 0);
  return { dtype: first.dtype, dims: first.dims.map((d, i) => (i === axis ? length : d)), values };
};
const slice: Evaluate = ([a, starts, ends, axes, steps], node) => {
  if (!a || !starts || !ends || (node.inputs[3] && !axes) || (node.inputs[4] && !steps)) return undefined;
  const base = stridesOf(a.dims);
  const [dims, stride] = [[...a.dims], [...base]];
  let offset = 0;
  for (let k = 0; k < starts.values.length; k++) {
    const axis = axisOf(axes?.values[k] ?? k, a.dims.length);
    const [size, step] = [a.dims[axis], steps?.values[k] ?? 1];
    const bound = (v: number, low: number, high: number): number => Math.min(Math.max(v < 0 ? v + size : v, low), high);
    const from = step > 0 ? bound(starts.values[k], 0, size) : bound(starts.values[k], 0, size - 1);
    const to = step > 0 ? bound(ends.values[k], 0, size) : bound(ends.values[k], -1, size - 1);
    dims[axis] = Math.max(0, Math.ceil((to - from) / step));
    stride[axis] = base[axis] * step;
    offset += from * base[axis];
  }
  return { dtype: a.dtype, dims, values: indicesOf(dims, stride).map((i) => a.values[offset + i]) };
};
const transpose: Evaluate = ([a], node) => {
  if (!a) return undefined;
  const order = intsOf(node, 'perm') ?? a.dims.map((_, i) => a.dims.length - 1 - i);
  const base = stridesOf(a.dims);
  const dims = order.map((i) => a.dims[i]);
  const steps = order.map((i) => base[i]);
  return { dtype: a.dtype, dims, values: indicesOf(dims, steps).map((i) => a.values[i]) };
};
const expand: Evaluate = ([a, shape]) => {
  const dims = a && shape && joint(a.dims, shape.values);
  return a && dims && { dtype: a.dtype, dims, values: spread(a, dims) };
};
const tile: Evaluate = ([a, repeats]) => {
  if (!a || !repeats) return undefined;
  const base = stridesOf(a.dims);
  const dims = a.dims.map((d, i) => d * repeats.values[i]);
  const own = stridesOf(dims);
  const values = Array.from(
    { length: sizeOf(dims) },
    (_, i) => a.values[dims.reduce((n, d, k) => n + ((Math.floor(i / own[k]) % d) % a.dims[k]) * base[k], 0)],
  );
  return { dtype: a.dtype, dims, values };
};
const range: Evaluate = ([start, limit, delta]) => {
  if (!start || !limit || !delta) return undefined;
  const [from, to, by] = [start.values[0], limit.values[0], delta.values[0]];
  const length = Math.max(0, Math.ceil((to - from) / by));
  return { dtype: start.dtype, dims: [length], values: Array.from({ length }, (_, i) => held(start.dtype, from + i * by)) };
};
const filled: Evaluate = ([shape], node) => {
  const value: Attribute | undefined = node.attributes.value;
  const fill = value?.type === 'tensor' ? smallOf(value.value) : { dtype: 'float32' as const, values: [0] };
  if (!shape || !fill) return undefined;
  const dims = shape.values;
  return { dtype: fill.dtype, dims, values: Array.from({ length: sizeOf(dims) }, () => fill.values[0]) };
};
const where: Evaluate = ([c, a, b]) => {
  const pair = a && b && joint(a.dims, b.dims);
  const dims = c && pair && joint(c.dims, pair);
  if (!c || !a || !b || !dims) return undefined;
  const [t, u, v] = [spread(c, dims), spread(a, dims), spread(b, dims)];
  return { dtype: a.dtype, dims, values: t.map((on, i) => (on ? u[i] : v[i])) };
};
const cast: Evaluate = ([a], node) => {
  const to = (['float32', 'uint8', 'int8', 'uint16', 'int16', 'int32', 'int64', undefined, 'bool', undefined, 'float64'] as const)[
    intOf(node, 'to', 0) - 1
  ];
  if (!a || !to) return undefined;
  const fits = to === 'int64' || to === 'int32' || !whole(to) || to === 'bool';
  // Casts that wrap or saturate are left to ONNX Runtime.
  if (!fits || a.values.some((v) => !Number.isFinite(v) || (to === 'int32' && Math.abs(v) >= 2 ** 31))) return undefined;
  return { dtype: to, dims: a.dims, values: a.values.map((v) => (to === 'bool' ? Number(v !== 0) : held(to, v))) };
};
const reduce =
  (f: (values: readonly number[]) => number): Evaluate =>
  ([a, axes], node) => {
    if (a?.dims.length !== 1 || (node.inputs[1] && !axes) || intOf(node, 'noop_with_empty_axes', 0)) return undefined;
    return { dtype: a.dtype, dims: intOf(node, 'keepdims', 1) ? [1] : [], values: [held(a.dtype, f(a.values))] };
  };
const flatten: Evaluate = ([a], node) => {
  if (!a) return undefined;
  const axis = axisOf(intOf(node, 'axis', 1), a.dims.length);
  return reshaped(a, [sizeOf(a.dims.slice(0, axis)), sizeOf(a.dims.slice(axis))]);
};

/** Operators evaluated on the host: the arithmetic of shapes, indices and masks. Each with one output. */
export const evaluators: Readonly<Record<string, Evaluate>> = {
  Abs: unary(Math.abs),
  Add: binary((a, b) => a + b),
  And: binary((a, b) => Number(Boolean(a && b)), 'bool'),
  Cast: cast,
  Ceil: unary(Math.ceil),
  Concat: concat,
  ConstantOfShape: filled,
  Div: divide,
  Equal: binary((a, b) => Number(a === b), 'bool'),
  Expand: expand,
  Flatten: flatten,
  Floor: unary(Math.floor),
  Gather: gather,
  Greater: binary((a, b) => Number(a > b), 'bool'),
  GreaterOrEqual: binary((a, b) => Number(a >= b), 'bool'),
  Identity: ([a]) => a,
  Less: binary((a, b) => Number(a < b), 'bool'),
  LessOrEqual: binary((a, b) => Number(a <= b), 'bool'),
  Max: (x, node) => (x.length === 2 ? binary((a, b) => Math.max(a, b))(x, node) : undefined),
  Min: (x, node) => (x.length === 2 ? binary((a, b) => Math.min(a, b))(x, node) : undefined),
  Mod: modulo,
  Mul: binary((a, b) => a * b),
  Neg: unary((a) => -a),
  Not: unary((a) => Number(!a)),
  Or: binary((a, b) => Number(Boolean(a || b)), 'bool'),
  Range: range,
  ReduceMax: reduce((v) => Math.max(...v)),
  ReduceMin: reduce((v) => Math.min(...v)),
  ReduceProd: reduce((v) => v.reduce((a, b) => a * b, 1)),
  ReduceSum: reduce((v) => v.reduce((a, b) => a + b, 0)),
  Reshape: reshape,
  Slice: slice,
  Sqrt: unary(Math.sqrt),
  Squeeze: squeeze,
  Sub: binary((a, b) => a - b),
  Tile: tile,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
  Where: where,
};
