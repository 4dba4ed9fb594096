import { normalQuantile } from '../../base/maths/normal.ts';
import type { Averages, ClassScores } from './class-scores.ts';

type Averaged =
  | 'macroPrecision'
  | 'macroRecall'
  | 'macroF1'
  | 'weightedPrecision'
  | 'weightedF1'
  | 'balancedAccuracy'
  | 'cohenKappa'
  | 'mcc';
export type AverageIntervals = Readonly<Record<Averaged, readonly [number, number] | null>>;

/** What one row of a label and an answer adds to a number, to first order and up to a constant. */
type Influence = (label: number, answer: number) => number;

/**
 * Intervals of averages by the delta method: rows are drawn independently, so that the variance of a smooth function of the counts is that
 * of the row's influence over n. Cut at the ends of the number's range; null where no row's influence differs.
 */
export const averageIntervals = (
  counts: Float64Array,
  classes: number,
  scores: readonly ClassScores[],
  mean: Averages,
  level: number,
): AverageIntervals => {
  const n = scores.reduce((sum, s) => sum + s.rows, 0);
  const seen = scores.filter((s) => s.rows + s.predicted > 0).length;
  const labelled = scores.filter((s) => s.rows > 0).length;
  const hit = (k: number, l: number, p: number): number => Number(l === k && p === k);
  const precision = (k: number, l: number, p: number): number => {
    const s = scores[k];
    return p !== k || s.predicted === 0 ? 0 : (n * (hit(k, l, p) - s.hits / s.predicted)) / s.predicted;
  };
  const recall = (k: number, l: number, p: number): number => {
    const s = scores[k];
    return l !== k || s.rows === 0 ? 0 : (n * (hit(k, l, p) - s.hits / s.rows)) / s.rows;
  };
  const f1 = (k: number, l: number, p: number): number => {
    const both = scores[k].rows + scores[k].predicted;
    return both === 0 ? 0 : (n * (2 * hit(k, l, p) - ((2 * scores[k].hits) / both) * (Number(l === k) + Number(p === k)))) / both;
  };
  type Part = typeof f1;
  /** The classes that a row touches are those of its label and its answer. */
  const even =
    (part: Part, of: number): Influence =>
    (l, p) =>
      (part(l, l, p) + (l === p ? 0 : part(p, l, p))) / of;
  const byRows =
    (part: Part, value: (s: ClassScores) => number | null): Influence =>
    (l, p) =>
      (scores[l].rows * part(l, l, p) + (l === p ? 0 : scores[p].rows * part(p, l, p))) / n + (value(scores[l]) ?? 0);

  const [r, c] = [scores.map((s) => s.rows / n), scores.map((s) => s.predicted / n)];
  const chance = r.reduce((sum, v, k) => sum + v * c[k], 0);
  const spread = [r, c].map((of) => 1 - of.reduce((sum, v) => sum + v * v, 0));
  const kappa: Influence = (l, p) => (Number(l === p) * (1 - chance) - (1 - mean.accuracy) * (c[l] + r[p])) / (1 - chance) ** 2;
  const mcc: Influence = (l, p) =>
    (Number(l === p) - c[l] - r[p]) / Math.sqrt(spread[0] * spread[1]) + mean.mcc * (r[l] / spread[0] + c[p] / spread[1]);

  const z = normalQuantile((1 + level) / 2);
  const interval = (value: number, low: number, influence: Influence): readonly [number, number] | null => {
    let [sum, squares] = [0, 0];
    for (let cell = 0; cell < counts.length; cell++) {
      if (counts[cell] === 0) continue;
      const x = influence(Math.floor(cell / classes), cell % classes);
      sum += counts[cell] * x;
      squares += counts[cell] * x * x;
    }
    const half = z * Math.sqrt(Math.max(0, squares / n - (sum / n) ** 2) / n);
    return half > 1e-12 ? [Math.max(low, value - half), Math.min(1, value + half)] : null;
  };
  return {
    macroPrecision: interval(mean.macroPrecision, 0, even(precision, seen)),
    macroRecall: interval(mean.macroRecall, 0, even(recall, seen)),
    macroF1: interval(mean.macroF1, 0, even(f1, seen)),
    weightedPrecision: interval(
      mean.weightedPrecision,
      0,
      byRows(precision, (s) => s.precision),
    ),
    weightedF1: interval(
      mean.weightedF1,
      0,
      byRows(f1, (s) => s.f1),
    ),
    balancedAccuracy: interval(mean.balancedAccuracy, 0, even(recall, labelled)),
    cohenKappa: interval(mean.cohenKappa, -1, kappa),
    mcc: interval(mean.mcc, -1, mcc),
  };
};
