import type { MethodContext } from './method.ts';
import { drawnRows } from './samples.ts';

/** Adds the noise of a row's copy `s` to what `points` holds from `at` on. Called for s = 0, 1, … of each row in turn. */
export type Noise = (row: number, s: number, points: Float32Array, at: number) => void;

/** Greatest less least of values `step` apart. */
const rangeOf = (values: Float32Array, from: number, to: number, step: number): number => {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let k = from; k < to; k += step) {
    low = Math.min(low, values[k]);
    high = Math.max(high, values[k]);
  }
  return high - low;
};

/**
 * Normal noise with σ = `noiseScale`·(max x − min x): over the sample, or in a table over each column, whose units differ. Noise
 * of a sample depends on its row alone, not on which others are shown.
 */
export const noiseOf = async ({
  question: { x },
  rows,
  axes,
  samples,
  chosen: { noiseScale },
  job,
}: Pick<MethodContext, 'question' | 'rows' | 'axes' | 'samples' | 'chosen' | 'job'>): Promise<{
  readonly noise: Noise;
  readonly sigma: string;
}> => {
  const d = x.length / rows.length;
  const isTable = !axes && !samples.embedding && samples.inputDims.length === 1;
  const pool = isTable ? await drawnRows(samples, job.signal) : undefined;
  // One row has no spread: its own range is all there is.
  const columns = pool && pool.count > 1 && Float64Array.from({ length: d }, (_, k) => rangeOf(pool.x, k, pool.count * d, d));
  const sources = rows.map((row, b) => {
    const range = columns ? 1 : rangeOf(x, b * d, (b + 1) * d, 1);
    return { sigma: noiseScale * range, random: job.random(`smoothgrad/${row}`) };
  });
  return {
    noise: (b, _, points, at) => {
      const { sigma, random } = sources[b];
      for (let k = 0; k < d; k++) points[at + k] += sigma * (columns ? columns[k] : 1) * random.normal();
    },
    sigma: `σ = ${noiseScale} of the range${columns ? ' of each column' : ''}`,
  };
};
