import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Fault } from '../../src/base/fault.ts';
import { fromHalf, toHalf } from '../../src/base/half.ts';
import type { Preprocess } from '../../src/base/request.ts';
import { type DType, sizeOf, type Tensor, type TensorData } from '../../src/base/tensor.ts';
import { type Fitted, fit, type Target } from '../../src/data/preprocess.ts';

const target = (dims: readonly (number | string)[], dtype: DType = 'float32'): Target => ({ name: 'input', dtype, dims });
const fitted = (dims: readonly number[], to: Target, given: Preprocess = {}, dtype: DType = 'float64'): Fitted =>
  fit('d.npz', [{ name: 'x', dtype, dims }], given, to);
const tensor = (dims: readonly number[], data: TensorData, dtype: DType = 'float64'): Tensor => ({ dtype, dims, data });
const values = (t: Tensor): number[] => Array.from(t.data as ArrayLike<number | bigint>, Number);
const apply = (f: Fitted, dims: readonly number[], data: TensorData, dtype: DType = 'float64'): number[] =>
  values(f.apply([tensor([data.length / sizeOf(dims), ...dims], data, dtype)], [0, 1, 2, 3]));

test('a row with as many elements as the input is reshaped, and that is noted', () => {
  const f = fitted([64], target([1, 8, 8]));
  assert.deepEqual(f.dims, [1, 8, 8]);
  assert.match(f.notes.join(), /shape \[64\] were reshaped to \[1, 8, 8\]/);
  assert.deepEqual(fitted([8, 8], target([1, 8, 8])).dims, [1, 8, 8]);
  assert.deepEqual(fitted([8, 8], target(['C', 8, 8])).dims, [1, 8, 8]);
  assert.deepEqual(fitted([32], target(['T'])).notes, []);
});

test('a shape that cannot match names both', () => {
  for (const [row, to] of [
    [[64], [1, 28, 28]],
    [
      [3, 32, 32],
      [3, 224, 224],
    ],
    [[7], ['a', 'b']],
  ] as const) {
    assert.throws(
      () => fitted(row, target(to)),
      (e) => Fault.is(e, 'data/shape') && e.message.includes(`[${row.join(', ')}]`) && e.message.includes(`[${to.join(', ')}]`),
    );
  }
  assert.throws(() => fitted([3, 32, 32], target([3, 224, 224])), /resize them/);
});

test('unsigned bytes into floats are divided by 255 unless a scale is declared', () => {
  const bytes = Uint8Array.of(0, 51, 255);
  const f = fitted([3], target([3]), {}, 'uint8');
  assert.deepEqual(apply(f, [3], bytes, 'uint8'), [0, Math.fround(0.2), 1]);
  assert.match(f.notes.join(), /divided by 255/);
  assert.deepEqual(apply(fitted([3], target([3]), { scale: 1 }, 'uint8'), [3], bytes, 'uint8'), [0, 51, 255]);
  // Whole-number inputs take bytes as they are.
  assert.deepEqual(apply(fitted([3], target([3], 'uint8'), {}, 'uint8'), [3], bytes, 'uint8'), [0, 51, 255]);
  assert.deepEqual(fitted([3], target([3], 'uint8'), {}, 'uint8').notes, []);
});

test('scale, then mean and standard deviation by channel', () => {
  const data = Float64Array.of(0, 2, 4, 6, 8, 10, 12, 14);
  const given = { scale: 0.5, mean: [1, 2], std: [1, 4] };
  // Channels last, two channels of 2×2 cannot be pictures (1 or 3 channels): the last axis counts.
  assert.deepEqual(apply(fitted([4, 2], target([4, 2]), given), [4, 2], data), [-1, -0.25, 1, 0.25, 3, 0.75, 5, 1.25]);
  const chw = Float64Array.from({ length: 48 }, (_, i) => i);
  const out = apply(fitted([3, 4, 4], target([3, 4, 4]), { mean: [0, 10, 20], std: [1, 2, 4] }), [3, 4, 4], chw);
  assert.deepEqual([out[0], out[16], out[32], out[47]], [0, 3, 3, 6.75]);
  assert.throws(() => fitted([3, 4, 4], target([3, 4, 4]), { mean: [1, 2] }), /1 or 3 numbers/);
  assert.throws(() => fitted([3, 4, 4], target([3, 4, 4]), { std: [0] }), /positive/);
});

