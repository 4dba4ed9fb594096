import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradients } from '../../src/autodiff/reverse.ts';
import { float32, sizeOf } from '../../src/base/tensor.ts';
import { emitter, type Given } from '../../src/graph/emit.ts';
import type { TensorType } from '../../src/graph/types.ts';
import { write } from '../../src/graph/write.ts';
import { model } from '../graph/build.ts';
import { numbers, open } from './ort.ts';

/** The gradient by ONNX Runtime's own indices, which name the first of equal maxima in row-major order. */
const byIndices = (size: number, indices: readonly number[], g: readonly number[]): number[] => {
  const out = new Array<number>(size).fill(0);
  indices.forEach((at, i) => {
    out[at] += g[i];
  });
  return out;
};

const cases: readonly (readonly [name: string, x: readonly number[], attributes: Readonly<Record<string, Given>>])[] = [
  ['tiles', [2, 3, 6, 4], { kernel_shape: [2, 2], strides: [2, 2] }],
  ['tiles that leave a rest', [2, 8, 7, 8], { kernel_shape: [3, 2], strides: [3, 2] }],
  ['tiles beyond the image', [1, 8, 5, 5], { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 }],
  ['windows that overlap', [2, 8, 7, 9], { kernel_shape: [3, 3], strides: [2, 2] }],
  ['windows that overlap, ceil', [2, 9, 8, 7], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }],
  ['windows that overlap, pads', [2, 8, 6, 6], { kernel_shape: [3, 3], strides: [1, 2], pads: [1, 1, 1, 0] }],
  ['windows apart', [1, 8, 8, 9], { kernel_shape: [2, 2], strides: [3, 4] }],
  ['dilated windows', [2, 8, 7, 7], { kernel_shape: [2, 3], dilations: [3, 2], strides: [2, 1] }],
  ['one axis', [2, 8, 9], { kernel_shape: [3], strides: [2] }],
  ['three axes', [1, 8, 4, 5, 4], { kernel_shape: [2, 2, 3], strides: [2, 1, 1] }],
  ['windows of one element', [2, 8, 5, 4], { kernel_shape: [1, 1], strides: [1, 1] }],
  ['windows of one element, apart', [2, 8, 5, 4], { kernel_shape: [1, 1], strides: [2, 3] }],
  ['many taps', [1, 8, 9, 8], { kernel_shape: [5, 7], strides: [1, 1], pads: [2, 3, 2, 3] }],
  ['few channels', [2, 3, 7, 7], { kernel_shape: [3, 3], strides: [2, 2] }],
];

for (const [name, dims, attributes] of cases) {
  test(`maximum pool, ${name}: of equal elements the first has the gradient, also in the second derivative`, async () => {
    const emit = emitter();
    const type = (d: readonly number[]): TensorType => ({ kind: 'tensor', dtype: 'float32', dims: d });
    emit.typed('x', type(dims));
    const [y, indices] = emit.calls('MaxPool', ['x'], 2, attributes);
    const size = sizeOf(dims);
    // Few values, so that most windows hold ties; negative ones and zeros among them.
    const x = Array.from({ length: size }, (_, i) => ((i * 7919) % 4) - 2);
    const cube = emit.Mul(emit.Mul(y, y), y);
    const weights = emit.Add(emit.Cos(emit.Cast(indices, { to: 1 })), emit.scalar(2));
    const loss = emit.ReduceSum(emit.Mul(cube, weights), { keepdims: 0 });
    const first = gradients(emit, loss, ['x']).get('x') ?? '';
    const slope = emit.ReduceSum(emit.Mul(first, emit.Cos('x')), { keepdims: 0 });
    const second = gradients(emit, slope, ['x']).get('x') ?? '';
    const outputs = [y, indices, first, second];
    const made = model(
      emit.graph(
        'case',
        [{ name: 'x', type: type(dims) }],
        outputs.map((o) => ({ name: o })),
      ),
      18,
    );
    const out = await (await open(write(made)))({ x: float32(dims, x) });
    const [best, at] = [numbers(out[y]), numbers(out[indices])];
    const w = at.map((i) => Math.fround(Math.cos(i)) + 2);
    const close = (what: string, got: readonly number[], want: readonly number[]): void => {
      for (const [i, v] of want.entries()) assert.ok(Math.abs(v - got[i]) <= 2e-5 * (1 + Math.abs(v)), `${what}[${i}]: ${got[i]} for ${v}`);
    };
    const slopes = best.map((b, i) => 3 * b * b * w[i]);
    close('first', numbers(out[first]), byIndices(size, at, slopes));
    // s = Σ first·cos x: through the windows 6·b·w·cos b, and through the cosine −first·sin x.
    const curved = byIndices(
      size,
      at,
      best.map((b, i) => 6 * b * w[i] * Math.cos(b)),
    );
    const direct = byIndices(size, at, slopes).map((v, i) => -v * Math.sin(x[i]));
    close(
      'second',
      numbers(out[second]),
      curved.map((v, i) => v + direct[i]),
    );
  });
}

test('a pool of rectified values gives their whole gradient where it is wanted itself: a window of zeros has a first element, too', async () => {
  const emit = emitter();
  emit.typed('x', { kind: 'tensor', dtype: 'float32', dims: [1, 1, 2, 4] });
  emit.typed('g', { kind: 'tensor', dtype: 'float32', dims: [1, 1, 1, 2] });
  const h = emit.Relu('x');
  const y = emit.call('MaxPool', [h], { kernel_shape: [2, 2], strides: [2, 2] });
  const found = gradients(emit, new Map([[y, 'g']]), [h, 'x']);
  const names = [found.get(h) ?? '', found.get('x') ?? ''];
  const inputs = ['x', 'g'].map((name) => ({ name, type: emit.type(name) as TensorType }));
  const graph = emit.graph(
    'g',
    inputs,
    names.map((name) => ({ name })),
  );
  const made = model(graph, 18);
  const out = await (await open(write(made)))({
    x: float32([1, 1, 2, 4], [-1, -2, 1, 2, -3, -4, 3, 0]),
    g: float32([1, 1, 1, 2], [5, 7]),
  });
  assert.deepEqual(numbers(out[names[0]]), [5, 0, 0, 0, 0, 0, 7, 0]);
  assert.deepEqual(numbers(out[names[1]]), [0, 0, 0, 0, 0, 0, 7, 0]);
});
