import { Fault } from '../../base/fault.ts';
import { normalCdf, normalQuantile } from '../../base/maths/normal.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import { keepFirst } from '../selection.ts';
import { type Forecast, type ForecastOptions, forecastOf } from './forecast.ts';

/** Levels at which a normal distribution is looked at, and bins of the histogram of its PIT. */
const GRID: readonly number[] = Array.from({ length: 19 }, (_, k) => (k + 1) / 20);
const GRID_Z: readonly number[] = GRID.map(normalQuantile);
export const PIT_BINS = 20;
/** Cells in which values of the PIT are counted: ranks to 1e-4 without keeping rows. */
export const PIT_CELLS = 10_000;

/** A sum and the sum of squares of one number a row. */
type Sums = [number, number];

export interface ForecastState {
  readonly names: readonly string[] | null;
  forecast: Forecast | null;
  rows: number;
  /** Targets at or below the quantile, and the pinball loss, by level. */
  below: Float64Array;
  pinball: Float64Array;
  /** Targets inside and widths of the central intervals, by the level of their lower end. */
  inside: Float64Array;
  widths: Float64Array;
  /** PIT of a normal distribution, by cell. */
  pit: Float64Array;
  /** Mean pinball loss over the levels, twice; CRPS, log loss, squared standardised error of a normal distribution. */
  score: Sums;
  crps: Sums;
  nll: Sums;
  square: Sums;
  spread: number;
  /** Rows whose quantiles cross. */
  crossed: number;
  missing: number;
  /** First rows of each bin of the PIT, or between levels. */
  first: number[][];
}

export const forecastState = (names: readonly string[] | undefined): ForecastState => ({
  names: names ?? null,
  forecast: null,
  rows: 0,
  below: new Float64Array(0),
  pinball: new Float64Array(0),
  inside: new Float64Array(0),
  widths: new Float64Array(0),
  pit: new Float64Array(0),
  score: [0, 0],
  crps: [0, 0],
  nll: [0, 0],
  square: [0, 0],
  spread: 0,
  crossed: 0,
  missing: 0,
  first: [],
});

export const levelsOfForecast = (forecast: Forecast): readonly number[] => (forecast.kind === 'normal' ? GRID : forecast.levels);

/** For each level below ½, the place of its mirror image, −1 where that is not among them. */
export const mirrors = (levels: readonly number[]): number[] =>
  levels.map((level) => (level < 0.5 ? levels.findIndex((other) => Math.abs(other - (1 - level)) < 1e-9) : -1));

const begin = (state: ForecastState, forecast: Forecast): void => {
  if (state.forecast) return;
  state.forecast = forecast;
  const size = levelsOfForecast(forecast).length;
  for (const key of ['below', 'pinball', 'inside', 'widths'] as const) state[key] = new Float64Array(size);
  if (forecast.kind === 'normal') state.pit = new Float64Array(PIT_CELLS);
  state.first = Array.from({ length: forecast.kind === 'normal' ? PIT_BINS : size + 1 }, () => []);
};

const count = (to: Sums, value: number): void => {
  to[0] += value;
  to[1] += value * value;
};

/** CRPS of N(0, 1) at z, in units of σ (Gneiting, Raftery 2007, section 4.2). */
const normalCrps = (z: number): number =>
  z * (2 * normalCdf(z) - 1) + (2 / Math.sqrt(2 * Math.PI)) * Math.exp((-z * z) / 2) - 1 / Math.sqrt(Math.PI);

export const addForecasts = (
  state: ForecastState,
  { predictions, targets, rows, groups }: Pick<Evidence, 'predictions' | 'targets' | 'rows' | 'groups'>,
  options: ForecastOptions,
): void => {
  const { cols, data } = predictions;
  if (predictions.rows === 0) return;
  begin(state, state.forecast ?? forecastOf(cols, state.names ?? undefined, options));
  const { forecast, below, pinball, inside, widths, first } = state;
  if (!forecast) return;
  const levels = levelsOfForecast(forecast);
  const mirror = mirrors(levels);
  const column = groups[options.spread];
  const at = new Float64Array(levels.length);
  for (let i = 0; i < predictions.rows; i++) {
    const y = targets[i];
    if (!Number.isFinite(y)) {
      state.missing++;
      continue;
    }
    let place = 0;
    if (forecast.kind === 'normal') {
      const raw = forecast.scale === 'column' ? Number(column?.[i] === '' ? Number.NaN : column?.[i]) : data[i * cols + forecast.spread];
      const sd = forecast.scale === 'variance' ? Math.sqrt(raw) : forecast.scale === 'log-variance' ? Math.exp(raw / 2) : raw;
      if (!(sd > 0 && sd < Number.POSITIVE_INFINITY)) throw new Fault('diagnostic/spread', { row: rows[i], value: raw });
      const mean = data[i * cols + forecast.mean];
      const z = (y - mean) / sd;
      for (let k = 0; k < levels.length; k++) at[k] = mean + sd * GRID_Z[k];
      const u = normalCdf(z);
      state.pit[Math.min(PIT_CELLS - 1, Math.floor(u * PIT_CELLS))]++;
      place = Math.min(PIT_BINS - 1, Math.floor(u * PIT_BINS));
      count(state.crps, sd * normalCrps(z));
      count(state.nll, (z * z) / 2 + Math.log(sd) + Math.log(2 * Math.PI) / 2);
      count(state.square, z * z);
      state.spread += sd;
    } else {
      let crossed = false;
      for (let k = 0; k < levels.length; k++) {
        at[k] = data[i * cols + forecast.columns[k]];
        if (k > 0 && at[k] < at[k - 1]) crossed = true;
        if (y > at[k]) place++;
      }
      if (crossed) state.crossed++;
    }
    let loss = 0;
    for (let k = 0; k < levels.length; k++) {
      const own = y <= at[k] ? (1 - levels[k]) * (at[k] - y) : levels[k] * (y - at[k]);
      if (y <= at[k]) below[k]++;
      pinball[k] += own;
      loss += own;
      if (mirror[k] < 0) continue;
      if (y >= at[k] && y <= at[mirror[k]]) inside[k]++;
      widths[k] += at[mirror[k]] - at[k];
    }
    count(state.score, (2 * loss) / levels.length);
    keepFirst(first[place], rows[i]);
    state.rows++;
  }
};

export const mergeForecasts = (state: ForecastState, other: ForecastState): void => {
  state.missing += other.missing;
  if (!other.forecast) return;
  begin(state, other.forecast);
  if (state.below.length !== other.below.length)
    throw new Fault('diagnostic/width', { found: other.below.length, expected: state.below.length });
  for (const key of ['below', 'pinball', 'inside', 'widths', 'pit'] as const)
    for (let k = 0; k < other[key].length; k++) state[key][k] += other[key][k];
  for (const key of ['score', 'crps', 'nll', 'square'] as const) {
    state[key][0] += other[key][0];
    state[key][1] += other[key][1];
  }
  other.first.forEach((rows, k) => {
    for (const row of rows) keepFirst(state.first[k], row);
  });
  state.rows += other.rows;
  state.spread += other.spread;
  state.crossed += other.crossed;
};
