import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tensor } from '../../src/base/tensor.ts';
import { readNpz } from '../../src/data/npz.ts';
import { writeNpz } from '../../src/data/npz-write.ts';

const arrays: Record<string, Tensor> = {
  'slot/m': { dtype: 'float32', dims: [2, 3], data: Float32Array.of(1, -0, Number.NaN, 4, 5, Number.POSITIVE_INFINITY) },
  t: { dtype: 'float64', dims: [], data: Float64Array.of(5) },
  rows: { dtype: 'int64', dims: [3], data: BigInt64Array.of(5n, -6n, 2n ** 62n) },
  none: { dtype: 'float32', dims: [0], data: new Float32Array(0) },
  meta: { dtype: 'uint8', dims: [4], data: Uint8Array.of(123, 125, 0, 255) },
  // A view that starts within its buffer.
  part: { dtype: 'int32', dims: [2], data: Int32Array.of(7, 8, 9).subarray(1) },
};

test('arrays written as .npz are read back as they were', () => {
  const back = readNpz(writeNpz(arrays));
  assert.deepEqual(Object.keys(back), Object.keys(arrays));
  for (const [name, { dtype, dims, data }] of Object.entries(arrays)) {
    assert.equal(back[name].dtype, dtype, name);
    assert.deepEqual(back[name].dims, dims, name);
    assert.deepEqual(back[name].data, data, name);
  }
});

test('equal arrays give equal bytes', () => {
  assert.deepEqual(writeNpz(arrays), writeNpz(arrays));
});
