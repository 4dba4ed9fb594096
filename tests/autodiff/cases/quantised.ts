import { constantOf } from '../../../src/graph/constant.ts';
import { type Emit, float, type Given } from '../../../src/graph/emit.ts';
import { fake, held, pair, type Quantised } from '../straight-through.ts';
import { f, flags, spread, weight } from './case.ts';

type Whole = 'int8' | 'uint8' | 'uint4' | 'int16';
const domain = 'com.microsoft';
const zero = (emit: Emit, value: number | readonly number[], dtype: Whole = 'uint8'): string => {
  if (dtype === 'uint4') return emit.constant({ dtype, dims: [], bytes: Uint8Array.of(Number(value)) });
  const list = typeof value === 'number' ? [value] : value;
  return emit.constant(constantOf(dtype, typeof value === 'number' ? [] : [list.length], list));
};
const quantise = (
  emit: Emit,
  v: string,
  s: string,
  z: number,
  dtype: Whole = 'uint8',
  attributes: Readonly<Record<string, Given>> = {},
): string => emit.call('QuantizeLinear', [v, s, zero(emit, z, dtype)], attributes);
const real = (
  emit: Emit,
  q: string,
  s: string,
  z: number,
  dtype: Whole = 'uint8',
  attributes: Readonly<Record<string, Given>> = {},
): string => emit.call('DequantizeLinear', [q, s, zero(emit, z, dtype)], attributes);
/** Numbers stored as int8; small, so that no kernel's sums of pairs saturate. */
const stored = (emit: Emit, dims: readonly number[], seed: number): string =>
  emit.constant(constantOf('int8', dims, spread(dims, -60, 60, seed).map(Math.round)));
const scale = (low = 0.04, high = 0.06) => weight([], low, high);
/** A function with curvature behind, so that second derivatives are not zero. */
const tanh = (emit: Emit, v: string): string[] => [emit.Tanh(v)];

/** One quantised operator between quantised operands and its float form: scales of operands, then of the result. */
const through = (
  name: string,
  shapes: readonly (readonly number[])[],
  quantisedForm: (emit: Emit, q: readonly (readonly [string, string, string])[], s: string, z: string) => string,
  floatForm: (emit: Emit, v: readonly string[]) => string,
  result: { readonly low: number; readonly high: number; readonly zero: number; readonly tolerance?: number } = {
    low: 0.05,
    high: 0.08,
    zero: 100,
  },
): Quantised => {
  const n = shapes.length;
  const zeros = shapes.map((_, i) => 120 + i);
  return pair(
    name,
    [...shapes.map((dims) => f(dims)), ...shapes.map(() => scale(0.02, 0.04)), scale(result.low, result.high)],
    (emit, x) => {
      const q = zeros.map((z, i) => [quantise(emit, x[i], x[n + i], z), x[n + i], zero(emit, z)] as const);
      const y = quantisedForm(emit, q, x[2 * n], zero(emit, result.zero));
      return tanh(emit, real(emit, y, x[2 * n], result.zero));
    },
    (emit, x) => {
      const v = zeros.map((z, i) => fake(emit, x[i], x[n + i], z, 'uint8'));
      return tanh(emit, fake(emit, floatForm(emit, v), x[2 * n], result.zero, 'uint8'));
    },
    result,
  );
};
const one = (
  op: string,
  dims: readonly number[],
  attributes: Readonly<Record<string, Given>>,
  form: (emit: Emit, v: string) => string,
  result?: Parameters<typeof through>[4],
): Quantised =>
  through(
    `${op} ${JSON.stringify(attributes)}`,
    [dims],
    (emit, [[q, s, z]], ys, yz) => emit.call(op, [q, s, z, ys, yz], attributes, domain),
    (emit, [v]) => form(emit, v),
    result,
  );
/** Probabilities. The kernel's table of whole numbers rounds a few of them otherwise than floats do; these scales meet none of those. */
const fine = (low: number, high: number) => ({ low, high, zero: 0, tolerance: 5e-3 });
const toFirst = (emit: Emit, v: string): string => emit.Transpose(v, { perm: [0, 3, 1, 2] });
const toLast = (emit: Emit, v: string): string => emit.Transpose(v, { perm: [0, 2, 3, 1] });

/** A scale for each place of an axis, laid along it. */
const onAxis = (emit: Emit, s: string, shape: readonly number[]): string => emit.Reshape(s, emit.ints(shape));
const int8 = (emit: Emit, q: string, s: string): string => emit.Mul(emit.Cast(q, { to: 1 }), s);

