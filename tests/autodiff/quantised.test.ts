import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradients } from '../../src/autodiff/reverse.ts';
import { float32 } from '../../src/base/tensor.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { emitter } from '../../src/graph/emit.ts';
import type { Constant } from '../../src/graph/types.ts';
import { write } from '../../src/graph/write.ts';
import { quantised } from './cases/contrib-quantised.ts';
import { checkTypes, modelOf } from './check.ts';
import { numbers, open } from './ort.ts';
import { checkStraightThrough } from './straight-through.ts';

for (const one of quantised) {
  test(`${one.quantised.name}: derivatives of the float graph it stands for`, async () => {
    await checkStraightThrough(one, 'known');
    await checkStraightThrough(one, 'unknown');
    await checkTypes(one.quantised);
  });
}

/** Gradients of Σ DequantizeLinear(QuantizeLinear(x)) by x and by the scale. */
const gradientsAt = async (x: readonly number[], scale: number, zero: Constant): Promise<readonly [number[], number[]]> => {
  const emit = emitter({
    types: new Map([
      ['x', { kind: 'tensor', dtype: 'float32', dims: [x.length] }],
      ['s', { kind: 'tensor', dtype: 'float32', dims: [] }],
    ]),
  });
  const z = emit.constant(zero);
  const y = emit.call('DequantizeLinear', [emit.call('QuantizeLinear', ['x', 's', z]), 's', z]);
  const found = gradients(emit, emit.ReduceSum(y, { keepdims: 0 }), ['x', 's']);
  const [gx, gs] = ['x', 's'].map((v) => found.get(v) ?? '');
  const feeds = { x: float32([x.length], x), s: float32([], [scale]) };
  const out = await (await open(write(modelOf({ emit, feeds, opset: 21 }, [gx, gs]))))(feeds);
  return [numbers(out[gx]), numbers(out[gs])];
};
test("a gradient passes where the rounded number is in range, as in PyTorch's fake_quantize", async () => {
  // Scale 1: −0.4 rounds to 0 and 255.4 to 255; −0.6 and 255.6 are clipped. By the scale: q − x inside, q outside.
  const [byX, byScale] = await gradientsAt([-0.6, -0.4, 100, 255.4, 255.6], 1, constantOf('uint8', [], [0]));
  assert.deepEqual(byX, [0, 1, 1, 1, 0]);
  assert.ok(Math.abs(byScale[0] - (0.4 + 0 - 0.4 + 255)) < 1e-4, String(byScale));
  const [centred] = await gradientsAt([-64.3, -64, 10, 63.5, 63.8], 0.5, constantOf('int8', [], [0]));
  assert.deepEqual(centred, [0, 1, 1, 1, 0]);
});
test('to eight-bit floats a gradient passes up to the largest of them', async () => {
  const [byX] = await gradientsAt([-2000, -890, 3, 896, 900], 2, { dtype: 'float8e4m3fn', dims: [], bytes: Uint8Array.of(0) });
  assert.deepEqual(byX, [0, 1, 1, 1, 0]);
});
test('a stored weight has a gradient too: that of its real value times the scale', async () => {
  const type = { kind: 'tensor', dtype: 'float32', dims: [2, 3] } as const;
  const emit = emitter({ types: new Map([['x', type]]) });
  const q = emit.hold('w', constantOf('int8', [3, 2], [5, -7, 11, 2, -3, 8]));
  const w = emit.call('DequantizeLinear', [q, emit.scalar(0.5)]);
  const loss = emit.ReduceSum(emit.Tanh(emit.MatMul('x', w)), { keepdims: 0 });
  const found = gradients(emit, loss, [q, w]);
  const names = [q, w].map((v) => found.get(v) ?? '');
  const feeds = { x: float32([2, 3], [0.1, -0.2, 0.3, 0.05, 0.15, -0.1]) };
  const out = await (await open(write(modelOf({ emit, feeds, opset: 21 }, names))))(feeds);
  assert.equal(out[names[0]].dtype, 'float32');
  assert.deepEqual(
    numbers(out[names[0]]),
    numbers(out[names[1]]).map((v) => Math.fround(v * 0.5)),
  );
});
