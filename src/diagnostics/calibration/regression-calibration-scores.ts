import { multinomial } from '../../base/maths/binomial.ts';
import { normalQuantile } from '../../base/maths/normal.ts';
import { wilson } from '../../base/maths/proportion.ts';
import { quantile } from '../../base/maths/quantile.ts';
import type { Random } from '../../base/random.ts';
import { pValueOf } from './null-draws.ts';
import { type ForecastState, levelsOfForecast, mirrors, PIT_BINS, PIT_CELLS } from './regression-calibration-state.ts';

type Range = readonly [number, number] | null;

export interface Measured {
  readonly value: number;
  readonly interval: Range;
}

/** One level: how many targets lie at or below its quantile, with the band of calibrated forecasts. */
export interface Level {
  readonly level: number;
  readonly observed: number;
  readonly interval: Range;
  readonly band: readonly [number, number];
  readonly pinball: number;
}

/** A central interval. */
export interface Central {
  readonly nominal: number;
  readonly observed: number;
  readonly interval: Range;
  readonly width: number;
}

/** NaN where a number is undefined. */
export interface RegressionCalibration {
  readonly kind: 'normal' | 'quantiles' | null;
  readonly rows: number;
  readonly missing: number;
  readonly crossed: number;
  readonly levels: readonly Level[];
  readonly centrals: readonly Central[];
  /** Mean, root mean square and largest |observed − level|. */
  readonly error: number;
  readonly rms: number;
  readonly most: number;
  /** What calibrated forecasts would score as mean error on so many rows. */
  readonly floor: { readonly mean: number; readonly sd: number };
  readonly p: number;
  /** Largest distance of the PIT's distribution from the uniform one, to 1e-4; of a normal distribution. */
  readonly ks: number;
  readonly pinball: Measured;
  readonly crps: Measured;
  readonly nll: Measured;
  /** Mean squared standardised error: 1 where spreads are right, more where they are too small. */
  readonly square: Measured;
  readonly spread: number;
  /** Share of rows by PIT, or between levels, with the band of calibrated forecasts. */
  readonly bins: readonly {
    readonly low: number;
    readonly high: number;
    readonly share: number;
    readonly band: readonly [number, number];
    readonly n: number;
    readonly rows: readonly number[];
  }[];
}

const meanOf = ([sum, squares]: readonly [number, number], n: number, level: number): Measured => {
  const value = sum / n;
  if (n < 2) return { value, interval: null };
  const half = normalQuantile((1 + level) / 2) * Math.sqrt(Math.max(0, squares / n - value * value) / (n - 1));
  return { value, interval: [value - half, value + half] };
};

const undefinedMean: Measured = { value: Number.NaN, interval: null };

const errorsOf = (
  observed: readonly number[],
  levels: readonly number[],
): { readonly error: number; readonly rms: number; readonly most: number } => {
  const gaps = observed.map((v, k) => Math.abs(v - levels[k]));
  return {
    error: gaps.reduce((sum, g) => sum + g, 0) / gaps.length,
    rms: Math.sqrt(gaps.reduce((sum, g) => sum + g * g, 0) / gaps.length),
    most: Math.max(0, ...gaps),
  };
};

/** Shares below every level in data sets of n rows whose PIT is uniform. */
const uniformDraws = (levels: readonly number[], n: number, draws: number, random: Random): number[][] => {
  const weights = [...levels, 1].map((level, k) => level - (k === 0 ? 0 : levels[k - 1]));
  const out = new Int32Array(weights.length);
  return Array.from({ length: draws }, () => {
    multinomial(n, weights, 1, out, random);
    let sum = 0;
    return levels.map((_, k) => {
      sum += out[k];
      return sum / n;
    });
  });
};

const ends = (values: Float64Array, level: number): readonly [number, number] => {
  const sorted = values.sort();
  return [quantile(sorted, (1 - level) / 2), quantile(sorted, (1 + level) / 2)];
};

const kolmogorov = (pit: Float64Array, n: number): number => {
  let [sum, most] = [0, 0];
  for (let k = 0; k < pit.length; k++) {
    sum += pit[k];
    most = Math.max(most, Math.abs(sum / n - (k + 1) / pit.length));
  }
  return most;
};

export const regressionCalibrationScores = (
  state: ForecastState,
  { confidenceLevel: confidence, nullDraws }: { readonly confidenceLevel: number; readonly nullDraws: number },
  random: Random,
): RegressionCalibration => {
  const { forecast, rows: n, missing, crossed } = state;
  const levels = forecast ? levelsOfForecast(forecast) : [];
  const normal = forecast?.kind === 'normal';
  const observed = levels.map((_, k) => state.below[k] / n);
  const draws = n > 0 ? uniformDraws(levels, n, nullDraws, random) : [];
  const errors = errorsOf(observed, levels);
  const nulls = Float64Array.from(draws, (draw) => errorsOf(draw, levels).error).sort();
  const mean = nulls.reduce((sum, v) => sum + v, 0) / nulls.length;
  const edges = normal ? Array.from({ length: PIT_BINS + 1 }, (_, k) => k / PIT_BINS) : [0, ...levels, 1];
  // The grid of a normal distribution is that of its histogram, so one set of draws serves both.
  const shareIn = (draw: readonly number[], k: number): number => (draw[k] ?? 1) - (k === 0 ? 0 : draw[k - 1]);
  const per = PIT_CELLS / PIT_BINS;
  const shares = edges.slice(1).map((_, k) => {
    if (normal) return state.pit.subarray(k * per, (k + 1) * per).reduce((sum, v) => sum + v, 0) / n;
    return Math.max(0, (observed[k] ?? 1) - (k === 0 ? 0 : observed[k - 1]));
  });
  return {
    kind: forecast?.kind ?? null,
    rows: n,
    missing,
    crossed,
    levels: levels.map((level, k) => ({
      level,
      observed: observed[k],
      interval: wilson(state.below[k], n, confidence),
      band: ends(
        Float64Array.from(draws, (draw) => draw[k]),
        confidence,
      ),
      pinball: state.pinball[k] / n,
    })),
    centrals: mirrors(levels).flatMap((other, k) =>
      other < 0
        ? []
        : [
            {
              nominal: levels[other] - levels[k],
              observed: state.inside[k] / n,
              interval: wilson(state.inside[k], n, confidence),
              width: state.widths[k] / n,
            },
          ],
    ),
    ...errors,
    floor: { mean, sd: Math.sqrt(nulls.reduce((sum, v) => sum + (v - mean) ** 2, 0) / nulls.length) },
    p: pValueOf(nulls, errors.error),
    ks: normal ? kolmogorov(state.pit, n) : Number.NaN,
    pinball: meanOf([state.score[0] / 2, state.score[1] / 4], n, confidence),
    crps: normal ? meanOf(state.crps, n, confidence) : levels.length > 1 ? meanOf(state.score, n, confidence) : undefinedMean,
    nll: normal ? meanOf(state.nll, n, confidence) : undefinedMean,
    square: normal ? meanOf(state.square, n, confidence) : undefinedMean,
    spread: normal ? state.spread / n : Number.NaN,
    bins: edges.slice(1).map((high, k) => ({
      low: edges[k],
      high,
      share: shares[k],
      band: ends(
        Float64Array.from(draws, (draw) => shareIn(draw, k)),
        confidence,
      ),
      n: Math.round(shares[k] * n),
      rows: state.first[k] ?? [],
    })),
  };
};
