import type { Tensor } from '../../src/base/tensor.ts';
import type { Model } from '../../src/graph/types.ts';
import { mustVerify } from '../../src/graph/verify.ts';
import { write } from '../../src/graph/write.ts';
import { onnxruntime } from '../../src/runtime/onnxruntime.ts';
import type { Session } from '../../src/runtime/session.ts';

const runtime = onnxruntime();

/** A session on one CPU thread: bitwise repeatable. */
export const open = async (model: Model): Promise<Session> =>
  (await runtime.open(write(mustVerify(model)), { device: 'cpu', name: 'test', threads: 1 })).session;

export const once = async (model: Model, feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> => {
  const session = await open(model);
  const out = await session.run(feeds);
  await session.release();
  return out;
};

export const numbers = (tensor: Tensor): number[] => Array.from(tensor.data as ArrayLike<number | bigint>, Number);
export const float64 = (dims: readonly number[], values: readonly number[]): Tensor => ({
  dtype: 'float64',
  dims,
  data: Float64Array.from(values),
});
