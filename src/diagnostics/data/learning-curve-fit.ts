import {
  aicc,
  type CurvePoint,
  type FlooredLaw,
  fitFlooredLaw,
  fitPowerLaw,
  type PowerLaw,
  type Prediction,
  predictFloored,
  predictPowerLaw,
} from '../../base/maths/power-law.ts';
import { studentQuantile } from '../../base/maths/student.ts';

/** A size with the mean error over its repeats. */
export interface SizePoint {
  readonly size: number;
  readonly error: number;
  /** Standard deviation over repeats; NaN of one. */
  readonly sd: number;
  readonly repeats: number;
  readonly rows: readonly number[];
}

export type Region = 'small-data' | 'power-law' | 'irreducible' | 'outside';

export interface CurveFit {
  readonly points: readonly SizePoint[];
  readonly regions: readonly Region[];
  /** Deleted residuals of every point but those of small data and of the floor; NaN of those. */
  readonly studentised: readonly number[];
  /** Absent where fewer than 4 points lie on a line, or the error does not fall. */
  readonly law?: PowerLaw;
  readonly floored?: FlooredLaw;
  /** The law with a floor describes the points better, and is meant. */
  readonly floor: boolean;
  readonly why?: 'few' | 'rising';
  /** Slope over all points that are not small data, where there is no law. */
  readonly slope: number;
}

const LEAST = 4;
const FLAT = -0.05;
const OUTLIER = 2.5;
/** A guess this close to the error says that nothing was learned yet. */
const GUESS = 0.9;

/** Weighted where every size was repeated with some spread, by 1/se²(ln ε), se(ln ε) = sd/(ε√r). */
const weighed = (points: readonly SizePoint[]): CurvePoint[] => {
  const usable = points.every((p) => p.repeats > 1 && p.sd > 0);
  return points.map((p) => ({ size: p.size, error: p.error, weight: usable ? (p.repeats * p.error ** 2) / p.sd ** 2 : 1 }));
};

const slopeBetween = (a: SizePoint, b: SizePoint): number => Math.log(b.error / a.error) / Math.log(b.size / a.size);

/** Card 38: leading points near a guess, trailing points that no longer fall, and the longest line that ends before those. */
export const fitCurve = (all: readonly SizePoint[], guess: number, level: number): CurveFit => {
  const points = [...all].sort((a, b) => a.size - b.size);
  const n = points.length;
  let first = 0;
  while (Number.isFinite(guess) && first < n && points[first].error > GUESS * guess) first++;
  let last = n;
  while (last - 1 > first && slopeBetween(points[last - 2], points[last - 1]) > FLAT) last--;
  const weights = weighed(points);
  const regions: Region[] = points.map((_, i) => (i < first ? 'small-data' : i >= last ? 'irreducible' : 'outside'));
  const middle = weights.slice(first, last);
  const whole = middle.length >= LEAST ? fitPowerLaw(middle) : undefined;
  const studentised = points.map((_, i) => whole?.studentised[i - first] ?? Number.NaN);
  const slope = n - first >= 2 ? fitPowerLaw(weights.slice(first)).beta : Number.NaN;
  const common = { points, regions, slope };
  // A floor bends the whole line, so it is looked for before points off a straight one are: in all points but those of small data.
  const bent = withFloor(weights.slice(first), level);
  if (bent) {
    for (let i = first; i < last; i++) regions[i] = 'power-law';
    return { ...common, ...bent, studentised: points.map((_, i) => bent.floored.studentised[i - first] ?? Number.NaN), floor: true };
  }
  let law: PowerLaw | undefined;
  let from = first;
  for (; last - from >= LEAST; from++) {
    const found = fitPowerLaw(weights.slice(from, last));
    if (found.studentised.every((t) => Math.abs(t) <= OUTLIER)) {
      law = found;
      break;
    }
  }
  const straight = { ...common, studentised, floor: false };
  if (!law) return { ...straight, why: slope >= 0 || last - first < 2 ? 'rising' : 'few' };
  if (law.beta >= 0) return { ...straight, why: 'rising' };
  for (let i = from; i < last; i++) regions[i] = 'power-law';
  return { ...straight, law };
};

/** Card 38: three parameters are kept from 6 points on where AICc gains more than 2 and the interval of γ excludes 0. */
const withFloor = (points: readonly CurvePoint[], level: number): { readonly law: PowerLaw; readonly floored: FlooredLaw } | undefined => {
  const n = points.length;
  if (n < 6) return undefined;
  const [law, floored] = [fitPowerLaw(points), fitFlooredLaw(points)];
  const rss = law.residuals.reduce((s, r, i) => s + points[i].weight * r * r, 0);
  const better = law.beta < 0 && aicc(rss, n, 2) - aicc(floored.rss, n, 3) > 2;
  const clear = floored.gamma - studentQuantile((1 + level) / 2, n - 3) * floored.errors[2] > 0;
  // A curve that one point bends is no curve with a floor. Of few points residuals beyond ±2.5 are common by chance.
  const whole = floored.studentised.every((t) => Math.abs(t) <= 2 * OUTLIER);
  return better && clear && whole ? { law, floored } : undefined;
};

export const predictError = (fit: CurveFit, size: number, level: number): Prediction | undefined =>
  fit.floor && fit.floored ? predictFloored(fit.floored, size, level) : fit.law && predictPowerLaw(fit.law, size, level);

export interface Needed {
  readonly size: number;
  /** Where the prediction band meets the target; Infinity where it never does. */
  readonly low: number;
  readonly high: number;
}

/** The first size from the left, of those up to e^60, at which `error` is no more than the target: a scan, then bisection. */
const meets = (error: (size: number) => number, target: number): number => {
  const step = 0.05;
  for (let k = -20; k < 60; k += step) {
    if (!(error(Math.exp(k)) <= target)) continue;
    let [low, high] = [k - step, k];
    for (let turn = 0; turn < 60; turn++) {
      const mid = (low + high) / 2;
      if (error(Math.exp(mid)) <= target) high = mid;
      else low = mid;
    }
    return Math.exp(high);
  }
  return Number.POSITIVE_INFINITY;
};

/** The size at which the error is the target, and those at which the ends of the prediction band are. */
export const sizeFor = (fit: CurveFit, target: number, level: number): Needed | undefined => {
  if (!fit.law) return undefined;
  const of = (end: keyof Prediction): number => meets((size) => predictError(fit, size, level)?.[end] ?? Number.NaN, target);
  return { size: of('error'), low: of('low'), high: of('high') };
};
