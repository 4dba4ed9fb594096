import { Fault } from '../../base/fault.ts';
import { breathe, type Job } from '../../base/job.ts';
import type { ColumnsTool, Tools } from '../../evidence/evidence.ts';
import type { Retraining } from '../../evidence/retrain.ts';
import { type CurveFit, fitCurve, type Needed, type SizePoint, sizeFor } from './learning-curve-fit.ts';

export interface CurveOptions {
  readonly size: string;
  readonly error: string;
  readonly group: string;
  readonly recipe: string;
  readonly metric: 'error' | 'cross-entropy';
  readonly shards: number;
  readonly leastRows: number;
  readonly repeats: number;
  readonly search: boolean;
  readonly epochsRule: 'early-stop' | 'constant-steps';
  readonly patience: number;
  readonly guess: number;
  readonly target: number;
  readonly predictAt: number;
  readonly confidenceLevel: number;
}

export interface Curve {
  readonly name: string;
  readonly fit: CurveFit;
  readonly needed?: Needed;
  /** Errors of 0, which have no logarithm. */
  readonly zeros: number;
}

/** What was trained for a curve. */
export interface Trained {
  readonly runs: number;
  readonly validation: number;
  readonly repeated: number;
  readonly parameters: number;
  readonly missing: readonly { readonly size: number; readonly classes: readonly number[] }[];
  /** Least errors by size, repeat and multiple of the learning rate. */
  readonly table: readonly {
    readonly size: number;
    readonly repeat: number;
    readonly rate: number;
    readonly error: number;
    readonly epochs: number;
  }[];
  readonly metric: CurveOptions['metric'];
}

export interface LearningCurve {
  readonly curves: readonly Curve[];
  readonly trained?: Trained;
  readonly guess: number;
  /** Size at which the error is predicted. */
  readonly at: number;
}

const DUE = 4;
const sizeNames = ['size', 'm', 'n', 'rows', 'samples', 'examples', 'train_size', 'n_train', 'training_size'];
const errorNames = [
  'error',
  'err',
  'loss',
  'val_error',
  'test_error',
  'val_loss',
  'test_loss',
  'error_rate',
  'cross_entropy',
  'nll',
  'rmse',
  'mae',
  'perplexity',
];
/** Words of metrics that rise as a model gets better. */
const rising = /(^|_)(acc|accuracy|auc|auroc|auprc|f1|precision|recall|r2|score|map|iou|bleu)(_|$)/i;

const mean = (v: readonly number[]): number => v.reduce((s, x) => s + x, 0) / v.length;

/** Points by size; errors of one size are repeats. */
export const pointsOf = (sizes: ArrayLike<number>, errors: ArrayLike<number>, rows: ArrayLike<number>): SizePoint[] => {
  const bySize = new Map<number, { readonly errors: number[]; readonly rows: number[] }>();
  for (let i = 0; i < sizes.length; i++) {
    const known = bySize.get(sizes[i]) ?? { errors: [], rows: [] };
    bySize.set(sizes[i], known);
    known.errors.push(errors[i]);
    known.rows.push(rows[i]);
  }
  return Array.from(bySize, ([size, found]) => {
    const error = mean(found.errors);
    const n = found.errors.length;
    return {
      size,
      error,
      sd: n > 1 ? Math.sqrt(found.errors.reduce((s, e) => s + (e - error) ** 2, 0) / (n - 1)) : Number.NaN,
      repeats: n,
      rows: found.rows,
    };
  }).sort((a, b) => a.size - b.size);
};

const curveOf = (
  name: string,
  points: readonly SizePoint[],
  zeros: number,
  guess: number,
  { target, confidenceLevel }: CurveOptions,
): Curve => {
  const fit = fitCurve(points, guess, confidenceLevel);
  const needed = target > 0 ? sizeFor(fit, target, confidenceLevel) : undefined;
  return { name, fit, zeros, ...(needed ? { needed } : {}) };
};

const named = ({ list, path }: ColumnsTool, given: string, names: readonly string[], what: string): string => {
  const known = list.map((c) => c.name);
  const found = given || names.find((name) => known.includes(name));
  if (!found) throw new Fault('diagnostic/curve-columns', { path, what, known });
  return found;
};

const fromTable = async (columns: ColumnsTool, options: CurveOptions, { signal }: Job): Promise<LearningCurve> => {
  const size = named(columns, options.size, sizeNames, 'sizes');
  const error = named(columns, options.error, errorNames, 'errors');
  if (rising.test(error)) throw new Fault('diagnostic/higher-better', { column: error });
  const [sizes, errors] = [(await columns.take(size, signal)).data, (await columns.take(error, signal)).data];
  const words = options.group === '' ? undefined : await columns.words(options.group, signal);
  const { path, rows } = columns;
  for (const [i, row] of rows.entries()) {
    if (!(sizes[i] > 0 && Number.isFinite(sizes[i])))
      throw new Fault('diagnostic/curve-size', { path, row, column: size, value: sizes[i] });
    if (!(errors[i] >= 0 && Number.isFinite(errors[i])))
      throw new Fault('diagnostic/curve-size', { path, row, column: 'error', value: errors[i] });
  }
  const groups = new Map<string, number[]>();
  for (const [i, row] of rows.entries()) {
    const name = words?.[row] ?? 'Error';
    groups.set(name, [...(groups.get(name) ?? []), i]);
  }
  const guess = options.guess || Number.NaN;
  const curves = Array.from(groups, ([name, all]) => {
    const kept = all.filter((i) => errors[i] > 0);
    const pick = (of: ArrayLike<number>): number[] => kept.map((i) => of[i]);
    const points = pointsOf(pick(sizes), pick(errors), pick(rows));
    if (points.length < DUE) throw new Fault('diagnostic/few-sizes', { path, sizes: points.length, due: DUE });
    return curveOf(name, points, all.length - kept.length, guess, options);
  });
  return { curves, guess, at: atOf(curves, options) };
};

