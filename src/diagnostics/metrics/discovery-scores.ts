import { Fault } from '../../base/fault.ts';
import { normalQuantile } from '../../base/maths/normal.ts';
import { wilson } from '../../base/maths/proportion.ts';
import { values } from '../calibration/pairs.ts';
import {
  type Candidate,
  CELLS,
  type Cell,
  count,
  type DiscoveryOptions,
  type DiscoveryState,
  inOrder,
  outcomes,
  shifts,
  type Tally,
  tally,
  unmoved,
} from './discovery-state.ts';

type Range = readonly [number, number] | null;
export interface Score {
  readonly value: number;
  readonly interval: Range;
}
export const measures = [
  'precision',
  'recall',
  'f1',
  'daf',
  'accuracy',
  'tpr',
  'fpr',
  'tnr',
  'fnr',
  'prevalence',
  'mae',
  'rmse',
  'r2',
] as const;
export type Measure = (typeof measures)[number];

/** The numbers of one model on one set of rows; NaN where a denominator is empty. */
export interface Scores extends Readonly<Record<Measure, Score>> {
  readonly counts: readonly number[];
  readonly rows: number;
  readonly missing: number;
  /** Standard deviation of the predictions over that of the targets. */
  readonly spread: number;
}

const nothing: Score = { value: Number.NaN, interval: null };

const share = (hits: number, of: number, level: number): Score =>
  of === 0 ? nothing : { value: hits / of, interval: wilson(hits, of, level) };

/** ln DAF = ln TP + ln N − ln(TP + FP) − ln(TP + FN); its standard error by the delta method on the four counts. */
const acceleration = ([tp, fn, fp, tn]: readonly number[], prevalence: number, z: number): Score => {
  const n = tp + fn + fp + tn;
  if (tp + fp === 0 || tp + fn === 0) return nothing;
  const value = tp / (tp + fp) / prevalence;
  if (tp === 0) return { value, interval: null };
  const slopes = [1 / tp - 1 / (tp + fp) - 1 / (tp + fn), -1 / (tp + fn), -1 / (tp + fp)];
  const mean = (tp * slopes[0] + fn * slopes[1] + fp * slopes[2]) / n;
  const error = Math.sqrt(tp * slopes[0] ** 2 + fn * slopes[1] ** 2 + fp * slopes[2] ** 2 - n * mean * mean);
  return { value, interval: [value * Math.exp(-z * error), value * Math.exp(z * error)] };
};

/** F1 = 2J/(1 + J) is monotone in J = TP/(TP + FP + FN), so J's Wilson interval carries over. */
const f1Of = ([tp, fn, fp]: readonly number[], level: number): Score => {
  const jaccard = share(tp, tp + fn + fp, level);
  const up = (j: number): number => (2 * j) / (1 + j);
  // Undefined where precision and recall are both zero, or one of them has no denominator (card 53).
  if (tp === 0 || !jaccard.interval) return nothing;
  return { value: up(jaccard.value), interval: [up(jaccard.interval[0]), up(jaccard.interval[1])] };
};

/** MAE by its standard error, RMSE by that of the squared error on a log scale, R² by its influence function. */
const errors = ({ n, abs, e, d }: Tally, z: number): Pick<Scores, 'mae' | 'rmse' | 'r2'> => {
  if (n === 0) return { mae: nothing, rmse: nothing, r2: nothing };
  const [mae, mse] = [abs / n, e[0] / n];
  const [m, d2, d3, d4] = d.map((s) => s / n);
  const variance = d2 - m * m;
  const fourth = d4 - 4 * m * d3 + 6 * m * m * d2 - 3 * m ** 4;
  const crossed = (e[3] - 2 * m * e[2] + m * m * e[0]) / n;
  const around = (value: number, squared: number): Score => {
    const half = z * Math.sqrt(Math.max(0, squared) / (n - 1));
    return { value, interval: n > 1 ? [value - half, value + half] : null };
  };
  const rmse = Math.sqrt(mse);
  const factor = Math.exp((z * Math.sqrt(Math.max(0, e[1] / n - mse * mse) / (n - 1))) / (2 * mse));
  const near = around(mae, mse - mae * mae);
  const [a, b] = [1 / variance, mse / (variance * variance)];
  const influence = a * a * (e[1] / n - mse * mse) + b * b * (fourth - variance * variance) - 2 * a * b * (crossed - mse * variance);
  return {
    mae: { ...near, interval: near.interval && [Math.max(0, near.interval[0]), near.interval[1]] },
    rmse: { value: rmse, interval: n > 1 && mse > 0 ? [rmse / factor, rmse * factor] : null },
    r2: variance > 0 ? around(1 - mse / variance, influence) : nothing,
  };
};

