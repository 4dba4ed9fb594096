import { float, floats, type Given } from '../../../src/graph/emit.ts';
import { type Case, c, f, fed, graph, type Input, ints, none, weight, whole } from './case.ts';

/** ONNX Runtime's own operators. Most have kernels for float32 only, where differences are good to 1e-2. */
const domain = 'com.microsoft';
const ms = (op: string, x: readonly Input[], attributes: Readonly<Record<string, Given>> = {}, outputs?: readonly boolean[]): Case =>
  c(op, x, attributes, { domain, ...(outputs ? { outputs } : {}) });

export const contribActivation: readonly Case[] = [
  ms('Gelu', [f([3, 4])]),
  ms('BiasGelu', [f([2, 3, 4]), f([4])]),
  // In float64 ONNX Runtime expands it with constants of six digits.
  c('FastGelu', [f([3, 4])], {}, { domain, single: true }),
  c('FastGelu', [f([2, 3, 4]), f([4])], {}, { domain, single: true }),
  ms('QuickGelu', [f([3, 4])]),
  ms('QuickGelu', [f([3, 4])], { alpha: float(0.8) }),
];

const norm = (last: number): Input => weight([last], 0.5, 1.5);
/** Rows whose elements are far from equal: where a row hardly varies, difference quotients of its standardised form are no guide. */
const rows = (dims: readonly number[]): Input => {
  const near = f(dims, -0.3, 0.3);
  const last = dims[dims.length - 1];
  return near.kind === 'float' ? { ...near, values: near.values.map((v, i) => v + 1.2 * (((5 * i) % last) - 1.3)) } : near;
};
/** A table of embeddings; its sizes ONNX Runtime wants to know. */
const table = (length: number, wide = 1): Input => {
  const all = wide === 1 ? rows([length, 4]) : f([length, 4], -wide, wide);
  return all.kind === 'float' ? { ...all, fixed: true } : all;
};
export const contribNormalisation: readonly Case[] = [
  ms('SkipLayerNormalization', [rows([2, 3, 4]), f([2, 3, 4], -0.2, 0.2), norm(4)], { epsilon: float(0.01) }),
  ms('SkipLayerNormalization', [rows([2, 3, 4]), f([3, 4], -0.2, 0.2), norm(4), weight([4]), weight([4])]),
  ms('SkipLayerNormalization', [rows([6, 4]), f([6, 4], -0.2, 0.2), norm(4), none, weight([4])]),
  ms('SkipLayerNormalization', [rows([2, 3, 4]), f([1, 3, 4], -0.2, 0.2), norm(4), weight([4])], {}, [true, true, true, true]),
  ms('SkipLayerNormalization', [rows([2, 3, 4]), f([2, 3, 4], -0.2, 0.2), norm(4)], {}, [true, false, false, true]),
  ms('SkipSimplifiedLayerNormalization', [rows([2, 3, 4]), f([2, 3, 4], -0.2, 0.2), norm(4)]),
  ms('SkipSimplifiedLayerNormalization', [rows([2, 3, 4]), f([3, 4], -0.2, 0.2), norm(4), weight([4])], { epsilon: float(0.1) }, [
    true,
    false,
    true,
    true,
  ]),
  c('SimplifiedLayerNormalization', [f([2, 3, 4]), norm(4)]),
  c('SimplifiedLayerNormalization', [f([2, 3, 4]), weight([3, 4])], { axis: 1, epsilon: float(0.1) }),
  c('SimplifiedLayerNormalization', [f([2, 3, 4]), norm(4)], {}, { outputs: [true, true], single: true }),
  ms(
    'EmbedLayerNormalization',
    [whole('int32', [0, 1, 2, 3, 4, 0], [2, 3]), none, table(5), table(6, 0.2), none, norm(4), weight([4])],
    {},
    [true, false],
  ),
  ms(
    'EmbedLayerNormalization',
    [
      whole('int32', [0, 1, 2, 3, 4, 0], [2, 3]),
      whole('int32', [0, 1, 1, 0, 0, 1], [2, 3]),
      ...[table(5), table(4, 0.2), table(2, 0.2), norm(4), weight([4])],
      whole('int32', [1, 1, 0, 1, 1, 1], [2, 3]),
      whole('int32', [3, 2, 1, 0, 1, 2], [2, 3]),
    ],
    { epsilon: float(0.1), mask_index_type: 1 },
    [true, false, true],
  ),
  ms(
    'EmbedLayerNormalization',
    [whole('int32', [0, 1, 2, 3], [2, 2]), none, table(5), table(4, 0.2), none, norm(4), weight([4]), none, whole('int32', [3, 1], [1, 2])],
    {},
    [true, false],
  ),
];

