import { averageRanks, fisherInterval, kendall, pearson, spearman } from '../../base/maths/correlation.ts';
import { fitLogistic, logisticAt } from '../../base/maths/logistic-curve.ts';
import { normalQuantile } from '../../base/maths/normal.ts';
import type { Pile } from '../calibration/pairs.ts';
import { values } from '../calibration/pairs.ts';
import type { RegressionState } from './regression-state.ts';

type Range = readonly [number, number] | null;
export interface Measured {
  readonly value: number;
  readonly interval: Range;
}

/** The curve from predictions to targets, fitted on these rows. */
export interface Fitted {
  readonly kind: 'logistic' | 'line';
  readonly plcc: number;
  readonly rmse: number;
  /** Points of the curve over the range of the predictions. */
  readonly points: readonly (readonly [number, number])[];
}

/** What models are ranked by, and which end is better. */
export const measures = { srcc: 'high', plcc: 'high', krcc: 'high', mae: 'low', rmse: 'low' } as const;
export type Measure = keyof typeof measures;
/** One of several models on the same rows; `place` is its mean place over the measures, ties sharing the mean of theirs. */
export type Ranked = Readonly<Record<Measure, number>> & { readonly place: number };

/** What has an interval, in the order of reports. */
export const regressionScoreNames = ['srcc', 'plcc', 'krcc', 'mae', 'rmse', 'r2', 'bias'] as const;
export type RegressionScore = (typeof regressionScoreNames)[number];

/** NaN where a number is undefined. */
export interface Regression {
  readonly rows: number;
  readonly srcc: Measured;
  readonly plcc: Measured;
  readonly krcc: Measured;
  readonly mae: Measured;
  readonly rmse: Measured;
  readonly r2: Measured;
  /** Mean of prediction − target. */
  readonly bias: Measured;
  readonly targetSd: number;
  readonly fitted: Fitted | null;
  /** Residuals prediction − target in bins of equal width. */
  readonly residuals: { readonly edges: readonly number[]; readonly counts: readonly number[] };
  /** In the order of the predictions; empty where models are not compared. */
  readonly models: readonly Ranked[];
  readonly drawn: RegressionState['drawn'];
  readonly worst: RegressionState['worst'];
  readonly missing: number;
  readonly missingRows: readonly number[];
}

const mean = (x: Float64Array, of: (v: number, i: number) => number = (v) => v): number => {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += of(x[i], i);
  return sum / x.length;
};

/** Pairs sorted by prediction, then by target: whatever the order of the rows, every sum below is taken in this one. */
const sortedPairs = (predictions: Pile, targets: Pile): readonly [Float64Array, Float64Array] => {
  const [x, m] = [values(predictions), values(targets)];
  const order = Uint32Array.from(x, (_, i) => i).sort((a, b) => x[a] - x[b] || m[a] - m[b]);
  return [Float64Array.from(order, (i) => x[i]), Float64Array.from(order, (i) => m[i])];
};

/** Least squares line; the constant where predictions are constant. */
const line = (x: Float64Array, m: Float64Array): ((v: number) => number) => {
  const [mx, mm] = [mean(x), mean(m)];
  const slope = mean(x, (v, i) => (v - mx) * (m[i] - mm)) / mean(x, (v) => (v - mx) ** 2);
  return (v) => mm + slope * (v - mx);
};

const CURVE = 100;
/** The logistic, or a line where its parameters run away (card 39): that is where β₁ or β₃ stands more than 10 ranges from the data's mean. */
const fit = (x: Float64Array, m: Float64Array): Fitted | null => {
  const range = (v: Float64Array): readonly [number, number] => v.reduce(([a, b], w) => [Math.min(a, w), Math.max(b, w)], [v[0], v[0]]);
  if (x.length < 4) return null;
  const [[x0, x1], [m0, m1]] = [range(x), range(m)];
  if (x0 === x1 || m0 === m1) return null;
  const curve = fitLogistic(x, m);
  const far =
    !curve.every(Number.isFinite) || Math.abs(curve[0] - mean(m)) > 10 * (m1 - m0) || Math.abs(curve[2] - mean(x)) > 10 * (x1 - x0);
  const at = far ? line(x, m) : (v: number) => logisticAt(v, curve);
  const mapped = x.map(at);
  return {
    kind: far ? 'line' : 'logistic',
    plcc: pearson(mapped, m),
    rmse: Math.sqrt(mean(mapped, (v, i) => (v - m[i]) ** 2)),
    points: Array.from({ length: CURVE + 1 }, (_, i) => {
      const v = x0 + ((x1 - x0) * i) / CURVE;
      return [v, at(v)] as const;
    }),
  };
};

