import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blockDomain, blocked } from '../../src/autodiff/blocked.ts';
import { finished } from '../../src/autodiff/differentiate.ts';
import { gradients } from '../../src/autodiff/reverse.ts';
import { random } from '../../src/base/random.ts';
import { float32, sizeOf } from '../../src/base/tensor.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { emitter, type Given } from '../../src/graph/emit.ts';
import type { Model, TensorType } from '../../src/graph/types.ts';
import { write } from '../../src/graph/write.ts';
import { onnxruntime } from '../../src/runtime/onnxruntime.ts';
import { numbers, open } from './ort.ts';

const block = await onnxruntime().block();
const skip = block === 0 ? 'no convolutions on blocks here' : false;

const shell = (): Model => ({
  irVersion: 8,
  opsets: new Map([
    ['', 18],
    [blockDomain, 1],
  ]),
  producer: '',
  producerVersion: '',
  domain: '',
  version: 0,
  metadata: new Map(),
  functions: [],
  graph: { name: 'case', inputs: [], outputs: [], nodes: [], initializers: new Map(), values: new Map() },
});

/** Channels that fill a block, or do not, few inputs, kernels of one element, strides, dilations, pads that differ. */
const cases: readonly (readonly [name: string, x: readonly number[], w: readonly number[], attributes: Readonly<Record<string, Given>>])[] =
  [
    ['few inputs', [3, 3, 9, 8], [20, 3, 3, 3], { pads: [1, 1, 1, 1] }],
    ['several blocks', [2, 36, 7, 6], [20, 36, 3, 2], { pads: [1, 0, 0, 1], strides: [2, 1] }],
    ['five by five', [3, 8, 10, 10], [16, 8, 5, 5], {}],
    ['one element', [4, 24, 3, 3], [40, 24, 1, 1], {}],
    ['by 2', [2, 12, 8, 6], [24, 12, 3, 3], { pads: [1, 1, 1, 1], strides: [2, 2] }],
    ['by 2, with a shortcut', [2, 12, 8, 6], [24, 12, 3, 3], { pads: [1, 1, 1, 1], strides: [2, 2] }],
    ['by 3 and 2, with a shortcut, rows left over', [2, 16, 10, 7], [16, 16, 3, 3], { pads: [1, 1, 1, 1], strides: [3, 2] }],
    ['by 2 and 3, dilated', [2, 20, 8, 9], [36, 20, 2, 3], { strides: [2, 3], dilations: [2, 1], pads: [0, 1, 1, 1] }],
    ['by 2, one element', [2, 12, 8, 6], [20, 12, 1, 1], { strides: [2, 2] }],
    ['by 2, one element, a row left over', [2, 12, 7, 6], [20, 12, 1, 1], { strides: [2, 2] }],
    ['by 2, four by four', [2, 12, 10, 8], [16, 12, 4, 4], { pads: [1, 1, 1, 1], strides: [2, 2] }],
    ['by 2, no pads', [2, 20, 8, 9], [16, 20, 3, 3], { strides: [2, 2] }],
    ['by 3 and 2', [2, 16, 11, 9], [16, 16, 5, 3], { pads: [2, 1, 2, 1], strides: [3, 2] }],
    ['few inputs, by 2', [2, 3, 10, 10], [16, 3, 3, 3], { strides: [2, 2] }],
    ['few inputs, by 2, seven by seven', [2, 3, 12, 14], [16, 3, 7, 7], { strides: [2, 2], pads: [3, 3, 3, 3] }],
    ['few inputs, odd sizes', [2, 1, 9, 7], [16, 1, 5, 5], { pads: [2, 2, 2, 2] }],
    ['half a block of inputs, odd sizes', [2, 8, 9, 7], [16, 8, 5, 5], { pads: [2, 2, 2, 2] }],
    ['less than half a block of inputs', [2, 6, 9, 8], [16, 6, 5, 5], {}],
    ['dilated', [2, 16, 9, 9], [12, 16, 3, 3], { dilations: [2, 2] }],
    ['depthwise', [3, 20, 7, 6], [20, 1, 3, 3], { group: 20, pads: [1, 1, 1, 1] }],
    ['depthwise, stride 2', [3, 12, 8, 7], [12, 1, 3, 3], { group: 12, pads: [1, 1, 1, 1], strides: [2, 2] }],
    ['depthwise, stride 2, odd', [2, 8, 9, 9], [8, 1, 3, 3], { group: 8, strides: [2, 2] }],
    ['depthwise, stride 3, two by one', [2, 8, 9, 9], [8, 1, 2, 1], { group: 8, strides: [3, 3] }],
    ['depthwise, dilated', [2, 8, 9, 8], [8, 1, 3, 3], { group: 8, dilations: [2, 1], pads: [2, 1, 1, 0] }],
    ['depthwise, five by five', [2, 4, 6, 6], [4, 1, 5, 5], { group: 4, pads: [2, 2, 2, 2] }],
  ];