export const contribProduct: readonly Case[] = [
  ms('FusedMatMul', [f([2, 3]), f([3, 4])], { alpha: float(0.7) }),
  ms('FusedMatMul', [f([3, 2]), f([4, 3])], { transA: 1, transB: 1 }),
  ms('FusedMatMul', [f([2, 3, 2]), f([3, 4])], { transA: 1, alpha: float(-2) }),
  ms('FusedMatMul', [f([2, 2, 3, 2]), f([2, 1, 2, 3])], { transA: 1, transB: 1 }),
  ms('FusedMatMul', [f([2, 3, 4]), f([3, 4, 2])], { transBatchA: 1 }),
  ms('FusedMatMul', [f([3, 2, 4]), f([4, 3, 2])], { transBatchB: 1 }),
  ms('FusedMatMul', [f([4, 3, 2]), f([2, 3, 4])], { transBatchA: 1, transA: 1, transBatchB: 1, transB: 1 }),
  ms('FusedMatMul', [f([3]), f([3, 2])], { transA: 1 }),
  ms('TransposeMatMul', [f([3, 2]), f([3, 4])], { transA: 1 }),
  ms('FusedGemm', [f([2, 3]), f([3, 4]), f([4])], { activation: 'Relu' }),
  ms('FusedGemm', [f([3, 2]), f([4, 3]), f([2, 1])], { activation: 'Tanh', transA: 1, transB: 1, alpha: float(0.7), beta: float(1.3) }),
  ms('FusedGemm', [f([2, 3]), f([3, 4])], { activation: 'Sigmoid' }),
  ms('FusedGemm', [f([2, 3]), f([3, 4]), f([4])], { activation: 'LeakyRelu', activation_alpha: float(0.2) }),
  ms('FusedGemm', [f([2, 3]), f([3, 4]), f([4])], { activation: 'HardSigmoid', activation_alpha: float(0.1), activation_beta: float(0.4) }),
  ms('FusedGemm', [f([2, 3]), f([3, 4]), f([4])], { activation: 'Elu', activation_alpha: float(0.6) }),
  ms('FusedGemm', [f([2, 3]), f([3, 4])], { activation: 'Softplus' }),
  ms('FusedGemm', [f([2, 3]), f([3, 4])], { activation: 'Softsign' }),
  ms('FusedGemm', [f([2, 3]), f([3, 4])], { activation: 'ThresholdedRelu', activation_alpha: float(0.3) }),
  ...(
    [
      ['Relu', []],
      ['LeakyRelu', [0.2]],
      ['Tanh', []],
      ['Sigmoid', []],
      ['HardSigmoid', [0.1, 0.4]],
      ['Clip', [-1, 2]],
      ['HardSwish', [1 / 6, 0.5]],
    ] as const
  ).map(([activation, numbers]) =>
    ms('FusedConv', [f([2, 2, 4, 3]), weight([3, 2, 3, 2]), weight([3])], {
      activation,
      ...(numbers.length > 0 ? { activation_params: floats(numbers) } : {}),
    }),
  ),
  ms('FusedConv', [f([1, 2, 4, 4]), weight([3, 2, 3, 3]), weight([3]), f([1, 3, 2, 2])], { activation: 'Relu' }),
  ms('FusedConv', [f([1, 2, 4, 4]), weight([2, 1, 3, 3]), none, f([1, 2, 2, 2])], {
    activation: 'Sigmoid',
    group: 2,
    strides: [2, 2],
    pads: [1, 1, 1, 1],
  }),
  ms('FusedConv', [f([1, 2, 5]), weight([3, 2, 3])], { activation: 'Tanh', auto_pad: 'SAME_UPPER', strides: [2] }),
  ms('ConvTransposeWithDynamicPads', [f([1, 2, 3, 3]), weight([2, 3, 2, 2]), ints([0, 1, 1, 0]), weight([3])], { strides: [2, 1] }),
  ms('ConvTransposeWithDynamicPads', [f([1, 2, 3, 3]), weight([2, 1, 2, 2]), ints([0, 0, 0, 0])], { group: 2 }),
  ms('CausalConvWithState', [f([2, 3, 5]), weight([3, 1, 3]), weight([3])], {}, [true, true]),
  ms('CausalConvWithState', [f([2, 3, 4]), weight([3, 1, 3]), none, f([2, 3, 4])], { activation: 'silu', dilation: 2 }, [true, true]),
  ...['relu', 'gelu', 'silu', 'identity'].map((activation_type) =>
    ms('MoE', [f([3, 4]), f([3, 3]), weight([3, 5, 4]), weight([3, 5]), weight([3, 4, 5]), weight([3, 4])], { k: 2, activation_type }),
  ),
  ms('MoE', [f([1, 3, 4]), f([3, 3]), weight([3, 5, 4]), none, weight([3, 4, 5])], { k: 1, activation_type: 'silu' }),
  ms('MoE', [f([3, 4]), f([3, 3]), weight([3, 5, 4]), none, weight([3, 4, 5])], {
    k: 2,
    activation_type: 'silu',
    normalize_routing_weights: 1,
  }),
  ms('Inverse', [f([2, 2], 0.5, 3)]),
  ms('Inverse', [f([2, 3, 3])]),
  ms('CDist', [f([2, 3]), f([4, 3])], { metric: 'euclidean' }),
  ms('CDist', [f([2, 3]), f([4, 3])], { metric: 'sqeuclidean' }),
];

