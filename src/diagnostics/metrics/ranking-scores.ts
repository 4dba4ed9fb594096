import { auroc, averagePrecision, type Estimate, logitInterval, totals } from '../../base/maths/auroc.ts';
import { normalQuantile } from '../../base/maths/normal.ts';
import type { Random } from '../../base/random.ts';
import type { Groups } from '../calibration/pairs.ts';
import { type Chosen, type Costs, type Operating, operatingPoints, partialAuroc, precisionAt, thin, thresholds } from './ranking-curves.ts';
import { type GroupRanking, groupRankings } from './ranking-groups.ts';
import { microIntervals } from './ranking-micro.ts';
import type { Mistake } from './ranking-mistakes.ts';
import { percentileInterval, ROW_DRAWS, rankCells, resampleRanking } from './ranking-resample.ts';
import { pooledRuns, slotRuns } from './ranking-slots.ts';
import { BINS, type RankingState } from './ranking-state.ts';

export interface RankingOptions {
  readonly positive: string;
  readonly group: string;
  readonly topK: number;
  readonly maxFpr: number;
  readonly falsePositiveCost: number;
  readonly falseNegativeCost: number;
  readonly confidenceLevel: number;
  readonly bootstrap: number;
}

export type Range = readonly [number, number] | null;

/** A number with its interval; NaN where it is undefined. */
export interface Measured {
  readonly value: number;
  readonly interval: Range;
}

/** One class against the rest. */
export interface ClassRanking {
  readonly positives: number;
  readonly negatives: number;
  readonly auroc: Measured;
  readonly auprc: Measured;
  /** Operating points drawn. */
  readonly points: readonly Operating[];
}

/** Ranking by the score of one class. */
export interface OneRanking extends ClassRanking {
  readonly kind: 'one';
  readonly positive: number;
  readonly rows: number;
  readonly partial: Measured;
  readonly k: number;
  readonly precisionAtK: Measured;
  readonly constant: boolean;
  readonly thresholds: readonly Chosen[];
  readonly grouped: boolean;
  readonly groups: readonly GroupRanking[];
  readonly mistakes: readonly Mistake[];
  readonly histogram: { readonly positive: readonly number[]; readonly negative: readonly number[] };
  readonly first: { readonly positive: readonly (readonly number[])[]; readonly negative: readonly (readonly number[])[] };
  readonly lowest: readonly { readonly score: number; readonly row: number }[];
  readonly highest: readonly { readonly score: number; readonly row: number }[];
  readonly byCells: boolean;
  /** Largest error of AUROC by counting scores in bins; 0 where they were kept one by one. */
  readonly blur: number;
}

/** Every class against the rest. */
export interface AllRankings {
  readonly kind: 'all';
  readonly rows: number;
  readonly classes: readonly ClassRanking[];
  readonly macroAuroc: Measured;
  readonly macroAuprc: Measured;
  readonly weightedAuroc: Measured;
  readonly weightedAuprc: Measured;
  readonly microAuroc: Measured;
  readonly microAuprc: Measured;
  readonly grouped: boolean;
  readonly blur: number;
}

export type Ranking = OneRanking | AllRankings;

const measured = (of: Estimate, level: number): Measured => ({ value: of.value, interval: logitInterval(of, level) });

/** Scores in one bin count as tied: half the pairs within bins may be on the wrong side. */
const blurOf = (runs: Groups): number => {
  const { positives, negatives } = totals(runs);
  let pairs = 0;
  for (let g = 0; g < runs.c.length; g++) pairs += (runs.hits[g] / positives) * (runs.misses[g] / negatives);
  return pairs / 2;
};

/** Steps in either axis of the three curves, ROC, precision–recall and DET, as far as they are drawn. */
const drawn = (points: readonly Operating[]): Operating[] => {
  const { tp: positives, fp: negatives } = points[points.length - 1];
  const rates = thin(points, (p) => [p.tp / positives, p.fp / negatives]);
  const logs = thin(points, (p) => [
    Math.log10(Math.max(p.fp, 0.5) / negatives) / 8,
    Math.log10(Math.max(positives - p.tp, 0.5) / positives) / 8,
  ]);
  const precision = thin(points, (p) => [p.tp / positives, p.tp / Math.max(1, p.tp + p.fp)]);
  const all = new Set<Operating>([...rates, ...logs, ...precision]);
  return points.filter((p) => all.has(p));
};

interface Whole {
  readonly ranking: ClassRanking;
  readonly estimates: readonly [Estimate, Estimate];
  /** All operating points; none where a side is missing. */
  readonly points: readonly Operating[];
}

const classRanking = (runs: Groups, level: number): Whole => {
  const counts = totals(runs);
  const both = counts.positives > 0 && counts.negatives > 0;
  const estimates = [auroc(runs), both ? averagePrecision(runs) : { value: Number.NaN, variance: Number.NaN }] as const;
  const points = both ? operatingPoints(runs) : [];
  return {
    ranking: { ...counts, auroc: measured(estimates[0], level), auprc: measured(estimates[1], level), points: both ? drawn(points) : [] },
    estimates,
    points,
  };
};