/** `prevalence` where it is not that of these rows: the first of a list are compared with all that it was taken from. */
const scoresOf = (of: Tally, level: number, prevalence?: number): Scores => {
  const counts = unmoved(of);
  const [tp, fn, fp, tn] = counts;
  const rows = tp + fn + fp + tn;
  const z = normalQuantile((1 + level) / 2);
  const own = share(tp + fn, rows, level);
  const precision = share(tp, tp + fp, level);
  const recall = share(tp, tp + fn, level);
  const [v, d] = [of.v, of.d].map(([sum, square]) => square / of.n - (sum / of.n) ** 2);
  const daf =
    prevalence === undefined
      ? acceleration(counts, own.value, z)
      : {
          value: prevalence > 0 ? precision.value / prevalence : Number.NaN,
          interval: precision.interval && scaled(precision.interval, prevalence),
        };
  return {
    counts,
    rows,
    missing: of.missing,
    spread: Math.sqrt(v / d),
    precision,
    recall,
    f1: f1Of(counts, level),
    daf,
    accuracy: share(tp + tn, rows, level),
    tpr: recall,
    fpr: share(fp, fp + tn, level),
    tnr: share(tn, fp + tn, level),
    fnr: share(fn, tp + fn, level),
    prevalence: own,
    ...errors(of, z),
  };
};

const scaled = ([low, high]: readonly [number, number], by: number): Range => (by > 0 ? [low / by, high / by] : null);

/** A point of the rolling error: mean |error| of the rows whose target is within half a window of `at`. */
export interface Rolling {
  readonly at: number;
  readonly mae: number;
  readonly se: number;
  readonly rows: number;
  /** The mean error is larger than the distance to the threshold: the triangle of peril. */
  readonly peril: boolean;
}

export interface Step {
  readonly candidates: number;
  readonly precision: number;
  readonly band: Range;
  readonly recall: number;
  readonly mae: number;
}

export interface Bin {
  readonly counts: readonly number[];
  readonly rows: readonly (readonly number[])[];
}

export interface Discovery {
  readonly main: number;
  /** Every model compared, or the one. */
  readonly models: readonly Scores[];
  readonly unique: Scores | null;
  readonly first: { readonly wanted: number; readonly scores: Scores; readonly list: readonly Candidate[] } | null;
  readonly moved: readonly { readonly threshold: number; readonly counts: readonly number[]; readonly f1: Score; readonly daf: Score }[];
  readonly rolling: readonly Rolling[];
  /** Share of rows whose distance to the threshold is below the rolling error there. */
  readonly peril: Score;
  readonly steps: readonly Step[];
  readonly histogram: { readonly edges: readonly number[]; readonly bins: readonly Bin[] };
  readonly selected: readonly (readonly number[])[];
  readonly falseAlarms: readonly Candidate[];
  readonly missed: readonly Candidate[];
  readonly unlabelled: number;
  readonly unlabelledRows: readonly number[];
}

/** Centres of rolling windows, at most: more make a line no clearer. */
const CENTRES = 400;
const BINS = 60;
const STEPS = 400;

/** Runs over centres k·h; windows are half open, (b − w/2, b + w/2] on the side of the target, so that cells add up. */
const rollingOf = (cells: ReadonlyMap<number, Cell>, { window }: DiscoveryOptions): Rolling[] => {
  const keys = [...cells].flatMap(([key, cell]) => (cell.n > 0 ? [key] : [])).sort((a, b) => a - b);
  if (keys.length === 0) return [];
  const [low, high] = [keys[0], keys[keys.length - 1] + 1];
  const stride = Math.max(1, Math.ceil((high - low) / CENTRES));
  const points: Rolling[] = [];
  for (let k = Math.ceil(low / stride) * stride; k <= high; k += stride) {
    let [n, abs, square] = [0, 0, 0];
    for (let c = k - CELLS / 2; c < k + CELLS / 2; c++) {
      const cell = cells.get(c);
      if (!cell) continue;
      n += cell.n;
      abs += cell.abs;
      square += cell.square;
    }
    if (n === 0) continue;
    const [at, mae] = [(k * window) / CELLS, abs / n];
    points.push({ at, mae, se: Math.sqrt(Math.max(0, square / n - mae * mae) / (n - 1)), rows: n, peril: mae > Math.abs(at) });
  }
  return points;
};

/** Rows of cells whose nearest centre of those measured is in peril. */
const perilOf = (cells: ReadonlyMap<number, Cell>, rolling: readonly Rolling[], { window }: DiscoveryOptions, level: number): Score => {
  let [inside, all, at] = [0, 0, 0];
  for (const [key, cell] of [...cells].sort(([a], [b]) => a - b)) {
    const middle = ((key + 0.5) * window) / CELLS;
    while (at + 1 < rolling.length && Math.abs(rolling[at + 1].at - middle) < Math.abs(rolling[at].at - middle)) at++;
    if (rolling[at] && rolling[at].mae > Math.abs(middle)) inside += cell.n;
    all += cell.n;
  }
  return share(inside, all, level);
};

