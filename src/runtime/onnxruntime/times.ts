import type { Tensor } from '../../base/tensor.ts';
import type { SessionOptions } from '../session.ts';
import { openNative } from './native.ts';

/** At most so many runs are timed, and no more are begun after so long. */
const [mostRuns, longEnough] = [7, 2000];

/** Reads ONNX Runtime's profile: one JSON event per line; `…_kernel_time` lasts `dur` microseconds. */
export const timesIn = (profile: string): ReadonlyMap<string, readonly number[]> => {
  const times = new Map<string, number[]>();
  for (const line of profile.split('\n')) {
    const [, name] = /"name" ?: ?"([^"]*)_kernel_time"/.exec(line) ?? [];
    const [, micros] = /"dur" ?: ?(\d+)/.exec(line) ?? [];
    if (name === undefined || micros === undefined) continue;
    const known = times.get(name);
    if (known) known.push(Number(micros) / 1000);
    else times.set(name, [Number(micros) / 1000]);
  }
  return times;
};

export const nodeTimes = async (
  model: Uint8Array,
  options: Pick<SessionOptions, 'name' | 'folder'>,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<ReadonlyMap<string, readonly number[]>> => {
  const opened = await openNative(model, 'cpu', { ...options, optimize: 'off', brief: false }, { profiled: true });
  try {
    let began = 0;
    const again = (done: number): boolean => {
      if (done === 1) began = performance.now();
      return done <= 1 || (done <= mostRuns && performance.now() - began < longEnough);
    };
    const all = timesIn(await opened.profile(feeds, again));
    return new Map(Array.from(all, ([name, [_, ...timed]]) => [name, timed]));
  } finally {
    await opened.session.release();
  }
};