export const quantised: readonly Quantised[] = [
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
  through(
    'QLinearAdd',
    [[2, 3], [3]],
    (emit, [a, b], s, z) => emit.call('QLinearAdd', [...a, ...b, s, z], {}, domain),
    (emit, [a, b]) => emit.Add(a, b),
  ),
  through(
    'QLinearMul',
    [[2, 3], [3]],
    (emit, [a, b], s, z) => emit.call('QLinearMul', [...a, ...b, s, z], {}, domain),
    (emit, [a, b]) => emit.Mul(a, b),
  ),
  one('QLinearSigmoid', [2, 3], {}, (emit, v) => emit.Sigmoid(v)),
  one('QLinearLeakyRelu', [2, 3], { alpha: float(0.3) }, (emit, v) => emit.call('LeakyRelu', [v], { alpha: float(0.3) })),
  one('QLinearSoftmax', [2, 4], { axis: -1, opset: 13 }, (emit, v) => emit.Softmax(v, { axis: -1 }), fine(0.0042, 0.0043)),
  one(
    'QLinearSoftmax',
    [2, 3, 2],
    { axis: 1, opset: 12 },
    (emit, v) => emit.Reshape(emit.Softmax(emit.Reshape(v, emit.ints([2, 6])), { axis: 1 }), emit.ints([2, 3, 2])),
    fine(0.0037, 0.0039),
  ),
  one('QLinearAveragePool', [1, 2, 4, 4], { kernel_shape: [2, 2], strides: [2, 2] }, (emit, v) =>
    emit.AveragePool(v, { kernel_shape: [2, 2], strides: [2, 2] }),
  ),
  one('QLinearAveragePool', [1, 4, 4, 2], { kernel_shape: [3, 3], channels_last: 1 }, (emit, v) =>
    toLast(emit, emit.AveragePool(toFirst(emit, v), { kernel_shape: [3, 3] })),
  ),
  one('QLinearGlobalAveragePool', [1, 2, 3, 4], {}, (emit, v) => emit.call('GlobalAveragePool', [v])),
  one('QLinearGlobalAveragePool', [1, 3, 4, 2], { channels_last: 1 }, (emit, v) =>
    toLast(emit, emit.call('GlobalAveragePool', [toFirst(emit, v)])),
  ),
  through(
    'QLinearConcat',
    [
      [2, 3],
      [2, 2],
    ],
    (emit, [a, b], s, z) => emit.call('QLinearConcat', [s, z, ...a, ...b], { axis: 1 }, domain),
    (emit, [a, b]) => emit.Concat(a, b, { axis: 1 }),
  ),
  pair(
    'QLinearWhere',
    [f([2, 3]), f([2, 3]), flags([1, 0, 1, 0, 0, 1], [2, 3]), scale(), scale(), scale()],
    (emit, x) => {
      const [a, b] = [0, 1].map((i) => [quantise(emit, x[i], x[3 + i], 120), x[3 + i], zero(emit, 120)]);
      return tanh(emit, real(emit, emit.call('QLinearWhere', [x[2], ...a, ...b, x[5], zero(emit, 99)], {}, domain), x[5], 99));
    },
    (emit, x) => {
      const [a, b] = [0, 1].map((i) => fake(emit, x[i], x[3 + i], 120, 'uint8'));
      return tanh(emit, fake(emit, emit.Where(x[2], a, b), x[5], 99, 'uint8'));
    },
  ),
  ...[true, false].map((whole) =>
    pair(
      `QGemm to ${whole ? 'whole numbers' : 'floats, transposed'}`,
      [f(whole ? [2, 3] : [3, 2]), scale(0.02, 0.03), weight([4], 0.005, 0.01), scale(0.02, 0.03)],
      (emit, x) => {
        const attributes = whole ? {} : { transA: 1, transB: 1, alpha: float(0.5) };
        const b = [stored(emit, whole ? [3, 4] : [4, 3], 17), x[2], zero(emit, [0, 0, 0, 0], 'int8')];
        const inputs = [
          quantise(emit, x[0], x[1], 120),
          x[1],
          zero(emit, 120),
          ...b,
          emit.constant(constantOf('int32', [4], [100, 200, -300, 400])),
        ];
        const y = emit.call('QGemm', whole ? [...inputs, x[3], zero(emit, 90)] : inputs, attributes, domain);
        return tanh(emit, whole ? real(emit, y, x[3], 90) : emit.Mul(y, x[3]));
      },
      (emit, x) => {
        const alpha = emit.scalar(whole ? 1 : 0.5);
        const a = fake(emit, x[0], x[1], 120, 'uint8');
        const b = int8(emit, stored(emit, whole ? [3, 4] : [4, 3], 17), whole ? x[2] : onAxis(emit, x[2], [4, 1]));
        const turned = (v: string): string => (whole ? v : emit.Transpose(v, { perm: [1, 0] }));
        const c = emit.Mul(emit.constant(constantOf('float32', [4], [100, 200, -300, 400])), emit.Mul(x[1], x[2]));
        const y = emit.Mul(alpha, emit.Add(emit.MatMul(turned(a), turned(b)), c));
        return tanh(emit, whole ? fake(emit, y, x[3], 90, 'uint8') : emit.Mul(y, x[3]));
      },
    ),
  ),
  pair(
    'MatMulIntegerToFloat',
    [f([2, 3]), scale(0.02, 0.03), weight([4], 0.005, 0.01), weight([4])],
    (emit, x) =>
      tanh(
        emit,
        emit.call(
          'MatMulIntegerToFloat',
          [quantise(emit, x[0], x[1], 120), stored(emit, [3, 4], 19), x[1], x[2], zero(emit, 120), zero(emit, [0, 0, 0, 0], 'int8'), x[3]],
          {},
          domain,
        ),
      ),
    (emit, x) => tanh(emit, emit.Add(emit.MatMul(fake(emit, x[0], x[1], 120, 'uint8'), int8(emit, stored(emit, [3, 4], 19), x[2])), x[3])),
  ),
  pair(
    'DynamicQuantizeMatMul',
    [f([2, 3]), weight([4], 0.005, 0.01), weight([4])],
    (emit, x) =>
      tanh(
        emit,
        emit.call('DynamicQuantizeMatMul', [x[0], stored(emit, [3, 4], 23), x[1], zero(emit, [0, 0, 0, 0], 'int8'), x[2]], {}, domain),
      ),
    (emit, x) => {
      const [, s, z] = emit.calls('DynamicQuantizeLinear', [x[0]], 3).map((v) => held(emit, emit.Cast(v, { to: 1 })));
      const a = fake(emit, x[0], s, z, 'uint8');
      return tanh(emit, emit.Add(emit.MatMul(a, int8(emit, stored(emit, [3, 4], 23), x[1])), x[2]));
    },
  ),
  pair(
    'DynamicQuantizeLSTM',
    [f([3, 2, 4]), weight([1], 0.01, 0.02), weight([1, 8], 0.01, 0.02), weight([1, 16])],
    (emit, x) => {
      const zeros = [emit.constant(constantOf('int8', [1], [3])), emit.constant(constantOf('int8', [1, 8], [0, 0, 0, 0, 0, 0, 0, 0]))];
      const [w, r] = [stored(emit, [1, 4, 8], 31), stored(emit, [1, 2, 8], 37)];
      const inputs = [x[0], w, r, x[3], '', '', '', '', x[1], zeros[0], x[2], zeros[1]];
      return emit.calls('DynamicQuantizeLSTM', inputs, [true, true, true], { hidden_size: 2 }, domain);
    },
    (emit, x) => {
      const turned = (q: string, shift: number, s: string): string =>
        emit.Transpose(emit.Mul(emit.Sub(emit.Cast(q, { to: 1 }), emit.scalar(shift)), emit.Unsqueeze(s, emit.ints([1]))), {
          perm: [0, 2, 1],
        });
      const [w, r] = [
        turned(stored(emit, [1, 4, 8], 31), 3, emit.Unsqueeze(x[1], emit.ints([1]))),
        turned(stored(emit, [1, 2, 8], 37), 0, x[2]),
      ];
      return emit.calls('LSTM', [x[0], w, r, x[3]], [true, true, true], { hidden_size: 2 });
    },
    // The kernel rounds its data to eight bits in every step, which the value shows and the derivatives do not.
    { sized: true, tolerance: 3e-2 },
  ),
  pair(
    'QAttention',
    [f([2, 3, 4]), scale(0.02, 0.03), scale(0.005, 0.01), weight([12])],
    (emit, x) => [
      emit.call(
        'QAttention',
        [quantise(emit, x[0], x[1], 120), stored(emit, [4, 12], 29), x[3], x[1], x[2], '', zero(emit, 120), zero(emit, 0, 'int8')],
        { num_heads: 2 },
        domain,
      ),
    ],
    (emit, x) => [
      emit.call(
        'Attention',
        [fake(emit, x[0], x[1], 120, 'uint8'), int8(emit, stored(emit, [4, 12], 29), x[2]), x[3]],
        { num_heads: 2 },
        domain,
      ),
    ],
  ),
  pair(
    'NhwcMaxPool',
    [f([1, 4, 4, 2]), scale()],
    (emit, x) =>
      tanh(
        emit,
        real(
          emit,
          emit.call('NhwcMaxPool', [quantise(emit, x[0], x[1], 120)], { kernel_shape: [2, 2], strides: [2, 2] }, domain),
          x[1],
          120,
        ),
      ),
    (emit, x) =>
      tanh(
        emit,
        toLast(
          emit,
          emit.call('MaxPool', [toFirst(emit, fake(emit, x[0], x[1], 120, 'uint8'))], { kernel_shape: [2, 2], strides: [2, 2] }),
        ),
      ),
  ),
  pair(
    'QuantizeLinear and DequantizeLinear of ONNX Runtime',
    [f([3, 4], -6, 8), scale()],
    (emit, x) => {
      const q = emit.call('QuantizeLinear', [x[0], x[1], zero(emit, 120)], {}, domain);
      return tanh(emit, emit.call('DequantizeLinear', [q, x[1], zero(emit, 120)], {}, domain));
    },
    (emit, x) => tanh(emit, fake(emit, x[0], x[1], 120, 'uint8')),
  ),
];
