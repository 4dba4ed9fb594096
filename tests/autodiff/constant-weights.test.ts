import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradients } from '../../src/autodiff/reverse.ts';
import { random } from '../../src/base/random.ts';
import { float32, sizeOf } from '../../src/base/tensor.ts';
import { emitter, type Given } from '../../src/graph/emit.ts';
import type { TensorType } from '../../src/graph/types.ts';
import { write } from '../../src/graph/write.ts';
import { model } from '../graph/build.ts';
import { numbers, open } from './ort.ts';

/** Convolutions whose gradients take another form where the weights are constant than where they are computed. */
const cases: readonly (readonly [string, readonly number[], readonly number[], Readonly<Record<string, Given>>])[] = [
  ['by 2, depthwise', [2, 8, 6, 8], [8, 1, 3, 3], { group: 8, strides: [2, 2], pads: [1, 1, 1, 1] }],
  ['by 2 and 3, depthwise, dilated', [2, 8, 9, 9], [8, 1, 2, 3], { group: 8, strides: [2, 3], dilations: [2, 1], pads: [0, 1, 1, 1] }],
  ['by 2', [2, 12, 6, 6], [5, 12, 3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }],
  ['by 2 and 1', [3, 12, 7, 6], [4, 12, 3, 2], { strides: [2, 1], pads: [1, 0, 1, 1] }],
  ['by 2, one tap', [2, 12, 6, 6], [5, 12, 1, 1], { strides: [2, 2] }],
  ['by 2, one tap, a row left over', [2, 12, 7, 6], [5, 12, 1, 1], { strides: [2, 2] }],
  ['by 3 with a rest', [2, 12, 8, 8], [4, 12, 2, 2], { strides: [3, 3] }],
];
for (const [name, x, w, attributes] of cases) {
  test(`a convolution ${name}: constant weights give the gradients that computed ones give, to second order`, async () => {
    const values = (dims: readonly number[], seed: number): Float32Array => {
      const draw = random(seed, 'values');
      return Float32Array.from({ length: sizeOf(dims) }, () => draw.normal());
    };
    const weights = values(w, 2);
    const run = async (constant: boolean): Promise<readonly (readonly number[])[]> => {
      const emit = emitter();
      const info = (label: string, dims: readonly number[]) => {
        const type: TensorType = { kind: 'tensor', dtype: 'float32', dims };
        return { name: emit.typed(label, type), type };
      };
      const inputs = [info('x', x), ...(constant ? [] : [info('w', w)])];
      if (constant) emit.hold('w', { dtype: 'float32', dims: w, bytes: new Uint8Array(weights.buffer) });
      const y = emit.Conv('x', 'w', attributes);
      const loss = emit.ReduceSum(emit.Mul(emit.Mul(y, y), y), { keepdims: 0 });
      const first = gradients(emit, loss, ['x', 'w']);
      const [dx, dw] = [first.get('x') ?? '', first.get('w') ?? ''];
      const mixed = emit.Add(
        emit.ReduceSum(emit.Mul(dx, emit.Cos('x')), { keepdims: 0 }),
        emit.ReduceSum(emit.Mul(dw, dw), { keepdims: 0 }),
      );
      const second = gradients(emit, mixed, ['x', 'w']);
      const wanted = [dx, dw, second.get('x') ?? '', second.get('w') ?? ''];
      const made = model(
        emit.graph(
          'case',
          inputs,
          wanted.map((o) => ({ name: o })),
        ),
        18,
      );
      const feeds = { x: float32(x, values(x, 1)), ...(constant ? {} : { w: float32(w, weights) }) };
      const out = await (await open(write(made)))(feeds);
      return wanted.map((key) => numbers(out[key]));
    };
    const [fixed, free] = [await run(true), await run(false)];
    for (const [k, want] of free.entries()) {
      // Sums in another order: some hundred terms of float32.
      const scale = Math.max(...want.map(Math.abs));
      assert.ok(scale > 0);
      assert.equal(fixed[k].length, want.length);
      for (const [i, v] of want.entries()) assert.ok(Math.abs(v - fixed[k][i]) <= 2e-5 * scale, `${k}[${i}]: ${fixed[k][i]} for ${v}`);
    }
  });
}