/** Mean over classes. Rows are shared, so standard errors are added as if fully correlated: the interval is at least as wide as it should be. */
const mean = (estimates: readonly Estimate[], weights: readonly number[], level: number): Measured => {
  const total = weights.reduce((sum, w) => sum + w, 0);
  const over = (of: (e: Estimate) => number): number => estimates.reduce((sum, e, k) => sum + (weights[k] / total) * of(e), 0);
  const value = over((e) => e.value);
  const half = normalQuantile((1 + level) / 2) * over((e) => Math.sqrt(e.variance));
  return { value, interval: half > 0 ? [Math.max(0, value - half), Math.min(1, value + half)] : null };
};

const everyClass = (state: RankingState, { confidenceLevel: level }: RankingOptions): AllRankings => {
  const runs = Array.from({ length: state.classes }, (_, k) => {
    const slot = state.slots.by.get(String(k));
    return slot ? [slotRuns(slot)] : [];
  }).flat();
  const found = runs.map((r) => {
    const { ranking, estimates } = classRanking(r, level);
    return { ...ranking, estimates };
  });
  const defined = found.filter((k) => k.positives > 0 && k.negatives > 0);
  const even = defined.map(() => 1);
  const sizes = defined.map((k) => k.positives);
  const [areas, precisions] = [defined.map((k) => k.estimates[0]), defined.map((k) => k.estimates[1])];
  const pooled = pooledRuns(state.slots);
  const micro = { auroc: auroc(pooled).value, auprc: averagePrecision(pooled).value };
  const within = microIntervals(state.slots.binned ? null : state.whole, state.classes, pooled, micro, level);
  return {
    kind: 'all',
    rows: state.rows,
    classes: found.map(({ estimates: _, ...k }) => k),
    macroAuroc: mean(areas, even, level),
    macroAuprc: mean(precisions, even, level),
    weightedAuroc: mean(areas, sizes, level),
    weightedAuprc: mean(precisions, sizes, level),
    microAuroc: { value: micro.auroc, interval: within.auroc },
    microAuprc: { value: micro.auprc, interval: within.auprc },
    grouped: state.grouped,
    blur: state.slots.binned ? Math.max(0, ...runs.map(blurOf).filter(Number.isFinite)) : 0,
  };
};

const histogramOf = (runs: Groups): OneRanking['histogram'] => {
  const [positive, negative] = [new Array<number>(BINS).fill(0), new Array<number>(BINS).fill(0)];
  let bin = 0;
  for (let g = 0; g < runs.c.length; g++) {
    while (bin < BINS - 1 && (bin + 1) / BINS < runs.c[g]) bin++;
    positive[bin] += runs.hits[g];
    negative[bin] += runs.misses[g];
  }
  return { positive, negative };
};

export const rankingScores = async (
  state: RankingState,
  options: RankingOptions,
  random: (name: string) => Random,
  pause: (fraction: number, text: string) => Promise<void>,
): Promise<Ranking> => {
  if (state.positive < 0) return everyClass(state, options);
  const { confidenceLevel: level, bootstrap, maxFpr } = options;
  const runs = pooledRuns(state.slots);
  const { ranking: whole, points } = classRanking(runs, level);
  const both = whole.positives > 0 && whole.negatives > 0;
  const k = Math.min(options.topK, state.rows);
  const exact = { auprc: whole.auprc.value, partial: both ? partialAuroc(runs, maxFpr) : Number.NaN, precisionAtK: precisionAt(runs, k) };
  const byCells = both && state.rows > ROW_DRAWS;
  const cells = byCells ? rankCells(runs) : runs;
  const draws = both
    ? await resampleRanking(cells, bootstrap, { most: maxFpr, k }, random('bootstrap'), (d) =>
        pause(d / bootstrap, `resample ${d} of ${bootstrap}`),
      )
    : undefined;
  const coarse = { auprc: averagePrecision(cells).value, partial: partialAuroc(cells, maxFpr), precisionAtK: precisionAt(cells, k) };
  const resampled = (of: keyof typeof exact): Measured => ({
    value: exact[of],
    interval: draws ? percentileInterval(draws[of], exact[of] - coarse[of], level) : null,
  });
  const costs: Costs = { falsePositive: options.falsePositiveCost, falseNegative: options.falseNegativeCost };
  return {
    kind: 'one',
    ...whole,
    positive: state.positive,
    rows: state.rows,
    auprc: resampled('auprc'),
    partial: resampled('partial'),
    k,
    precisionAtK: resampled('precisionAtK'),
    constant: runs.c.length === 1,
    thresholds: both ? thresholds(points, costs) : [],
    grouped: state.grouped,
    ...groupRankings(state.slots, runs, BINS),
    histogram: histogramOf(runs),
    first: state.first,
    lowest: state.lowest,
    highest: state.highest,
    byCells,
    blur: state.slots.binned && both ? blurOf(runs) : 0,
  };
};
