import { multinomial } from '../../base/maths/binomial.ts';
import { quantile } from '../../base/maths/quantile.ts';
import type { Random } from '../../base/random.ts';
import { massEnds } from './bins.ts';
import { excess } from './errors.ts';
import { type Groups, sizeOfGroup } from './pairs.ts';

/** Debiased ECE of one resample, its mass bins (at least 2 rows each) cut anew. */
export const debiasedOf = (c: Float64Array, hits: Int32Array, misses: Int32Array, n: number, m: number): number => {
  let [total, from] = [0, 0];
  for (const to of massEnds(hits, misses, n, m, 2)) {
    let [size, f, o] = [0, 0, 0];
    for (let g = from; g < to; g++) {
      const s = hits[g] + misses[g];
      size += s;
      f += s * c[g];
      o += hits[g];
    }
    total += Math.abs(f - o) - size * excess(size, f, o);
    from = to;
  }
  return total / n;
};

/** How one resample falls on the groups: row by row where groups are runs, else as one multinomial over (cell, right or wrong). */
const sampler = (groups: Groups, byRow: boolean, random: Random): ((hits: Int32Array, misses: Int32Array) => void) => {
  const { c, n } = groups;
  if (!byRow) {
    const weights = Int32Array.from({ length: 2 * c.length }, (_, k) => (k % 2 === 0 ? groups.hits : groups.misses)[k >> 1]);
    const drawn = new Int32Array(weights.length);
    return (hits, misses) => {
      multinomial(n, weights, n, drawn, random);
      for (let k = 0; k < drawn.length; k++) (k % 2 === 0 ? hits : misses)[k >> 1] = drawn[k];
    };
  }
  const codes = new Int32Array(n);
  let at = 0;
  for (let g = 0; g < c.length; g++) {
    codes.fill(2 * g, at, at + groups.hits[g]);
    codes.fill(2 * g + 1, at + groups.hits[g], at + sizeOfGroup(groups, g));
    at += sizeOfGroup(groups, g);
  }
  return (hits, misses) => {
    hits.fill(0);
    misses.fill(0);
    for (let i = 0; i < n; i++) {
      const code = codes[random.below(n)];
      if (code & 1) misses[code >> 1]++;
      else hits[code >> 1]++;
    }
  };
};

/** What one resample holds: hits and misses of every group. */
type Watch = (hits: Int32Array, misses: Int32Array) => void;

/** `draws` bootstrap resamples of the rows, shown to `watch` one after another. */
export const resamples = async (
  groups: Groups,
  byRow: boolean,
  draws: number,
  random: Random,
  pause: (done: number) => Promise<void>,
  watch: Watch,
): Promise<void> => {
  const sample = sampler(groups, byRow, random);
  const hits = new Int32Array(groups.c.length);
  const misses = new Int32Array(groups.c.length);
  for (let d = 0; d < draws; d++) {
    if (d % 50 === 0) await pause(d);
    sample(hits, misses);
    watch(hits, misses);
  }
};

/** Debiased ECE of `draws` bootstrap resamples of the rows, ascending. */
export const bootstrapDebiased = async (
  groups: Groups,
  byRow: boolean,
  m: number,
  draws: number,
  random: Random,
  pause: (done: number) => Promise<void>,
): Promise<Float64Array> => {
  const out: number[] = [];
  await resamples(groups, byRow, draws, random, pause, (hits, misses) => {
    out.push(debiasedOf(groups.c, hits, misses, groups.n, m));
  });
  return Float64Array.from(out).sort();
};

/**
 * Percentile interval of the draws, both ends moved by −(plugin − debiased) and cut at 0: resampling adds its noise a second time to an
 * estimate that already had it removed once. The lower end is 0 where perfect calibration is not rejected at this level.
 */
export const eceInterval = (
  draws: Float64Array,
  { plugin, value }: { readonly plugin: number; readonly value: number },
  p: number,
  level: number,
): readonly [number, number] => {
  const end = (q: number): number => Math.max(0, quantile(draws, q) - (plugin - value));
  return [p > 1 - level ? 0 : end((1 - level) / 2), end((1 + level) / 2)];
};

/**
 * For a statistic ≥ 0 that sampling noise lifts. Lower end: that of the basic bootstrap, 2·value − upper quantile; upper end: the upper
 * quantile less the lift (mean of the draws − value). 0 below where calibration is not rejected. In simulations of 800 rows with outcomes
 * c^1.1, c^1.3 and c² this held the truth in 0.91, 0.93, 0.95 (smooth ECE) and 0.88, 0.93, 0.97 (miscalibration) of cases at 0.95.
 */
export const liftedInterval = (draws: Float64Array, value: number, p: number, level: number): readonly [number, number] => {
  const lift = Math.max(0, draws.reduce((sum, v) => sum + v, 0) / draws.length - value);
  const most = quantile(draws, (1 + level) / 2);
  const high = Math.max(value, most - lift);
  return [p > 1 - level ? 0 : Math.max(0, Math.min(value, 2 * value - most)), high];
};
