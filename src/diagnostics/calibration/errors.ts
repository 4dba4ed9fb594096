import { erf } from '../../base/maths/normal.ts';
import type { Bin } from './bins.ts';

/** |mean confidence − accuracy| pooled over non-empty bins: weighted mean (ECE), root mean square, largest, plain mean. */
export interface BinnedErrors {
  readonly ece: number;
  readonly rmsce: number;
  readonly mce: number;
  readonly averageCe: number;
}

export const binnedErrors = (bins: readonly Pick<Bin, 'n' | 'f' | 'o'>[], rows: number): BinnedErrors => {
  let [sum, squares, most, plain, used] = [0, 0, 0, 0, 0];
  for (const { n, f, o } of bins) {
    if (n === 0) continue;
    const gap = Math.abs(f - o) / n;
    sum += n * gap;
    squares += n * gap * gap;
    most = Math.max(most, gap);
    plain += gap;
    used++;
  }
  return { ece: sum / rows, rmsce: Math.sqrt(squares / rows), mce: used === 0 ? Number.NaN : most, averageCe: plain / used };
};

/** E|X| for X normal with the given mean and variance. */
const meanMagnitude = (mean: number, variance: number): number => {
  if (variance <= 0) return Math.abs(mean);
  const s = Math.sqrt(2 * variance);
  return mean * erf(mean / s) + (s / Math.sqrt(Math.PI)) * Math.exp(-((mean / s) ** 2));
};

/** What sampling adds to one bin's gap: E|X| − |μ| with X ~ N(acc − conf, acc(1−acc)/n). */
export const excess = (n: number, f: number, o: number): number => {
  const a = o / n;
  const gap = Math.abs(o - f) / n;
  return meanMagnitude(gap, (a * (1 - a)) / n) - gap;
};

/** Plug-in and debiased ECE (Kumar, Liang, Ma 2019, L1): 2·plugin − Σ n/N·E|X|. May be negative. */
export const debiasedEce = (bins: readonly Bin[], rows: number): { readonly plugin: number; readonly value: number } => {
  const plugin = binnedErrors(bins, rows).ece;
  return { plugin, value: plugin - bins.reduce((sum, { n, f, o }) => sum + (n / rows) * excess(n, f, o), 0) };
};

/** Debiased squared L2 calibration error: Σ n/N·[(conf − acc)² − acc(1−acc)/(n−1)]. */
export const debiasedCe2 = (bins: readonly Bin[], rows: number): number =>
  bins.reduce((sum, { n, f, o }) => sum + (n / rows) * (((f - o) / n) ** 2 - ((o / n) * (1 - o / n)) / (n - 1)), 0);
