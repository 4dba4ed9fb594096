import type { ImageAxes } from '../../base/image.ts';
import type { Job } from '../../base/job.ts';
import { sizeOf } from '../../base/tensor.ts';
import type { SamplesTool } from '../../evidence/evidence.ts';
import { evenly, inputValues } from './samples.ts';

export type BaselineName = 'auto' | 'zero' | 'mean' | 'black' | 'white' | 'uniform';

/** Baselines of the rows asked about, [rows, d] each, and what they are. */
export interface Baselines {
  readonly all: readonly Float32Array[];
  readonly name: string;
}

/** Rows looked at for a mean or an extreme, and how many values they may hold together. */
const LOOKED_AT = 256;
const MOST = 8_000_000;
/** Noisy baselines averaged over. */
const NOISY = 10;

/** The feature a value belongs to when extremes are taken: its channel in an image, itself in a table. */
const featureOf = (k: number, axes: ImageAxes | undefined): number =>
  !axes ? k : axes.layout === 'chw' ? Math.floor(k / (axes.height * axes.width)) : axes.layout === 'hwc' ? k % axes.channels : 0;

const seenRows = async (
  tool: SamplesTool,
  d: number,
  signal: AbortSignal,
): Promise<{ readonly x: Float32Array; readonly rows: number }> => {
  const positions = evenly(Math.max(1, Math.min(LOOKED_AT, Math.floor(MOST / d))), tool.count);
  const { x } = await tool.take(positions, signal);
  return { x: inputValues(x.data), rows: positions.length };
};

/** Values are those the model takes, after preprocessing: `zero` is 0 there, black and white the extremes of each channel (column). */
export const baselinesOf = async (
  name: BaselineName,
  tool: SamplesTool,
  rows: readonly number[],
  axes: ImageAxes | undefined,
  job: Pick<Job, 'random' | 'signal'>,
): Promise<Baselines> => {
  const d = sizeOf(tool.inputDims);
  const size = rows.length * d;
  const of = name === 'auto' ? (axes ? 'zero' : 'mean') : name;
  if (of === 'zero') return { all: [new Float32Array(size)], name: '0 in every input' };
  const seen = await seenRows(tool, d, job.signal);
  const repeat = (value: (k: number) => number): Float32Array => {
    const one = Float32Array.from({ length: d }, (_, k) => value(k));
    const all = new Float32Array(size);
    for (let b = 0; b < rows.length; b++) all.set(one, b * d);
    return all;
  };
  if (of === 'mean') {
    const sums = new Float64Array(d);
    seen.x.forEach((v, i) => {
      sums[i % d] += v;
    });
    return { all: [repeat((k) => sums[k] / seen.rows)], name: `mean of ${seen.rows} rows, input by input` };
  }
  const [low, high] = [new Map<number, number>(), new Map<number, number>()];
  seen.x.forEach((v, i) => {
    const f = featureOf(i % d, axes);
    low.set(f, Math.min(low.get(f) ?? v, v));
    high.set(f, Math.max(high.get(f) ?? v, v));
  });
  const at = (map: ReadonlyMap<number, number>, k: number): number => map.get(featureOf(k, axes)) ?? 0;
  const each = axes ? 'channel' : 'input';
  if (of === 'black') return { all: [repeat((k) => at(low, k))], name: `lowest value of each ${each} in ${seen.rows} rows` };
  if (of === 'white') return { all: [repeat((k) => at(high, k))], name: `highest value of each ${each} in ${seen.rows} rows` };
  const sources = rows.map((row) => job.random(`baseline/${row}`));
  const noise = (i: number): number => at(low, i % d) + sources[Math.floor(i / d)].next() * (at(high, i % d) - at(low, i % d));
  return {
    all: Array.from({ length: NOISY }, () => Float32Array.from({ length: size }, (_, i) => noise(i))),
    name: `uniform noise between the extremes of each ${each}, averaged over ${NOISY}`,
  };
};
