import type { DType } from '../../base/tensor.ts';
import { intOf } from '../../graph/attribute.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Node } from '../../graph/types.ts';
import type { Rule, Rules, Site } from '../rule.ts';
import { cast, dimsOf, dtypeOf, num, positive, rankOf, sizeAt } from '../shapes.ts';

/**
 * Straight-through derivatives: a quantised value q counts as the real number it rounds, q = x/s + z, so that dq/dx = 1/s
 * where the rounded number lies in the range of its type and 0 where it was clipped, and x = (q − z)·s. That is PyTorch's
 * fake_quantize; with respect to a scale it is PyTorch's learnable one, Σ g·((q − z) − x/s) inside and Σ g·(q − z) outside.
 * Zero points are constant. The cotangent of a quantised value is a float.
 */
const ranges: { readonly [T in DType]?: readonly [low: number, high: number] } = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
  int4: [-8, 7],
  uint4: [0, 15],
  int2: [-2, 1],
  uint2: [0, 3],
  float8e4m3fn: [-448, 448],
  float8e4m3fnuz: [-240, 240],
  float8e5m2: [-57344, 57344],
  float8e5m2fnuz: [-57344, 57344],
};

/** Where scale and zero point lie along `x`. */
export interface Layout {
  readonly axis: number;
  /** Elements along the axis that share a scale; 0 where each element along it has its own. */
  readonly block: number;
}
const layoutOf = (node: Node): Layout => ({ axis: intOf(node, 'axis', 1), block: intOf(node, 'block_size', 0) });

/** A scale or zero point laid along `x`: one for all, one for each place on an axis, or one for each block. */
const along = (emit: Emit, v: string, x: string, { axis, block }: Layout): string => {
  const rank = rankOf(emit, x) ?? 1;
  const at = positive(axis, rank);
  if (block > 0) {
    const wide = emit.Expand(
      emit.Unsqueeze(v, emit.ints([at + 1])),
      emit.ints(Array.from({ length: rank + 1 }, (_, i) => (i === at + 1 ? block : 1))),
    );
    const sizes = Array.from({ length: rank }, (_, i) => (i === at ? emit.ints([-1]) : sizeAt(emit, v, i)));
    const whole = emit.Reshape(wide, emit.Concat(...sizes, { axis: 0 }));
    return emit.Slice(whole, emit.ints([0]), sizeAt(emit, x, at), emit.ints([at]));
  }
  if (rankOf(emit, v) !== 1 || dimsOf(emit, v)?.[0] === 1) return v;
  return emit.Reshape(v, emit.ints(Array.from({ length: rank }, (_, i) => (i === at ? -1 : 1))));
};

/** (q − z)·s */
export const dequantised = (emit: Emit, q: string, scale: string, zero = '', layout: Layout = { axis: 1, block: 0 }): string => {
  const dtype = dtypeOf(emit, scale);
  const numbers = cast(emit, q, dtype);
  const centred = zero ? emit.Sub(numbers, along(emit, cast(emit, zero, dtype), q, layout)) : numbers;
  return emit.Mul(centred, along(emit, scale, q, layout));
};

/** x/s, constant where the rounded x/s + z leaves the range of `dtype`. */
export const quantised = (
  emit: Emit,
  x: string,
  scale: string,
  zero: string,
  dtype: DType,
  layout: Layout = { axis: 1, block: 0 },
): string => {
  const steps = emit.Div(x, along(emit, cast(emit, scale, dtypeOf(emit, x)), x, layout));
  const [low, high] = ranges[dtype] ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const rounded = dtype.startsWith('float') ? steps : emit.call('Round', [steps]);
  const number = zero ? emit.Add(rounded, along(emit, cast(emit, zero, dtypeOf(emit, x)), x, layout)) : rounded;
  const inside = emit.And(emit.GreaterOrEqual(number, num(emit, low, x)), emit.LessOrEqual(number, num(emit, high, x)));
  return emit.Mul(steps, cast(emit, inside, dtypeOf(emit, x)));
};
/** The type a node's quantised output has. */
export const quantisedType = (emit: Emit, y: string, zero: string | undefined): DType =>
  emit.type(y)?.dtype ?? (zero ? dtypeOf(emit, zero) : 'uint8');

export const quantizeLinear: Rule = {
  as: (emit, { x: [x, scale, zero = ''], y: [y], node }) => {
    const numbers = cast(emit, x, dtypeOf(emit, scale));
    return [quantised(emit, numbers, scale, zero, quantisedType(emit, y, zero), layoutOf(node))];
  },
  quantised: true,
};
export const dequantizeLinear: Rule = {
  as: (emit, { x: [q, scale, zero], node }) => [dequantised(emit, q, scale, zero, layoutOf(node))],
  quantised: true,
};
/** Scale and zero point follow from the data; as an observer's they count as constant. Nothing is clipped. */
const dynamic: Rule = { as: (emit, { x: [x], y: [, scale], node }) => [emit.Div(x, scale || emit.calls(node.op, [x], 3)[1]), '', ''] };

/** Numbers less their zero points, of which a weight may have one for each column or filter; ONNX Runtime's CPU kernels take no others. */
const centred = (emit: Emit, q: string, zero: string | undefined, axis: number): string =>
  dequantised(emit, q, emit.scalar(1), zero, { axis, block: 0 });
const matMulInteger: Rule = {
  as: (emit, { x: [a, b, az, bz] }) => [emit.MatMul(centred(emit, a, az, -1), centred(emit, b, bz, -1))],
  quantised: true,
};
const convInteger: Rule = {
  as: (emit, { x: [x, w, xz, wz], node }) => [emit.Conv(centred(emit, x, xz, 1), centred(emit, w, wz, 0), node.attributes)],
  quantised: true,
};
const qLinearMatMul: Rule = {
  as: (emit, { x: [a, as, az, b, bs, bz, scale, zero], y: [y] }) => {
    const product = emit.MatMul(dequantised(emit, a, as, az), dequantised(emit, b, bs, bz, { axis: -1, block: 0 }));
    return [quantised(emit, product, scale, zero, quantisedType(emit, y, zero))];
  },
  quantised: true,
};
/** The convolution of the real numbers that input and filters stand for; a bias is in steps of the product of their scales. */
export const qConv = (emit: Emit, { x: [x, xs, xz, w, ws, wz, , , b], node }: Site): string => {
  const filters = dequantised(emit, w, ws, wz, { axis: 0, block: 0 });
  const bias = b ? dequantised(emit, b, emit.Mul(xs, ws), '', { axis: 0, block: 0 }) : '';
  const { channels_last, ...attributes } = node.attributes;
  return emit.Conv(dequantised(emit, x, xs, xz), filters, bias, attributes);
};
const qLinearConv: Rule = {
  as: (emit, site) => {
    const [scale, zero] = site.x.slice(6, 8);
    return [quantised(emit, qConv(emit, site), scale, zero, quantisedType(emit, site.y[0], zero))];
  },
  quantised: true,
};

export const quantisation: Rules = {
  QuantizeLinear: quantizeLinear,
  DequantizeLinear: dequantizeLinear,
  DynamicQuantizeLinear: dynamic,
  MatMulInteger: matMulInteger,
  ConvInteger: convInteger,
  QLinearMatMul: qLinearMatMul,
  QLinearConv: qLinearConv,
};
