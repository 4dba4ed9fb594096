import type { Job } from '../../base/job.ts';

/** Normal noise with σ = `scale`·(max x − min x) of the sample. Noise of a sample depends on its row alone, not on which others are shown. */
export const noiseOf = (
  x: Float32Array,
  rows: readonly number[],
  scale: number,
  job: Pick<Job, 'random'>,
): ((row: number, s: number, points: Float32Array, at: number) => void) => {
  const d = x.length / rows.length;
  const sources = rows.map((row, b) => {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let k = b * d; k < (b + 1) * d; k++) {
      low = Math.min(low, x[k]);
      high = Math.max(high, x[k]);
    }
    return { sigma: scale * (high - low), random: job.random(`smoothgrad/${row}`) };
  });
  return (b, _, points, at) => {
    const { sigma, random } = sources[b];
    for (let k = at; k < at + d; k++) points[k] += sigma * random.normal();
  };
};
