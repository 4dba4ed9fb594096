import { random } from '../../../src/base/random.ts';
import { sizeOf } from '../../../src/base/tensor.ts';
import type { Constant } from '../../../src/graph/types.ts';

/** Weights of Kaiming's scale, made by a linear congruence: 25 million draws in no time. */
export const weights = (dims: readonly number[], fan: number, seed: number): Constant => {
  const data = new Float32Array(sizeOf(dims));
  const scale = Math.sqrt(6 / fan) / 2 ** 31;
  let state = Math.floor(random(seed, 'weights').next() * 2 ** 32);
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    data[i] = state * scale;
  }
  return { dtype: 'float32', dims, bytes: new Uint8Array(data.buffer) };
};
/** The same value so many times. */
export const filled = (count: number, value: number): Constant => ({
  dtype: 'float32',
  dims: [count],
  bytes: new Uint8Array(new Float32Array(count).fill(value).buffer),
});