export const contribShape: readonly Case[] = [
  ms('Trilu', [f([2, 3, 3])]),
  ms('Trilu', [f([3, 4]), ints([1], [])], { upper: 0 }),
  ms('GatherND', [f([3, 4]), whole('int32', [0, 1, 2, 3], [2, 2])]),
  ms('GatherND', [f([3, 4]), fed([2, 0, 2], [3, 1])]),
  ms('Pad', [f([2, 3]), ints([0, 1, 1, 2])]),
  ms('Pad', [f([2, 3]), ints([0, 1, 1, 2], [1, 4]), f([1])]),
  ms('Pad', [f([3, 3]), ints([1, 1, 0, 2])], { mode: 'reflect' }),
  ms('Pad', [f([2, 3]), ints([1, 1, 0, 1])], { mode: 'edge' }),
  ms('ExpandDims', [f([2, 3]), whole('int32', [1], [], true)]),
  ms('GridSample', [f([1, 2, 4, 4]), f([1, 2, 3, 2], -0.9, 0.9)]),
  ms('GridSample', [f([1, 1, 4, 4]), f([1, 2, 2, 2], -0.9, 0.9)], { mode: 'bicubic', align_corners: 1, padding_mode: 'border' }),
  ms('UnfoldTensor', [f([2, 6])], { dim: 1, size: 3, step: 1 }),
  ms('UnfoldTensor', [f([5, 2])], { dim: 0, size: 2, step: 2 }),
  ms('SampleOp', [f([2, 3])]),
];