const histogramOf = (cells: ReadonlyMap<number, Cell>, { window }: DiscoveryOptions): Discovery['histogram'] => {
  const keys = [...cells.keys()].sort((a, b) => a - b);
  if (keys.length === 0) return { edges: [], bins: [] };
  const [low, high] = [keys[0], keys[keys.length - 1] + 1];
  const width = Math.max(1, Math.ceil((high - low) / BINS));
  // Edges are multiples of the width, so that the threshold is one of them.
  const [from, to] = [Math.floor(low / width), Math.ceil(high / width)];
  const bins = Array.from({ length: to - from }, () => ({ counts: [0, 0, 0, 0], rows: outcomes.map((): number[] => []) }));
  for (const key of keys) {
    const bin = bins[Math.floor(key / width) - from];
    const cell = cells.get(key);
    for (const k of outcomes.keys()) {
      bin.counts[k] += cell?.outcomes[k] ?? 0;
      bin.rows[k].push(...(cell?.rows[k] ?? []));
    }
  }
  for (const bin of bins) bin.rows = bin.rows.map((rows) => rows.sort((a, b) => a - b).slice(0, 24));
  return { edges: Array.from({ length: bins.length + 1 }, (_, i) => ((from + i) * width * window) / CELLS), bins };
};

/** Down the list of predicted positives in the order of predictions. */
const stepsOf = ({ found }: DiscoveryState, positives: number, level: number): Step[] => {
  const [u, v, row] = [values(found.u), values(found.v), values(found.row)];
  const order = Uint32Array.from(u, (_, i) => i).sort((a, b) => v[a] - v[b] || row[a] - row[b]);
  const shown = new Set(Array.from({ length: STEPS }, (_, i) => Math.ceil(((i + 1) * order.length) / STEPS)));
  const steps: Step[] = [];
  let [hits, abs] = [0, 0];
  for (const [k, i] of order.entries()) {
    if (u[i] <= 0) hits++;
    abs += Math.abs(v[i] - u[i]);
    const candidates = k + 1;
    if (order.length > STEPS && !shown.has(candidates)) continue;
    steps.push({
      candidates,
      precision: hits / candidates,
      band: wilson(hits, candidates, level),
      recall: positives > 0 ? hits / positives : Number.NaN,
      mae: abs / candidates,
    });
  }
  return steps;
};

const tallied = (rows: Iterable<Candidate>, options: DiscoveryOptions): Tally => {
  const all = tally();
  for (const one of rows) count(all, one, options);
  return all;
};

const movedOf = (of: Tally, { threshold, window }: DiscoveryOptions, level: number): Discovery['moved'] =>
  shifts.map((shift, k) => {
    const counts = of.counts.slice(outcomes.length * k, outcomes.length * (k + 1));
    const [tp, fn, fp, tn] = counts;
    const prevalence = (tp + fn) / (tp + fn + fp + tn);
    return {
      threshold: threshold + shift * window,
      counts,
      f1: f1Of(counts, level),
      daf: acceleration(counts, prevalence, normalQuantile((1 + level) / 2)),
    };
  });

export const discoveryScores = (state: DiscoveryState, options: DiscoveryOptions, level: number): Discovery => {
  const [again] = state.duplicates;
  if (again)
    throw new Fault('diagnostic/duplicate-id', { column: options.id, count: state.duplicated, first: again.row, again: again.score });
  const models = state.models.map((model) => scoresOf(model, level));
  const main = options.compare ? Math.max(0, options.entry - 1) : 0;
  const whole = state.models[main] ?? tally();
  if (whole.missing > 0 && whole.n === 0) throw new Fault('diagnostic/no-predictions', { rows: whole.missing });
  const firsts = [...state.groups.values()].sort((a, b) => a.row - b.row);
  const unique = options.dedupe === 'off' ? null : scoresOf(tallied(firsts, options), level);
  const pool = unique ?? scoresOf(whole, level);
  const wanted = options.topK || Math.min(10_000, Math.ceil(pool.rows / 10));
  const list = (unique ? firsts.filter(({ v }) => !Number.isNaN(v)) : state.first.slice()).sort(inOrder).slice(0, wanted);
  const rolling = rollingOf(state.cells, options);
  const counts = unmoved(whole);
  return {
    main,
    models,
    unique,
    first: list.length === 0 ? null : { wanted, scores: scoresOf(tallied(list, options), level, pool.prevalence.value), list },
    moved: movedOf(whole, options, level),
    rolling,
    peril: perilOf(state.cells, rolling, options, level),
    steps: stepsOf(state, counts[0] + counts[1], level),
    histogram: histogramOf(state.cells, options),
    selected: state.selected,
    falseAlarms: state.falseAlarms,
    missed: state.missed,
    unlabelled: state.unlabelled,
    unlabelledRows: state.unlabelledRows,
  };
};
