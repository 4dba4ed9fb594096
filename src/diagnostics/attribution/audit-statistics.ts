import type { Interval } from '../../report/report.ts';

/** Accuracy of several runs, and which test rows each was right on. */
export interface Power {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  /** [runs][test rows], 0 or 1. */
  readonly right: readonly Uint8Array[];
}

export const powerOf = (right: readonly Uint8Array[]): Power => {
  const each = right.map((r) => r.reduce((sum, v) => sum + v, 0) / r.length);
  return { mean: each.reduce((sum, v) => sum + v, 0) / each.length, low: Math.min(...each), high: Math.max(...each), right };
};

const variance = (values: ArrayLike<number>): number => {
  const n = values.length;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += values[i];
  let squares = 0;
  for (let i = 0; i < n; i++) squares += (values[i] - sum / n) ** 2;
  return n > 1 ? squares / (n - 1) : 0;
};

/** A mean over test rows and runs. */
export interface Estimate {
  readonly value: number;
  readonly error: number;
  readonly interval: Interval;
}

/** Of one number for every run and test row. Its variance: over rows, of a row's mean over runs, and over runs, of a run's mean over rows. */
export const estimateOf = (each: readonly Float64Array[]): Estimate => {
  const runs = each.length;
  const rows = each[0]?.length ?? 0;
  const perRow = new Float64Array(rows);
  const perRun = new Float64Array(runs);
  for (let r = 0; r < runs; r++)
    for (let i = 0; i < rows; i++) {
      perRow[i] += each[r][i] / runs;
      perRun[r] += each[r][i] / rows;
    }
  const value = perRun.reduce((sum, v) => sum + v, 0) / runs;
  const error = Math.sqrt(variance(perRow) / rows + variance(perRun) / runs);
  const method = runs > 1 ? 'normal, over test rows and runs' : 'normal, over test rows; one run';
  return { value, error, interval: { low: value - 1.96 * error, high: value + 1.96 * error, level: 0.95, method } };
};

/** Top less bottom, run by run of one seed. */
export const differenceOf = (top: Power, bottom: Power): Estimate =>
  estimateOf(top.right.map((run, r) => Float64Array.from(run, (v, i) => v - bottom.right[r][i])));

/**
 * Of a side whose masks alone predict the label this close to what the masked data do, the result is about the masks; unless they
 * are as close to chance, where neither says anything.
 */
const LEAK = 0.02;

export type Verdict = 'mask leak' | 'discriminative' | 'random' | 'inverted';

export interface Level {
  readonly level: number;
  readonly kept: number;
  readonly top: Power;
  readonly bottom: Power;
  readonly maskTop: Power;
  readonly maskBottom: Power;
  readonly randomTop: Power;
  readonly randomBottom: Power;
  readonly difference: Estimate;
  readonly random: Estimate;
  /** Sides whose masks alone do as well. */
  readonly leaks: readonly ('top' | 'bottom')[];
  readonly verdict: Verdict;
}

export const levelOf = (
  level: number,
  kept: number,
  powers: Pick<Level, 'top' | 'bottom' | 'maskTop' | 'maskBottom' | 'randomTop' | 'randomBottom'>,
  /** Share of the most frequent class among the test rows. */
  chance: number,
): Level => {
  const difference = differenceOf(powers.top, powers.bottom);
  const leaks = (['top', 'bottom'] as const).filter((side) => {
    const [data, mask] = side === 'top' ? [powers.top, powers.maskTop] : [powers.bottom, powers.maskBottom];
    return mask.mean >= data.mean - LEAK && mask.mean > chance + LEAK;
  });
  const verdict =
    leaks.length > 0 ? 'mask leak' : difference.interval.low > 0 ? 'discriminative' : difference.interval.high < 0 ? 'inverted' : 'random';
  return { level, kept, ...powers, difference, random: differenceOf(powers.randomTop, powers.randomBottom), leaks, verdict };
};
