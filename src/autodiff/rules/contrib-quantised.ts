import { floatOf, intOf } from '../../graph/attribute.ts';
import type { Emit, Given } from '../../graph/emit.ts';
import type { Node } from '../../graph/types.ts';
import type { Rule, Rules } from '../rule.ts';
import { cast, num, rankOf } from '../shapes.ts';
import { dequantised, dequantizeLinear, qConv, quantised, quantisedType, quantizeLinear } from './quantisation.ts';

/** Quantised operators of ONNX Runtime's own domain: each is the float operator between numbers taken apart and put together again. */
const column = { axis: -1, block: 0 };

type Real = (emit: Emit, numbers: readonly string[], node: Node) => string;
/** Operands come as value, scale, zero point; scale and zero point of the result follow. */
const between = (operands: number, real: Real): Rule => ({
  as: (emit, { x, y: [y], node }) => {
    const numbers = Array.from({ length: operands }, (_, i) => dequantised(emit, x[3 * i], x[3 * i + 1], x[3 * i + 2]));
    const [scale, zero] = [x[3 * operands], x[3 * operands + 1] ?? ''];
    return [quantised(emit, real(emit, numbers, node), scale, zero, quantisedType(emit, y, zero))];
  },
  quantised: true,
});

/** An operator on channels-first data, put on data whose channels are last. */
const channelsFirst = (emit: Emit, x: string, work: (x: string) => string): string => {
  const rank = rankOf(emit, x) ?? 4;
  const inner = Array.from({ length: rank - 2 }, (_, i) => i);
  const front = emit.Transpose(x, { perm: [0, rank - 1, ...inner.map((i) => i + 1)] });
  return emit.Transpose(work(front), { perm: [0, ...inner.map((i) => i + 2), 1] });
};
const pooled =
  (op: 'AveragePool' | 'GlobalAveragePool'): Real =>
  (emit, [x], node) => {
    const { channels_last, ...attributes } = node.attributes;
    const work = (v: string): string => emit.call(op, [v], attributes);
    return intOf(node, 'channels_last', 0) === 1 ? channelsFirst(emit, x, work) : work(x);
  };

const conv: Rule = {
  as: (emit, site) => {
    const [scale, zero] = site.x.slice(6, 8);
    const last = intOf(site.node, 'channels_last', 0) === 1;
    const real = last ? channelsFirst(emit, site.x[0], (x) => qConv(emit, { ...site, x: [x, ...site.x.slice(1)] })) : qConv(emit, site);
    return [quantised(emit, real, scale, zero, quantisedType(emit, site.y[0], zero))];
  },
  quantised: true,
};

const softmax: Real = (emit, [x], node) => {
  const axis = intOf(node, 'axis', -1);
  if (intOf(node, 'opset', 13) >= 13) return emit.Softmax(x, { axis });
  // Before operator set 13: over all axes from `axis` on.
  const flat = emit.Softmax(emit.Flatten(x, { axis }), { axis: 1 });
  return emit.Reshape(flat, emit.Shape(x));
};

/** The result's scale and zero point come first, then value, scale, zero point of each part. */
const concat: Rule = {
  as: (emit, { x: [scale, zero, ...rest], y: [y], node }) => {
    const parts = Array.from({ length: rest.length / 3 }, (_, i) => dequantised(emit, rest[3 * i], rest[3 * i + 1], rest[3 * i + 2]));
    const real = emit.Concat(...parts, { axis: intOf(node, 'axis', 0) });
    return [quantised(emit, real, scale, zero, quantisedType(emit, y, zero))];
  },
  quantised: true,
};
const where: Rule = {
  as: (emit, { x: [condition, a, as, az, b, bs, bz, scale, zero], y: [y] }) => {
    const real = emit.Where(condition, dequantised(emit, a, as, az), dequantised(emit, b, bs, bz));
    return [quantised(emit, real, scale, zero, quantisedType(emit, y, zero))];
  },
  quantised: true,
};

/** α·A′·B′ + C, quantised where the result's scale is given; C is in steps of α and the product of the scales. */
const gemm: Rule = {
  as: (emit, { x: [a, as, az, b, bs, bz, c, scale = '', zero = ''], y: [y], node }) => {
    const alpha = floatOf(node, 'alpha', 1);
    const factor = emit.Mul(emit.Mul(num(emit, alpha, as), as), bs);
    const shift = c ? dequantised(emit, c, factor, '', column) : '';
    const matrix = dequantised(emit, b, bs, bz, { axis: intOf(node, 'transB', 0) === 1 ? 0 : 1, block: 0 });
    const real = emit.Gemm(dequantised(emit, a, as, az), matrix, shift, node.attributes);
    return [scale ? quantised(emit, real, scale, zero, quantisedType(emit, y, zero)) : real];
  },
  quantised: true,
};

const shifted = (emit: Emit, x: string, bias: string | undefined): string => (bias ? emit.Add(x, bias) : x);
const matMulToFloat: Rule = {
  as: (emit, { x: [a, b, as, bs, az, bz, bias] }) => [
    shifted(emit, emit.MatMul(dequantised(emit, a, as, az, { axis: -2, block: 0 }), dequantised(emit, b, bs, bz, column)), bias),
  ],
  quantised: true,
};
/** The left operand is quantised on the way, by a scale that its own data give. */
const dynamicMatMul: Rule = {
  as: (emit, { x: [a, b, bs, bz, bias] }) => {
    const [q, scale, zero] = emit.calls('DynamicQuantizeLinear', [a], 3);
    return [shifted(emit, emit.MatMul(dequantised(emit, q, scale, zero), dequantised(emit, b, bs, bz, column)), bias)];
  },
  quantised: true,
};