const atOf = (curves: readonly Curve[], { predictAt }: CurveOptions): number =>
  predictAt || 2 * Math.max(...curves.flatMap((c) => c.fit.points.map((p) => p.size)));

/** Sizes by halving, the largest first; none below `least`. */
export const shardSizes = (rows: number, shards: number, least: number): number[] =>
  Array.from({ length: shards }, (_, k) => Math.floor(rows / 2 ** k)).filter((n) => n >= least);

/** Error, or entropy, of the best answer that looks at no input. */
const guessOf = ({ labels, classes }: Retraining, metric: CurveOptions['metric']): number => {
  if (classes === 0) return Number.NaN;
  const counts = new Float64Array(classes);
  for (const label of labels) counts[label]++;
  const share = Array.from(counts, (n) => n / labels.length).filter((p) => p > 0);
  return metric === 'error' ? 1 - Math.max(...share) : -share.reduce((s, p) => s + p * Math.log(p), 0);
};

const RATES = [0.3, 1, 3];
/** Of the validation rows so many may be among those trained on, as twins in the data; more are a mistake. */
const TWINS = 0.01;

const fromTrainer = async (tools: Pick<Tools, 'retrain'>, options: CurveOptions, job: Job): Promise<LearningCurve> => {
  const trainer = await tools.retrain.open(options.recipe);
  const { rows, validation, repeated, classes, labels } = trainer;
  if (repeated > TWINS * validation)
    throw new Fault('diagnostic/validation-repeated', { path: options.recipe, repeated, rows: validation });
  const sizes = shardSizes(rows.length, options.shards, options.leastRows);
  if (sizes.length < DUE)
    throw new Fault('diagnostic/few-shards', { rows: rows.length, shards: sizes.length, least: options.leastRows, due: DUE });
  const order = job.random('shards').shuffle(Int32Array.from(rows, (_, i) => i));
  const rates = options.search ? RATES : [1];
  const classed = classes > 0 && options.metric === 'error';
  const table: { size: number; repeat: number; rate: number; error: number; epochs: number }[] = [];
  const cost = sizes.reduce((s, n) => s + n, 0) * options.repeats * rates.length;
  let spent = 0;
  for (const size of sizes)
    for (let repeat = 0; repeat < options.repeats; repeat++)
      for (const rate of rates) {
        await breathe(job);
        job.progress(
          spent / cost,
          `${size} rows, repeat ${repeat + 1} of ${options.repeats}${rates.length > 1 ? `, learning rate × ${rate}` : ''}`,
        );
        const found = await trainer.train(order.subarray(0, size), {
          seed: repeat,
          rate,
          ...(options.epochsRule === 'constant-steps' ? { steps: trainer.steps } : { patience: options.patience }),
        });
        spent += size;
        const error = classed && found.accuracy !== undefined ? 1 - found.accuracy : found.loss;
        table.push({ size, repeat, rate, error, epochs: found.epochs });
      }
  // The best configuration of every size and repeat.
  const best = sizes.flatMap((size) =>
    Array.from({ length: options.repeats }, (_, repeat) => {
      const errors = table.filter((t) => t.size === size && t.repeat === repeat).map((t) => t.error);
      return { size, error: Math.min(...errors.filter(Number.isFinite)) };
    }),
  );
  const usable = best.filter((b) => b.error > 0 && Number.isFinite(b.error));
  const points = pointsOf(
    usable.map((b) => b.size),
    usable.map((b) => b.error),
    usable.map(() => 0),
  ).map((p) => ({ ...p, rows: Array.from(order.subarray(0, Math.min(24, p.size)), (i) => rows[i]) }));
  if (points.length < DUE) throw new Fault('diagnostic/few-sizes', { path: options.recipe, sizes: points.length, due: DUE });
  const guess = options.guess || guessOf(trainer, classed ? 'error' : 'cross-entropy');
  const curves = [curveOf(classed ? 'Error' : 'Loss', points, best.length - usable.length, guess, options)];
  const missing = sizes.flatMap((size) => {
    const seen = new Set(Array.from(order.subarray(0, size), (i) => labels[i]));
    const absent = Array.from({ length: classes }, (_, c) => c).filter((c) => !seen.has(c));
    return absent.length > 0 ? [{ size, classes: absent }] : [];
  });
  return {
    curves,
    guess,
    at: atOf(curves, options),
    trained: {
      runs: table.length,
      validation,
      repeated,
      parameters: trainer.parameters,
      missing,
      table,
      metric: classed ? 'error' : 'cross-entropy',
    },
  };
};

/** From a table of sizes and errors, or by training a recipe on nested prefixes of its rows. */
export const curveRun = (tools: Pick<Tools, 'columns' | 'retrain'>, options: CurveOptions, job: Job): Promise<LearningCurve> =>
  options.recipe === '' ? fromTable(tools.columns, options, job) : fromTrainer(tools, options, job);