for (const [name, x, w, attributes] of cases) {
  test(`${name}: a convolution and its first and second derivatives are the same on blocks of channels`, { skip }, async () => {
    const emit = emitter();
    const [ones, axes] = [(n: number) => emit.ints([n, n]), emit.ints([2, 3])];
    const typed = (stem: string, dims: readonly number[]): { name: string; type: TensorType } => {
      const type: TensorType = { kind: 'tensor', dtype: 'float32', dims };
      return { name: emit.typed(emit.fresh(stem), type), type };
    };
    // The size of the batch is not known when the graph is made.
    const symbolic = [typed('x', x), typed('w', w), typed('b', [w[0]])];
    emit.typed('x', { kind: 'tensor', dtype: 'float32', dims: [undefined, ...x.slice(1)] });
    const dense = emit.Conv('x', 'w', 'b', { kernel_shape: w.slice(2), ...attributes });
    // Two ways back by the same strides, of which one misses some places.
    const past = name.includes('shortcut')
      ? emit.Conv('x', emit.Slice('w', ones(1), ones(2), axes), { ...attributes, pads: [0, 0, 0, 0] })
      : '';
    const y = past ? emit.Add(emit.Tanh(dense), past) : dense;
    const loss = emit.ReduceSum(emit.Mul(emit.Mul(y, y), y), { keepdims: 0 });
    const first = gradients(emit, loss, ['x', 'w', 'b']);
    const slope = [...first.values()].map((g) => emit.ReduceSum(emit.Mul(g, g), { keepdims: 0 })).reduce((a, b) => emit.Add(a, b));
    const second = gradients(emit, slope, ['x', 'w', 'b']);
    const wanted = [y, ...first.values(), ...second.values()];
    const draw = random(1, name);
    const feeds = Object.fromEntries(
      symbolic.map(({ name: key, type }) => {
        const dims = (type.dims ?? []).map(Number);
        return [
          key,
          float32(
            dims,
            Array.from({ length: sizeOf(dims) }, () => draw.normal() / 4),
          ),
        ];
      }),
    );
    const inputs = symbolic.map((i) => (i.name === 'x' ? { name: 'x', type: { ...i.type, dims: ['N', ...x.slice(1)] } } : i));
    const outputs = [...new Set(wanted)].map((key) => ({ name: key }));
    const run = async (size: number) => (await open(write(finished(shell(), emit, inputs, outputs, size))))(feeds);
    const [plain, other] = [await run(0), await run(block)];
    assert.ok(blocked(emit, block, wanted).nodes.some((n) => n.domain === blockDomain));
    for (const key of wanted) {
      const [a, b] = [numbers(plain[key]), numbers(other[key])];
      assert.deepEqual(other[key].dims, plain[key].dims);
      const scale = Math.max(...a.map(Math.abs));
      // Sums of up to some thousand products in another order.
      for (const [i, v] of a.entries()) assert.ok(Math.abs(v - b[i]) <= 2e-5 * scale, `${key}[${i}]: ${b[i]} for ${v}`);
    }
  });
}

/** Pools that overlap, with and without pads, and side by side; few values, so that windows have equal maxima. */
const pools: readonly (readonly [name: string, sizes: readonly number[], attributes: Readonly<Record<string, Given>>])[] = [
  ['three by 2', [11, 9], { kernel_shape: [3, 3], strides: [2, 2] }],
  ['three by 2, a row left over', [10, 12], { kernel_shape: [3, 3], strides: [2, 2] }],
  ['three by 2, padded, behind a Relu', [8, 9], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }],
  ['side by side', [8, 6], { kernel_shape: [2, 2], strides: [2, 2] }],
  ['apart', [9, 10], { kernel_shape: [2, 1], strides: [3, 4] }],
  ['one step', [6, 7], { kernel_shape: [2, 3], strides: [1, 1] }],
  ['beyond the end', [8, 8], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }],
];
for (const [name, sizes, attributes] of pools) {
  for (const rectified of [true, false]) {
    test(`a pool ${name}, ${rectified ? 'rectified' : 'plain'}: cotangents go to the same elements on blocks of channels`, {
      skip,
    }, async () => {
      const emit = emitter();
      const channels = 2 * block;
      const draw = random(2, name);
      const whole = (dims: readonly number[]): Float32Array => Float32Array.from({ length: sizeOf(dims) }, () => draw.below(3) - 1);
      const dims = [3, channels, ...sizes];
      const type: TensorType = { kind: 'tensor', dtype: 'float32', dims: ['N', ...dims.slice(1)] };
      emit.typed('x', type);
      const weights = (o: number, i: number): string => emit.constant(constantOf('float32', [o, i, 1, 1], whole([o, i, 1, 1])));
      const conv = (v: string, w: string): string => emit.Conv(v, w, { kernel_shape: [1, 1] });
      const first = conv('x', weights(block, channels));
      // Two ways side by side, a sum and bounds: what lies between convolutions stays in blocks.
      const bounds = [emit.scalar(-2), emit.scalar(2)];
      const both = emit.Concat(emit.Clip(first, ...bounds), emit.Add(conv('x', weights(block, channels)), first), { axis: 1 });
      const pooled = emit.call('MaxPool', [rectified ? emit.Relu(both) : both], attributes);
      const loss = emit.ReduceSum(emit.Mul(pooled, pooled), { keepdims: 0 });
      const slope = gradients(emit, loss, ['x']).get('x') ?? '';
      const inputs = [{ name: 'x', type }];
      const outputs = [{ name: pooled }, { name: slope }];
      const feeds = { x: float32(dims, whole(dims)) };
      const made = (size: number) => finished(shell(), emit, inputs, outputs, size);
      const [plain, other] = [await (await open(write(made(0))))(feeds), await (await open(write(made(block))))(feeds)];
      // Sums of whole numbers below 2²⁴ have no rounding.
      for (const { name: key } of outputs) assert.deepEqual(other[key], plain[key]);
      assert.ok(numbers(plain[slope]).some((v) => v !== 0));
    });
  }
}