const hidden = (): Input => f([2, 3, 4], -1, 1);
const mask = (values: readonly number[], dims?: readonly number[]): Input => whole('int32', values, dims);
const heads = { num_heads: 2 };
export const contribAttention: readonly Case[] = [
  ms('Attention', [hidden(), weight([4, 12]), weight([12])], heads),
  ms('Attention', [hidden(), weight([4, 12]), weight([12])], { ...heads, unidirectional: 1 }),
  ms('Attention', [hidden(), weight([4, 10]), weight([10])], { ...heads, qkv_hidden_sizes: [4, 4, 2], scale: float(0.4) }),
  ms('Attention', [hidden(), weight([4, 12]), weight([12]), mask([1, 1, 0, 0, 1, 1], [2, 3])], heads),
  ms('Attention', [hidden(), weight([4, 12]), weight([12]), mask([1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 1, 1], [2, 3, 3])], {
    ...heads,
    mask_filter_value: float(-5),
  }),
  ms('Attention', [hidden(), weight([4, 12]), weight([12]), mask([2, 3])], { ...heads, unidirectional: 1 }),
  ms('Attention', [hidden(), weight([4, 12]), weight([12]), mask([3, 2, 1, 0])], heads),
  ms(
    'Attention',
    [hidden(), weight([4, 12]), weight([12]), mask([1, 1, 1, 0, 1, 1, 0, 1, 1, 1], [2, 5]), f([2, 2, 2, 2, 2])],
    { ...heads, unidirectional: 1 },
    [true, true],
  ),
  ms('Attention', [hidden(), weight([4, 12]), weight([12]), none, none, f([1, 2, 3, 3])], heads, [true, true]),
  ms('MultiHeadAttention', [hidden(), hidden(), hidden()], heads),
  ms('MultiHeadAttention', [hidden(), hidden(), hidden(), weight([12])], { ...heads, unidirectional: 1 }),
  ms('MultiHeadAttention', [hidden(), f([2, 5, 4]), f([2, 5, 2]), weight([10])], { ...heads, scale: float(0.3) }),
  ms('MultiHeadAttention', [hidden(), f([2, 2, 5, 2]), f([2, 2, 5, 2])], heads),
  ms('MultiHeadAttention', [hidden(), hidden(), hidden(), none, mask([1, 1, 0, 0, 1, 1], [2, 3])], {
    ...heads,
    mask_filter_value: float(-7),
  }),
  ms('MultiHeadAttention', [hidden(), hidden(), hidden(), none, none, f([2, 1, 3, 3])], heads),
  ms(
    'MultiHeadAttention',
    [hidden(), hidden(), hidden(), none, none, f([1, 2, 3, 5]), f([2, 2, 2, 2]), f([2, 2, 2, 2])],
    { ...heads, unidirectional: 1 },
    [true, true, true],
  ),
  graph(
    'com.microsoft.MultiHeadAttention with its scores as an output',
    [hidden(), hidden(), hidden()],
    (emit, x) => {
      const [y, , , scores] = emit.calls('MultiHeadAttention', x, [true, false, false, true], heads, domain);
      // ONNX Runtime cannot tell the type of this output by itself.
      emit.typed(scores, { kind: 'tensor', dtype: 'float32' });
      return [y, scores];
    },
    { single: true },
  ),
  ms('RotaryEmbedding', [f([2, 3, 8]), fed([0, 1, 2, 2, 3, 4], [2, 3]), f([5, 2]), f([5, 2])]),
  ms('RotaryEmbedding', [f([2, 3, 8]), fed([1]), f([5, 2]), f([5, 2])], { interleaved: 1 }),
  ms('RotaryEmbedding', [f([2, 2, 3, 4]), fed([1]), f([5, 2]), f([5, 2])]),
  ms('RotaryEmbedding', [f([1, 3, 12]), fed([0]), f([5, 2]), f([5, 2])], { num_heads: 2, rotary_embedding_dim: 4 }),
];

const three = (n: number): Input =>
  fed(
    Array.from({ length: 3 * n }, (_, i) => (i * 5 + Math.floor(i / 3)) % 6),
    [3, 1, n],
  );
export const contribRotary: readonly Case[] = [
  ms('MRotaryEmbedding', [f([1, 2, 12]), three(2), f([6, 3]), f([6, 3])], { mrope_section: [1, 1, 1], num_heads: 2 }),
  ms('MRotaryEmbedding', [f([1, 2, 2, 12]), three(2), f([6, 6]), f([6, 6])], { mrope_section: [3, 2, 1], mrope_layout: 1, interleaved: 1 }),
  ms('MRotaryEmbedding', [f([1, 2, 12]), three(2), f([6, 2]), f([6, 2])], {
    mrope_section: [0, 1, 1],
    num_heads: 2,
    rotary_embedding_dim: 4,
  }),
];

