import { constantOf } from '../../../src/graph/constant.ts';
import { domain, int8, onAxis, quantise, real, scale, stored, tanh, through, toFirst, toLast, zero } from '../quantised-forms.ts';
import { fake, held, pair, type Quantised } from '../straight-through.ts';
import { f, spread, weight } from './case.ts';

/** Quantised operators of the standard operator set. */
export const standardQuantised: readonly Quantised[] = [
  pair(
    'QuantizeLinear and DequantizeLinear, some values clipped',
    [f([3, 4], -6, 8), scale()],
    (emit, x) => tanh(emit, real(emit, quantise(emit, x[0], x[1], 120), x[1], 120)),
    (emit, x) => tanh(emit, fake(emit, x[0], x[1], 120, 'uint8')),
  ),
  pair(
    'QuantizeLinear to int16',
    [f([3, 4]), scale(0.01, 0.02)],
    (emit, x) => tanh(emit, real(emit, quantise(emit, x[0], x[1], 5, 'int16'), x[1], 5, 'int16')),
    (emit, x) => tanh(emit, fake(emit, x[0], x[1], 5, 'int16')),
  ),
  pair(
    'QuantizeLinear to uint4',
    [f([3, 4]), scale(0.2, 0.3)],
    (emit, x) => tanh(emit, real(emit, quantise(emit, x[0], x[1], 7, 'uint4'), x[1], 7, 'uint4')),
    (emit, x) => tanh(emit, fake(emit, x[0], x[1], 7, 'uint4')),
  ),
  pair(
    'QuantizeLinear without a zero point',
    [f([3, 4], 0.1, 3), scale()],
    (emit, x) => tanh(emit, emit.call('DequantizeLinear', [emit.call('QuantizeLinear', [x[0], x[1]]), x[1]])),
    (emit, x) => tanh(emit, fake(emit, x[0], x[1], 0, 'uint8')),
  ),
  pair(
    'QuantizeLinear with a scale for each channel',
    [f([2, 3, 4]), weight([3], 0.005, 0.03)],
    (emit, x) => {
      const z = zero(emit, [110, 120, 130]);
      const q = emit.call('QuantizeLinear', [x[0], x[1], z], { axis: 1 });
      return tanh(emit, emit.call('DequantizeLinear', [q, x[1], z], { axis: -2 }));
    },
    (emit, x) =>
      tanh(emit, fake(emit, x[0], onAxis(emit, x[1], [3, 1]), emit.constant(constantOf('float32', [3, 1], [110, 120, 130])), 'uint8')),
  ),
  pair(
    'QuantizeLinear with a scale for each block',
    [f([2, 5]), weight([2, 3], 0.005, 0.03)],
    (emit, x) => {
      const q = emit.call('QuantizeLinear', [x[0], x[1], emit.constant(constantOf('int8', [2, 3], [1, 2, 3, 4, 5, 6]))], {
        axis: 1,
        block_size: 2,
      });
      return tanh(
        emit,
        emit.call('DequantizeLinear', [q, x[1], emit.constant(constantOf('int8', [2, 3], [1, 2, 3, 4, 5, 6]))], { axis: 1, block_size: 2 }),
      );
    },
    (emit, x) => {
      const s = emit.Gather(x[1], emit.ints([0, 0, 1, 1, 2]), { axis: 1 });
      const z = emit.constant(constantOf('float32', [2, 5], [1, 1, 2, 2, 3, 4, 4, 5, 5, 6]));
      return tanh(emit, fake(emit, x[0], s, z, 'int8'));
    },
  ),
  pair(
    'a stored weight behind Transpose and DequantizeLinear',
    [f([2, 3]), weight([4], 0.01, 0.02)],
    (emit, x) => {
      const turned = emit.Transpose(stored(emit, [4, 3], 3), { perm: [1, 0] });
      const w = emit.call('DequantizeLinear', [turned, x[1]], { axis: 1 });
      return tanh(emit, emit.MatMul(x[0], w));
    },
    (emit, x) => tanh(emit, emit.MatMul(x[0], int8(emit, emit.Transpose(stored(emit, [4, 3], 3), { perm: [1, 0] }), x[1]))),
  ),
  pair(
    'a float weight behind Cast, QuantizeLinear, DequantizeLinear and Transpose',
    [f([2, 3]), weight([4, 3]), scale(0.01, 0.02)],
    (emit, x) => {
      const w = real(emit, quantise(emit, emit.Cast(x[1], { to: 1 }), x[2], 3, 'int8'), x[2], 3, 'int8');
      return tanh(emit, emit.MatMul(x[0], emit.Transpose(w, { perm: [1, 0] })));
    },
    (emit, x) => tanh(emit, emit.MatMul(x[0], emit.Transpose(fake(emit, x[1], x[2], 3, 'int8'), { perm: [1, 0] }))),
  ),
  pair(
    'operators on quantised values: Reshape, Transpose, MaxPool, Concat, Slice, Gather',
    [f([1, 2, 4, 4]), scale()],
    (emit, x) => {
      const q = quantise(emit, x[0], x[1], 120);
      const pooled = emit.call('MaxPool', [q], { kernel_shape: [2, 2], strides: [2, 2] });
      const part = emit.Slice(
        emit.Transpose(emit.Reshape(pooled, emit.ints([2, 4])), { perm: [1, 0] }),
        emit.ints([1]),
        emit.ints([4]),
        emit.ints([0]),
      );
      const all = emit.Concat(part, emit.Gather(part, emit.ints([0, 0]), { axis: 0 }), { axis: 0 });
      return tanh(emit, real(emit, all, x[1], 120));
    },
    (emit, x) => {
      const v = fake(emit, x[0], x[1], 120, 'uint8');
      const pooled = emit.call('MaxPool', [v], { kernel_shape: [2, 2], strides: [2, 2] });
      const part = emit.Slice(
        emit.Transpose(emit.Reshape(pooled, emit.ints([2, 4])), { perm: [1, 0] }),
        emit.ints([1]),
        emit.ints([4]),
        emit.ints([0]),
      );
      return tanh(emit, emit.Concat(part, emit.Gather(part, emit.ints([0, 0]), { axis: 0 }), { axis: 0 }));
    },
  ),
  pair(
    'DynamicQuantizeLinear, MatMulInteger, Cast and Mul',
    [f([2, 3]), weight([4], 0.01, 0.02)],
    (emit, x) => {
      const [q, s, z] = emit.calls('DynamicQuantizeLinear', [x[0]], 3);
      const sums = emit.call('MatMulInteger', [q, stored(emit, [3, 4], 5), z, zero(emit, [1, 2, 3, 4], 'int8')]);
      return tanh(emit, emit.Mul(emit.Cast(sums, { to: 1 }), emit.Mul(s, x[1])));
    },
    (emit, x) => {
      const [, s, z] = emit.calls('DynamicQuantizeLinear', [x[0]], 3).map((v) => held(emit, emit.Cast(v, { to: 1 })));
      const w = emit.Sub(emit.Cast(stored(emit, [3, 4], 5), { to: 1 }), emit.constant(constantOf('float32', [4], [1, 2, 3, 4])));
      return tanh(emit, emit.MatMul(fake(emit, x[0], s, z, 'uint8'), emit.Mul(w, x[1])));
    },
  ),
  pair(
    'ConvInteger',
    [f([1, 2, 4, 4]), scale()],
    (emit, x) => {
      const sums = emit.call(
        'ConvInteger',
        [
          quantise(emit, x[0], x[1], 120),
          quantise(emit, emit.constant(constantOf('float32', [3, 2, 3, 3], spread([3, 2, 3, 3], -1, 1, 9))), emit.scalar(0.02), 9),
          zero(emit, 120),
          zero(emit, 9),
        ],
        { pads: [1, 1, 1, 1], strides: [2, 2] },
      );
      return tanh(emit, emit.Mul(emit.Cast(sums, { to: 1 }), emit.Mul(x[1], emit.scalar(0.02))));
    },
    (emit, x) => {
      const w = fake(
        emit,
        emit.constant(constantOf('float32', [3, 2, 3, 3], spread([3, 2, 3, 3], -1, 1, 9))),
        emit.scalar(0.02),
        9,
        'uint8',
      );
      return tanh(emit, emit.Conv(fake(emit, x[0], x[1], 120, 'uint8'), w, { pads: [1, 1, 1, 1], strides: [2, 2] }));
    },
    { sized: true },
  ),
  through(
    'QLinearMatMul',
    [
      [2, 3],
      [3, 4],
    ],
    (emit, [a, b], s, z) => emit.call('QLinearMatMul', [...a, ...b, s, z]),
    (emit, [a, b]) => emit.MatMul(a, b),
  ),
  pair(
    'QLinearMatMul with a scale for each column, some results clipped',
    [f([2, 3]), scale(0.02, 0.03), weight([4], 0.005, 0.02), scale(0.002, 0.003)],
    (emit, x) => {
      const y = emit.call('QLinearMatMul', [
        quantise(emit, x[0], x[1], 120),
        x[1],
        zero(emit, 120),
        stored(emit, [3, 4], 11),
        x[2],
        zero(emit, [0, 0, 0, 0], 'int8'),
        x[3],
        zero(emit, 128),
      ]);
      return tanh(emit, real(emit, y, x[3], 128));
    },
    (emit, x) => {
      const product = emit.MatMul(fake(emit, x[0], x[1], 120, 'uint8'), int8(emit, stored(emit, [3, 4], 11), x[2]));
      return tanh(emit, fake(emit, product, x[3], 128, 'uint8'));
    },
  ),
  ...[
    { last: false, attributes: { pads: [1, 0, 1, 0], strides: [1, 2] } },
    { last: true, attributes: { pads: [1, 1, 0, 0] } },
  ].map(({ last, attributes }) =>
    pair(
      `QLinearConv ${last ? 'with channels last, a scale for each filter' : 'with a scale for each filter and a bias'}`,
      [f(last ? [1, 4, 5, 2] : [1, 2, 4, 5]), scale(0.02, 0.03), weight([3], 0.005, 0.01), scale(0.05, 0.06)],
      (emit, x) => {
        const filters = [stored(emit, [3, 2, 3, 3], 13), x[2], zero(emit, [0, 0, 0], 'int8')];
        const bias = emit.constant(constantOf('int32', [3], [400, -700, 900]));
        const inputs = [quantise(emit, x[0], x[1], 120), x[1], zero(emit, 120), ...filters, x[3], zero(emit, 100), bias];
        const y = last
          ? emit.call('QLinearConv', inputs, { ...attributes, channels_last: 1 }, domain)
          : emit.call('QLinearConv', inputs, attributes);
        return tanh(emit, real(emit, y, x[3], 100));
      },
      (emit, x) => {
        const v = fake(emit, x[0], x[1], 120, 'uint8');
        const bias = emit.Mul(emit.constant(constantOf('float32', [3], [400, -700, 900])), emit.Mul(x[1], x[2]));
        const filters = int8(emit, stored(emit, [3, 2, 3, 3], 13), onAxis(emit, x[2], [3, 1, 1, 1]));
        const conv = emit.Conv(last ? toFirst(emit, v) : v, filters, bias, attributes);
        return tanh(emit, fake(emit, last ? toLast(emit, conv) : conv, x[3], 100, 'uint8'));
      },
      { sized: true },
    ),
  ),
];
