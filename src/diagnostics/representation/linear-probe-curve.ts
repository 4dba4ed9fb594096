import { Fault } from '../../base/fault.ts';
import { quantile } from '../../base/maths/quantile.ts';
import type { Random } from '../../base/random.ts';

/** Test errors of both heads at one number of labelled examples, one entry a draw. */
export interface CurvePoint {
  readonly size: number;
  readonly naiveBayes: Float64Array;
  readonly logistic: Float64Array;
}

/**
 * two-regimes: naive Bayes errs less on few examples, logistic regression on many; reversed: the other way round; logistic,
 * naive-bayes: that head errs less wherever they differ; equal: they never do.
 */
export type Regime = 'two-regimes' | 'reversed' | 'logistic' | 'naive-bayes' | 'equal';

const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0) / values.length;

/** Mean error of naive Bayes less that of logistic regression. */
export const gapOf = ({ naiveBayes, logistic }: CurvePoint): number => mean(naiveBayes) - mean(logistic);

/** Numbers of examples: as given, else 20, 50, 100, 200, … for ten classes and multiples of the classes for others; all of them last. */
export const sizesOf = (given: string, classes: number, rows: number): readonly number[] => {
  if (given.trim() !== '') {
    const sizes = given.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
    if (sizes.some((m) => !Number.isInteger(m) || m < 1))
      throw new Fault('option/value', {
        name: 'sizes',
        value: given,
        expected: 'whole numbers with commas between them, such as 20,50,100',
      });
    const few = sizes.find((m) => m < classes);
    if (few !== undefined) throw new Fault('diagnostic/few-examples', { size: few, classes });
    return [...new Set(sizes.map((m) => Math.min(m, rows)))].sort((a, b) => a - b);
  }
  const auto: number[] = [];
  if (classes === 10) for (let ten = 10; ten < rows; ten *= 10) auto.push(2 * ten, 5 * ten, 10 * ten);
  else auto.push(...[3, 5, 10, 20, 50, 100, 200, 500].map((n) => n * classes));
  return [...auto.filter((m) => m < rows), rows];
};

/** Redraws before each class is given an example first. */
const REDRAWS = 100;

const shuffledFirst = (rows: number, size: number, random: Random): Int32Array => {
  const places = Int32Array.from({ length: rows }, (_, i) => i);
  for (let i = 0; i < size; i++) {
    const j = i + random.below(rows - i);
    [places[i], places[j]] = [places[j], places[i]];
  }
  return places;
};

const hasAll = (places: Int32Array, labels: Int32Array, classes: number): boolean => {
  const seen = new Uint8Array(classes);
  let found = 0;
  for (const p of places) if (seen[labels[p]]++ === 0) found++;
  return found === classes;
};

/** Places drawn without replacement such that each class has one; where chance does not give that, one of each class and then the others. */
export const drawOf = (
  labels: Int32Array,
  classes: number,
  size: number,
  random: Random,
): { readonly places: Int32Array; readonly stratified: boolean } => {
  for (let k = 0; k <= REDRAWS; k++) {
    const places = shuffledFirst(labels.length, size, random).subarray(0, size);
    if (hasAll(places, labels, classes)) return { places, stratified: false };
  }
  const order = shuffledFirst(labels.length, labels.length, random);
  const first = new Map<number, number>();
  for (const p of order) if (!first.has(labels[p])) first.set(labels[p], p);
  const own = new Set(first.values());
  return { places: Int32Array.from([...own, ...Array.from(order).filter((p) => !own.has(p))].slice(0, size)), stratified: true };
};

/** Where the gap turns for the last time from naive Bayes' side to the other: linear between sizes in ln m. NaN where it does not. */
export const crossingOf = (sizes: readonly number[], gaps: readonly number[]): number => {
  const before = gaps.findLastIndex((g) => g < 0);
  if (before < 0 || !gaps.slice(before).some((g) => g > 0)) return Number.NaN;
  const [a, b] = [gaps[before], gaps[before + 1]];
  return Math.exp(Math.log(sizes[before]) + (a / (a - b)) * Math.log(sizes[before + 1] / sizes[before]));
};

export const regimeOf = (gaps: readonly number[]): Regime => {
  const signs = gaps.filter((g) => g !== 0).map(Math.sign);
  if (signs.length === 0) return 'equal';
  if (signs.every((s) => s > 0)) return 'logistic';
  if (signs.every((s) => s < 0)) return 'naive-bayes';
  return signs[signs.length - 1] > 0 ? 'two-regimes' : 'reversed';
};

export interface Crossing {
  readonly regime: Regime;
  /** Share of resamples of the draws with the same regime. */
  readonly share: number;
  /** Examples at which logistic regression takes over; NaN where it does not. */
  readonly at: number;
  /** Of the resamples that cross; null where fewer than half do, or there is one draw a size. */
  readonly range: readonly [number, number] | null;
}

/** The crossing with its interval by resampling the draws of each size. */
export const crossingWithRange = (points: readonly CurvePoint[], draws: number, level: number, random: Random): Crossing => {
  const sizes = points.map((p) => p.size);
  const gaps = points.map(gapOf);
  const regime = regimeOf(gaps);
  const crossings: number[] = [];
  let same = 0;
  for (let b = 0; b < draws; b++) {
    const drawn = points.map(({ naiveBayes, logistic }) => {
      let sum = 0;
      for (let i = 0; i < naiveBayes.length; i++) {
        const k = random.below(naiveBayes.length);
        sum += naiveBayes[k] - logistic[k];
      }
      return sum / naiveBayes.length;
    });
    if (regimeOf(drawn) === regime) same++;
    const at = crossingOf(sizes, drawn);
    if (!Number.isNaN(at)) crossings.push(at);
  }
  crossings.sort((a, b) => a - b);
  const at = crossingOf(sizes, gaps);
  const drawnTwice = points.some((p) => p.naiveBayes.length > 1);
  const range =
    drawnTwice && !Number.isNaN(at) && 2 * crossings.length > draws
      ? ([quantile(crossings, (1 - level) / 2), quantile(crossings, (1 + level) / 2)] as const)
      : null;
  return { regime, share: same / draws, at, range };
};