const grouped = { num_heads: 4, kv_num_heads: 2 };
const queries = (s = 3, b = 2): Input => f([b, s, 32], -1, 1);
const pair = (s = 3, b = 2): readonly Input[] => [f([b, s, 16], -1, 1), f([b, s, 16], -1, 1)];
const present = [true, true, true];
/** Constant: ONNX Runtime takes the shape of what is kept from it. */
const total = (n: number): Input => whole('int32', [n], [1], true);
export const contribGroupAttention: readonly Case[] = [
  ms('GroupQueryAttention', [queries(), ...pair(), none, none, mask([2, 2]), mask([3])], grouped, present),
  ms(
    'GroupQueryAttention',
    [f([1, 3, 64], -1, 1), none, none, none, none, mask([2]), mask([3])],
    { ...grouped, scale: float(0.2) },
    present,
  ),
  ms('GroupQueryAttention', [queries(4), ...pair(4), none, none, mask([3, 3]), mask([4])], { ...grouped, local_window_size: 2 }, present),
  ms('GroupQueryAttention', [queries(), ...pair(), none, none, mask([2, 2]), mask([3])], { ...grouped, softcap: float(2) }, present),
  ms('GroupQueryAttention', [queries(), ...pair(), none, none, mask([2, 2]), mask([3])], { ...grouped, smooth_softmax: 1 }, present),
  ms(
    'GroupQueryAttention',
    [queries(1), ...pair(1), f([2, 2, 4, 8], -1, 1), f([2, 2, 4, 8], -1, 1), mask([4, 2]), total(5)],
    grouped,
    present,
  ),
  ms(
    'GroupQueryAttention',
    [queries(2, 1), ...pair(2, 1), f([1, 2, 3, 8], -1, 1), f([1, 2, 3, 8], -1, 1), mask([4]), total(5)],
    grouped,
    present,
  ),
  ms(
    'GroupQueryAttention',
    [queries(), ...pair(), none, none, mask([2, 2]), mask([3]), none, none, none, f([1, 4, 3, 3], -1, 1), weight([4])],
    { ...grouped, softcap: float(3) },
    present,
  ),
  ms(
    'GroupQueryAttention',
    [queries(), ...pair(), none, none, mask([2, 2]), mask([3]), none, none, none, f([2, 1, 3, 3], -1, 1)],
    grouped,
    present,
  ),
  ...[0, 1].map((rotary_interleaved) =>
    ms(
      'GroupQueryAttention',
      [
        f([1, 2, 32], -1, 1),
        f([1, 2, 16], -1, 1),
        f([1, 2, 16], -1, 1),
        f([1, 1, 2, 16], -1, 1),
        f([1, 1, 2, 16], -1, 1),
        mask([3]),
        total(4),
        weight([6, 8]),
        weight([6, 8]),
      ],
      { num_heads: 2, kv_num_heads: 1, do_rotary: 1, rotary_interleaved },
      present,
    ),
  ),
];

/** Bytes that hold two or more weights each. */
const bytes = (dims: readonly number[]): Input => {
  const n = dims.reduce((a, b) => a * b, 1);
  return whole(
    'uint8',
    Array.from({ length: n }, (_, i) => (i * 89 + 37) % 256),
    dims,
    true,
  );
};
const bits = (count: number): Record<string, Given> => ({ K: 20, N: 3, bits: count, block_size: 16 });
/** Weights of few bits are numbers like any other once unpacked: no straight-through is needed. */
export const contribPacked: readonly Case[] = [
  ms('MatMulNBits', [f([2, 20]), bytes([3, 2, 8]), weight([6], 0.05, 0.1)], bits(4)),
  ms('MatMulNBits', [f([2, 2, 20]), bytes([3, 2, 8]), weight([6], 0.05, 0.1), bytes([3]), none, weight([3])], bits(4)),
  ms('MatMulNBits', [f([2, 20]), bytes([3, 2, 8]), weight([3, 2], 0.05, 0.1), weight([6], 6, 9)], bits(4)),
  ms('MatMulNBits', [f([2, 20]), bytes([3, 2, 16]), weight([6], 0.005, 0.01), bytes([6])], bits(8)),
  ms('MatMulNBits', [f([2, 20]), bytes([3, 2, 4]), weight([6], 0.2, 0.3), bytes([3])], bits(2)),
  // Together with a list of blocks ONNX Runtime 1.30 leaves zero points out of account on the CPU, so none are given.
  ms(
    'MatMulNBits',
    [
      f([2, 20]),
      bytes([3, 2, 8]),
      weight([6], 0.05, 0.1),
      none,
      whole(
        'int32',
        Array.from({ length: 32 }, (_, i) => (i >> 1) & 1),
        [32],
        true,
      ),
    ],
    bits(4),
  ),
];