/** Mean place over the five measures (card 39); a measure that is undefined comes last. */
const ranked = (models: readonly Pile[], targets: Pile): Ranked[] => {
  const scores = models.map((model) => {
    const [x, m] = sortedPairs(model, targets);
    return {
      srcc: spearman(x, m),
      plcc: pearson(x, m),
      krcc: kendall(x, m),
      mae: mean(x, (v, i) => Math.abs(v - m[i])),
      rmse: Math.sqrt(mean(x, (v, i) => (v - m[i]) ** 2)),
    };
  });
  const names = Object.keys(measures) as Measure[];
  const places = names.map((name) =>
    averageRanks(
      Float64Array.from(scores, ({ [name]: v }) => (Number.isNaN(v) ? Number.POSITIVE_INFINITY : measures[name] === 'high' ? -v : v)),
    ),
  );
  return scores.map((s, i) => ({ ...s, place: places.reduce((sum, of) => sum + of[i], 0) / places.length }));
};

const BINS = 30;
const residualBins = (e: Float64Array): Regression['residuals'] => {
  const most = e.reduce((a, v) => Math.max(a, Math.abs(v)), 0) || 1;
  const edges = Array.from({ length: BINS + 1 }, (_, i) => most * ((2 * i) / BINS - 1));
  const counts = new Array<number>(BINS).fill(0);
  for (const v of e) counts[Math.min(BINS - 1, Math.floor(((v / most + 1) / 2) * BINS))]++;
  return { edges, counts };
};

/**
 * Intervals are asymptotic and need no normal residuals but for the ranks: of means by their standard error, of RMSE, R² and PLCC by the
 * standard deviation of their influence functions (RMSE on a log scale, PLCC on Fisher's); SRCC by Bonett and Wright 2000
 * (doi:10.1007/BF02294183), KRCC by Fieller, Hartley and Pearson 1957, both on Fisher's scale.
 */
export const regressionScores = (state: RegressionState, level: number): Regression => {
  const [x, m] = sortedPairs(state.x, state.m);
  const n = x.length;
  const z = normalQuantile((1 + level) / 2);
  const e = x.map((v, i) => v - m[i]);
  const around = (value: number, error: number): Measured => ({
    value,
    interval: n > 1 && Number.isFinite(error) ? [value - z * error, value + z * error] : null,
  });
  const averaged = (of: (v: number) => number): Measured => {
    const value = mean(e, of);
    return around(value, Math.sqrt(mean(e, (v) => (of(v) - value) ** 2) / (n - 1)));
  };
  const mae = averaged(Math.abs);
  const mse = mean(e, (v) => v * v);
  const [mx, mm] = [mean(x), mean(m)];
  const [vx, vm] = [mean(x, (v) => (v - mx) ** 2), mean(m, (v) => (v - mm) ** 2)];
  const mseError = Math.sqrt(mean(e, (v) => (v * v - mse) ** 2) / (n - 1));
  const rmseFactor = Math.exp((z * mseError) / (2 * mse));
  const r2Error = Math.sqrt(mean(e, (v, i) => (-(v * v - mse) / vm + (mse * ((m[i] - mm) ** 2 - vm)) / vm ** 2) ** 2) / (n - 1));
  const plcc = pearson(x, m);
  const plccError = Math.sqrt(
    mean(x, (v, i) => {
      const [a, b] = [(v - mx) / Math.sqrt(vx), (m[i] - mm) / Math.sqrt(vm)];
      return (a * b - (plcc / 2) * (a * a + b * b)) ** 2;
    }) /
      (n - 1),
  );
  const srcc = spearman(x, m);
  const krcc = kendall(x, m);
  return {
    rows: n,
    srcc: { value: srcc, interval: n > 3 ? fisherInterval(srcc, Math.sqrt((1 + srcc ** 2 / 2) / (n - 3)), level) : null },
    plcc: { value: plcc, interval: n > 3 ? fisherInterval(plcc, plccError / (1 - plcc ** 2), level) : null },
    krcc: { value: krcc, interval: n > 4 ? fisherInterval(krcc, Math.sqrt(0.437 / (n - 4)), level) : null },
    mae: { ...mae, interval: mae.interval && [Math.max(0, mae.interval[0]), mae.interval[1]] },
    rmse: { value: Math.sqrt(mse), interval: n > 1 && mse > 0 ? [Math.sqrt(mse) / rmseFactor, Math.sqrt(mse) * rmseFactor] : null },
    r2: vm > 0 ? around(1 - mse / vm, r2Error) : { value: Number.NaN, interval: null },
    bias: averaged((v) => v),
    targetSd: Math.sqrt(vm),
    fitted: fit(x, m),
    residuals: residualBins(e),
    models: n > 0 ? ranked(state.models, state.m) : [],
    drawn: [...state.drawn].sort((a, b) => a.x - b.x || a.row - b.row),
    worst: state.worst,
    missing: state.missing,
    missingRows: state.missingRows,
  };
};
