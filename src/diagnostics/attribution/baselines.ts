import { Fault } from '../../base/fault.ts';
import { type ImageAxes, pixelAt } from '../../base/image.ts';
import type { Job } from '../../base/job.ts';
import { sizeOf } from '../../base/tensor.ts';
import type { EmbeddedSamples } from './embedded.ts';
import { drawnRows } from './samples.ts';

export type BaselineName = 'auto' | 'zero' | 'mean' | 'black' | 'white' | 'blur' | 'uniform' | 'dataset' | 'padding' | 'mask';

/** Baselines of the rows asked about, [rows, d] each, and what they are. */
export interface Baselines {
  readonly all: readonly Float32Array[];
  readonly name: string;
}

/** Noisy baselines averaged over. */
const NOISY = 10;

/** The feature a value belongs to when extremes are taken: its channel in an image, itself in a table. */
const featureOf = (k: number, axes: ImageAxes | undefined): number =>
  !axes ? k : axes.layout === 'chw' ? Math.floor(k / (axes.height * axes.width)) : axes.layout === 'hwc' ? k % axes.channels : 0;

/** Standard deviation of the blur, as a share of the longer side of a picture. */
const BLUR = 0.1;

/** A Gaussian blur of each row, σ a tenth of the longer side, edges held. */
const blurred = (x: Float32Array, axes: ImageAxes, sigma: number): Float32Array => {
  const { height, width, channels } = axes;
  const d = height * width * channels;
  const reach = Math.ceil(3 * sigma);
  const kernel = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * sigma ** 2)));
  const total = kernel.reduce((sum, v) => sum + v, 0);
  const held = (i: number, n: number): number => Math.min(n - 1, Math.max(0, i));
  const along = (from: Float32Array, next: (y: number, x: number, by: number) => readonly [number, number]): Float32Array => {
    const out = new Float32Array(from.length);
    for (let b = 0; b < from.length / d; b++)
      for (let c = 0; c < channels; c++)
        for (let y = 0; y < height; y++)
          for (let at = 0; at < width; at++) {
            let sum = 0;
            kernel.forEach((w, i) => {
              sum += w * from[b * d + pixelAt(axes, c, ...next(y, at, i - reach))];
            });
            out[b * d + pixelAt(axes, c, y, at)] = sum / total;
          }
    return out;
  };
  return along(
    along(x, (y, at, by) => [y, held(at + by, width)]),
    (y, at, by) => [held(y + by, height), at],
  );
};

/** Values are those the model takes, after preprocessing: `zero` is 0 there, black and white the extremes of each channel (column). */
export const baselinesOf = async (
  name: BaselineName,
  x: Float32Array,
  tool: EmbeddedSamples,
  rows: readonly number[],
  axes: ImageAxes | undefined,
  job: Pick<Job, 'random' | 'signal'>,
): Promise<Baselines> => {
  const d = sizeOf(tool.inputDims);
  const size = rows.length * d;
  const of = name === 'auto' ? (tool.embedding ? 'padding' : axes ? 'zero' : 'mean') : name;
  if (of === 'zero') return { all: [new Float32Array(size)], name: '0 in every input' };
  if (of === 'padding' || of === 'mask') {
    if (!tool.embedding)
      throw new Fault('option/value', { name: 'baseline', value: name, expected: 'another baseline: rows are no tokens' });
    const token = of === 'mask' ? tool.mask : (tool.padding ?? 0);
    if (token === undefined)
      throw new Fault('option/value', { name: 'baseline', value: name, expected: 'another baseline: the tokenizer names no mask token' });
    const one = await tool.embedding.of(new Float32Array(tool.embedding.tokens).fill(token), job.signal);
    const all = new Float32Array(size);
    for (let b = 0; b < rows.length; b++) all.set(one, b * d);
    return { all: [all], name: `the embedding of the ${of} token (${token})` };
  }
  if (of === 'blur') {
    if (!axes)
      throw new Fault('option/value', {
        name: 'baseline',
        value: name,
        expected: 'zero, mean, black, white, uniform or dataset: rows are no pictures',
      });
    const sigma = BLUR * Math.max(axes.height, axes.width);
    return { all: [blurred(x, axes, sigma)], name: `the picture blurred, σ = ${sigma} pixels` };
  }
  const seen = await drawnRows(tool, job.signal);
  if (of === 'dataset') {
    const sources = rows.map((row) => job.random(`baseline/${row}`));
    const drawn = (): Float32Array => {
      const all = new Float32Array(size);
      sources.forEach((source, b) => {
        const from = source.below(seen.count) * d;
        all.set(seen.x.subarray(from, from + d), b * d);
      });
      return all;
    };
    return { all: Array.from({ length: NOISY }, drawn), name: `rows of the data, averaged over ${NOISY}` };
  }
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
    return { all: [repeat((k) => sums[k] / seen.count)], name: `mean of ${seen.count} rows, input by input` };
  }
  const [low, high] = [new Map<number, number>(), new Map<number, number>()];
  seen.x.forEach((v, i) => {
    const f = featureOf(i % d, axes);
    low.set(f, Math.min(low.get(f) ?? v, v));
    high.set(f, Math.max(high.get(f) ?? v, v));
  });
  const at = (map: ReadonlyMap<number, number>, k: number): number => map.get(featureOf(k, axes)) ?? 0;
  const each = axes ? 'channel' : 'input';
  if (of === 'black') return { all: [repeat((k) => at(low, k))], name: `lowest value of each ${each} in ${seen.count} rows` };
  if (of === 'white') return { all: [repeat((k) => at(high, k))], name: `highest value of each ${each} in ${seen.count} rows` };
  const sources = rows.map((row) => job.random(`baseline/${row}`));
  const noise = (i: number): number => at(low, i % d) + sources[Math.floor(i / d)].next() * (at(high, i % d) - at(low, i % d));
  return {
    all: Array.from({ length: NOISY }, () => Float32Array.from({ length: size }, (_, i) => noise(i))),
    name: `uniform noise between the extremes of each ${each}, averaged over ${NOISY}`,
  };
};