const attention: Rule = {
  as: (emit, { x: [x, w, bias, xs, ws, mask = '', xz, wz, past = ''], y, node }) => {
    const inputs = [dequantised(emit, x, xs, xz), dequantised(emit, w, ws, wz, column), bias, mask, past];
    const made = y.map((name) => name !== '');
    return emit.calls('Attention', inputs, made, node.attributes, 'com.microsoft');
  },
  quantised: true,
};

const maxPool: Rule = {
  as: (emit, { x: [x], node }) => [channelsFirst(emit, cast(emit, x, 'float32'), (v) => emit.call('MaxPool', [v], node.attributes))],
  quantised: true,
};

/** Weights [D, I, 4H], the other way round than LSTM's; the data are quantised on the way. */
const lstm: Rule = {
  as: (emit, { x: [x, w, r, b, lengths, h, c, p, ws, wz, rs, rz], y, node }) => {
    const weights = (q: string, s: string, z: string): string => {
      const perDirection = (v: string): string =>
        rankOf(emit, v) === 1 ? emit.Unsqueeze(v, emit.ints([1, 2])) : emit.Unsqueeze(v, emit.ints([1]));
      const numbers = emit.Sub(cast(emit, q, 'float32'), perDirection(cast(emit, z, 'float32')));
      return emit.Transpose(emit.Mul(numbers, perDirection(s)), { perm: [0, 2, 1] });
    };
    const inputs = [x, weights(w, ws, wz), weights(r, rs, rz), b ?? '', lengths ?? '', h ?? '', c ?? '', p ?? ''];
    return emit.calls(
      'LSTM',
      inputs,
      y.map((name) => name !== ''),
      node.attributes,
    );
  },
  quantised: true,
};

/** Numbers of `bits` bits from bytes, the lowest bits first, along a new last axis. */
const unpacked = (emit: Emit, bytes: string, bits: number): string => {
  if (bits === 8) return cast(emit, bytes, 'float32');
  const wide = emit.Unsqueeze(bytes, emit.ints([-1]));
  const parts = Array.from({ length: 8 / bits }, (_, i) => {
    const moved = i === 0 ? wide : emit.call('BitShift', [wide, emit.scalar(i * bits, 'uint8')], { direction: 'RIGHT' });
    return emit.call('BitwiseAnd', [moved, emit.scalar(2 ** bits - 1, 'uint8')]);
  });
  return cast(emit, emit.Concat(...parts, { axis: -1 }), 'float32');
};
/**
 * A·Bᵀ, B [N, K] packed in blocks along K, each with its scale, and its zero point or that in the middle of the range. A list
 * may give the block whose scale each column takes.
 */
const matMulBits: Rule = {
  as: (emit, { x: [a, b, scales, zeros, order, bias], node }) => {
    const [n, k, bits, block] = [intOf(node, 'N', 0), intOf(node, 'K', 0), intOf(node, 'bits', 4), intOf(node, 'block_size', 32)];
    const blocks = Math.ceil(k / block);
    const columns = order
      ? emit.Slice(order, emit.ints([0]), emit.ints([k]))
      : emit.ints(Array.from({ length: k }, (_, i) => Math.floor(i / block)));
    const perColumn = (v: string): string => emit.Gather(emit.Reshape(v, emit.ints([n, -1])), columns, { axis: 1 });
    const numbers = emit.Reshape(unpacked(emit, b, bits), emit.ints([n, blocks * block]));
    const whole = zeros && emit.type(zeros)?.dtype === 'uint8' ? unpacked(emit, emit.Reshape(zeros, emit.ints([n, -1])), bits) : zeros;
    const zero = whole ? perColumn(whole) : num(emit, 2 ** (bits - 1), scales);
    const matrix = emit.Mul(emit.Sub(emit.Slice(numbers, emit.ints([0]), emit.ints([k]), emit.ints([1])), zero), perColumn(scales));
    return [shifted(emit, emit.MatMul(a, emit.Transpose(matrix, { perm: [1, 0] })), bias)];
  },
  quantised: true,
};

const withAttributes =
  (op: string, attributes: (node: Node) => Readonly<Record<string, Given>>): Real =>
  (emit, x, node) =>
    emit.call(op, x, attributes(node));

export const contribQuantised: Rules = {
  'com.microsoft.QuantizeLinear': quantizeLinear,
  'com.microsoft.DequantizeLinear': dequantizeLinear,
  'com.microsoft.QLinearConv': conv,
  'com.microsoft.QLinearAdd': between(2, (emit, [a, b]) => emit.Add(a, b)),
  'com.microsoft.QLinearMul': between(2, (emit, [a, b]) => emit.Mul(a, b)),
  'com.microsoft.QLinearSigmoid': between(1, (emit, [x]) => emit.Sigmoid(x)),
  'com.microsoft.QLinearLeakyRelu': between(
    1,
    withAttributes('LeakyRelu', (node) => node.attributes),
  ),
  'com.microsoft.QLinearSoftmax': between(1, softmax),
  'com.microsoft.QLinearAveragePool': between(1, pooled('AveragePool')),
  'com.microsoft.QLinearGlobalAveragePool': between(1, pooled('GlobalAveragePool')),
  'com.microsoft.QLinearConcat': concat,
  'com.microsoft.QLinearWhere': where,
  'com.microsoft.QGemm': gemm,
  'com.microsoft.MatMulIntegerToFloat': matMulToFloat,
  'com.microsoft.DynamicQuantizeMatMul': dynamicMatMul,
  'com.microsoft.QAttention': attention,
  'com.microsoft.DynamicQuantizeLSTM': lstm,
  'com.microsoft.NhwcMaxPool': maxPool,
  'com.microsoft.MatMulNBits': matMulBits,
};