test('channels last and channels first are turned into each other, never scrambled', () => {
  // Pixel (y, x) of channel c holds 100 c + 10 y + x.
  const at = (c: number, y: number, x: number): number => 100 * c + 10 * y + x;
  const grid = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
  const hwc = Float64Array.from(grid(4).flatMap((y) => grid(5).flatMap((x) => grid(3).map((c) => at(c, y, x)))));
  const chw = Float64Array.from(grid(3).flatMap((c) => grid(4).flatMap((y) => grid(5).map((x) => at(c, y, x)))));
  const f = fitted([4, 5, 3], target([3, 4, 5]));
  assert.match(f.notes.join(), /turned to \[3, 4, 5\]/);
  assert.deepEqual(apply(f, [4, 5, 3], hwc), Array.from(chw));
  assert.deepEqual(apply(fitted([3, 4, 5], target([4, 5, 3])), [3, 4, 5], chw), Array.from(hwc));
  assert.deepEqual(apply(fitted([4, 5, 3], target([3, 4, 5]), { layout: 'nhwc' }), [4, 5, 3], hwc), Array.from(chw));
  assert.deepEqual(apply(fitted([60], target([3, 4, 5]), { layout: 'nhwc' }), [60], hwc), Array.from(chw));
  assert.deepEqual(apply(fitted([60], target([3, 4, 5])), [60], chw), Array.from(chw));
});

test('resize is bilinear with half-pixel centres', () => {
  const row = Float64Array.from({ length: 16 }, (_, i) => (i < 8 ? 0 : 8));
  // Rows 0 0 8 8 to two rows: centres fall between rows 0,1 and 2,3.
  assert.deepEqual(apply(fitted([4, 4], target([2, 2]), { resize: '2x2' }), [4, 4], row), [0, 0, 8, 8]);
  // To eight rows: torch.nn.functional.interpolate(mode='bilinear', align_corners=False) gives 0 0 0 2 6 8 8 8.
  const up = apply(fitted([1, 4, 4], target([1, 8, 8]), { resize: '8x8' }), [1, 4, 4], row);
  assert.deepEqual(
    Array.from({ length: 8 }, (_, y) => up[8 * y]),
    [0, 0, 0, 2, 6, 8, 8, 8],
  );
  assert.throws(() => fitted([7], target([7]), { resize: '4x4' }), /no images/);
  assert.throws(() => fitted([4, 4], target([4, 4]), { resize: '4 by 4' }), /HEIGHTxWIDTH/);
});

test('whole-number inputs take whole numbers only', () => {
  const f = fitted([2], target([2], 'int64'));
  assert.deepEqual(f.apply([tensor([2, 2], Float64Array.of(1, 2, 3, 4))], [0, 1]).data, BigInt64Array.of(1n, 2n, 3n, 4n));
  assert.throws(
    () => f.apply([tensor([2, 2], Float64Array.of(1, 2, 3, 4.5))], [7, 9]),
    (e) => Fault.is(e, 'data/not-whole') && /Row 9 .* 4\.5/.test(e.message),
  );
  assert.throws(
    () => f.apply([tensor([2, 2], Float64Array.of(1, 2, Number.NaN, 4))], [7, 9]),
    (e) => Fault.is(e, 'data/not-finite'),
  );
});

test('several columns make one row vector', () => {
  const columns = ['a', 'b'].map((name) => ({ name, dtype: 'float64' as const, dims: [] }));
  const f = fit('d.csv', columns, {}, target([2]));
  const out = f.apply([tensor([2], Float64Array.of(1, 2)), tensor([2], Float64Array.of(10, 20))], [0, 1]);
  assert.deepEqual(
    [out.dims, values(out)],
    [
      [2, 2],
      [1, 10, 2, 20],
    ],
  );
});

test('half precision: reading back what was written is the nearest half', () => {
  for (const [value, bits] of [
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [65520, 0x7c00],
    [2 ** -24, 1],
    [2 ** -25, 0],
    [0.1, 0x2e66],
    [Infinity, 0x7c00],
  ] as const)
    assert.equal(toHalf(value), bits, String(value));
  fc.assert(
    fc.property(fc.nat(0xffff), (bits) => {
      const value = fromHalf(bits);
      if (!Number.isNaN(value)) assert.equal(toHalf(value), bits);
    }),
  );
  fc.assert(
    fc.property(fc.double({ min: -65519, max: 65519, noNaN: true }), (value) => {
      const got = toHalf(value);
      const error = Math.abs(fromHalf(got) - value);
      for (const near of [got - 1, got + 1])
        if ((near & 0x7fff) < 0x7c00 && near >= 0) assert.ok(error <= Math.abs(fromHalf(near) - value));
    }),
  );
});
