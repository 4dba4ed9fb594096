import { constantOf } from '../../../src/graph/constant.ts';
import { float } from '../../../src/graph/emit.ts';
import {
  domain,
  fine,
  int8,
  onAxis,
  one,
  quantise,
  real,
  scale,
  stored,
  tanh,
  through,
  toFirst,
  toLast,
  zero,
} from '../quantised-forms.ts';
import { fake, held, pair, type Quantised } from '../straight-through.ts';
import { f, flags, weight } from './case.ts';
import { standardQuantised } from './quantised.ts';

/** All quantised operators, those of ONNX Runtime's own domain last. */
export const quantised: readonly Quantised[] = [
  ...standardQuantised,
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
