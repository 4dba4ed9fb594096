import { breathe, type Job } from '../../base/job.ts';
import { auroc, logitInterval } from '../../base/maths/auroc.ts';
import { normalQuantile } from '../../base/maths/normal.ts';
import { wilson } from '../../base/maths/proportion.ts';
import { massBins, widthBins } from './bins.ts';
import { cells, ROW_DRAWS } from './cells.ts';
import { binnedErrors, debiasedEce } from './errors.ts';
import { examples, rowsOf, trace } from './examples.ts';
import type { GenerationOptions } from './generation-options.ts';
import type { Generations } from './generation-read.ts';
import { consistencyBand, noiseFloor, nullDraws, pValueOf } from './null-draws.ts';
import { type Groups, pile, put, runs, walkGroups } from './pairs.ts';
import { debiasedOf, eceInterval, resamples } from './resample.ts';
import type { DrawnBin } from './scores.ts';

/** A value with its interval. */
export interface Ranged {
  readonly value: number;
  readonly range: readonly [number, number];
}

/** One confidence of every unit, judged by the outcomes. */
export interface Judged {
  readonly ece: number;
  readonly eceRange: readonly [number, number] | null;
  /** Mean of the ECE of a calibrated confidence on the same values. */
  readonly floor: number;
  readonly bins: readonly DrawnBin[];
  readonly brier: Ranged;
  /** (B_ref − B)/B_ref with B_ref = ā(1 − ā): 1 is perfect, 0 no better than always saying the base rate. */
  readonly skill: Ranged;
  readonly auroc: number;
  readonly aurocRange: readonly [number, number] | null;
  /** Standard deviation of the confidences. */
  readonly spread: number;
  readonly policy: Policy | null;
  /** Share accepted, most confident first → share wrong among them. */
  readonly review: readonly (readonly [number, number])[];
}

/** The lowest confidence from which on units are accepted so that at most the share asked for is wrong. */
export interface Policy {
  readonly threshold: number;
  readonly accepted: number;
  readonly wrong: number;
}

/** Normal interval of a mean of linearised contributions, those of one group added up first (Liang, Zeger 1986). */
const ranged = (value: number, part: (i: number) => number, { rows, groups }: Generations, level: number): Ranged => {
  const n = rows.length;
  const sums = new Float64Array(groups?.names.length ?? n);
  for (let i = 0; i < n; i++) sums[groups ? groups.of[i] : i] += part(i);
  const error = Math.sqrt(sums.reduce((sum, s) => sum + s * s, 0)) / n;
  const half = normalQuantile((1 + level) / 2) * error;
  return { value, range: [value - half, value + half] };
};

export const baseRate = (of: Generations, level: number): Ranged => {
  const mean = of.correct.reduce((sum, a) => sum + a, 0) / of.correct.length;
  const { value, range } = ranged(mean, (i) => of.correct[i] - mean, of, level);
  return { value, range: [Math.max(0, range[0]), Math.min(1, range[1])] };
};

/** Points of a review curve. */
const POINTS = 200;

const reviewOf = ({ c, hits, misses, n }: Groups, failRate: number): Pick<Judged, 'policy' | 'review'> => {
  let [accepted, wrong, due] = [0, 0, 0];
  let policy: Policy | null = null;
  const review: [number, number][] = [];
  for (let g = c.length - 1; g >= 0; g--) {
    accepted += hits[g] + misses[g];
    wrong += misses[g];
    if (wrong <= failRate * accepted) policy = { threshold: c[g], accepted: accepted / n, wrong: wrong / accepted };
    if (accepted < due && g > 0) continue;
    review.push([accepted / n, wrong / accepted]);
    due = accepted + n / POINTS;
  }
  return { policy, review };
};

/** Brier and skill score, by the delta method. */
export const skillOf = (c: Float64Array, of: Generations, level: number): { readonly brier: Ranged; readonly skill: Ranged } => {
  const { correct } = of;
  const n = correct.length;
  let [brier, base] = [0, 0];
  for (let i = 0; i < n; i++) {
    brier += (c[i] - correct[i]) ** 2 / n;
    base += correct[i] / n;
  }
  const reference = base * (1 - base);
  return {
    brier: ranged(brier, (i) => (c[i] - correct[i]) ** 2 - brier, of, level),
    skill: ranged(
      1 - brier / reference,
      (i) => ((brier / reference) * (1 - 2 * base) * (correct[i] - base) - ((c[i] - correct[i]) ** 2 - brier)) / reference,
      of,
      level,
    ),
  };
};

const spreadOf = (c: Float64Array): number => {
  const mean = c.reduce((sum, v) => sum + v, 0) / c.length;
  return Math.sqrt(c.reduce((sum, v) => sum + (v - mean) ** 2, 0) / c.length);
};

/** The diagram of one confidence, with what sampling alone would do to it (card 00-calibration-common). */
const diagramOf = async (
  c: Float64Array,
  of: Generations,
  groups: Groups,
  { bins: m, confidenceLevel: level, nullDraws: draws, bootstrap }: GenerationOptions,
  job: Job,
): Promise<Pick<Judged, 'ece' | 'eceRange' | 'floor' | 'bins'>> => {
  const n = c.length;
  const first = examples('width', m);
  for (let i = 0; i < n; i++) trace(first, c[i], of.rows[i]);
  const width = widthBins(groups, m);
  const { ece } = binnedErrors(width, n);
  const byCells = n > ROW_DRAWS;
  const drawn = byCells ? cells(walkGroups(groups), n, m) : groups;
  const pause = (): Promise<void> => breathe(job);
  const nulls = await nullDraws(drawn, m, draws, job.random('null-draws'), pause);
  const debiased = debiasedEce(massBins(groups, m, 2), n);
  const eces = new Float64Array(bootstrap);
  let d = 0;
  await resamples(drawn, !byCells, 2 * m > n ? 0 : bootstrap, job.random('bootstrap'), pause, (hits, misses) => {
    eces[d++] = debiasedOf(drawn.c, hits, misses, n, m);
  });
  const band = consistencyBand(nulls.widthAccuracy, level);
  const rows = rowsOf(first, width);
  return {
    ece,
    eceRange: 2 * m > n ? null : eceInterval(eces.sort(), debiased, pValueOf(nulls.ece, ece), level),
    floor: noiseFloor(groups, width).mean,
    bins: width.map(({ low, high, n: size, f, o }, k) => ({
      low,
      high,
      n: size,
      confidence: size === 0 ? null : f / size,
      accuracy: size === 0 ? null : o / size,
      wilson: wilson(o, size, level),
      band: band[k],
      rows: rows[k],
    })),
  };
};

export const judge = async (c: Float64Array, of: Generations, options: GenerationOptions, job: Job): Promise<Judged> => {
  const [right, wrong] = [pile(), pile()];
  for (let i = 0; i < c.length; i++) put(of.correct[i] ? right : wrong, c[i]);
  const groups = runs(right, wrong);
  const area = auroc(groups);
  return {
    ...(await diagramOf(c, of, groups, options, job)),
    ...skillOf(c, of, options.confidenceLevel),
    auroc: area.value,
    aurocRange: logitInterval(area, options.confidenceLevel),
    spread: spreadOf(c),
    ...reviewOf(groups, options.failRate),
  };
};
