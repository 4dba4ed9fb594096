import { Fault } from '../../base/fault.ts';
import { breathe, type Job } from '../../base/job.ts';
import {
  marginOf,
  radiusOf,
  type SeparatingMethod,
  type SeparatingWalk,
  type SignedRows,
  separate,
  updateBound,
} from '../../base/maths/large-step-logistic.ts';
import type { FeatureAsk, FeaturesTool, FeatureTable } from '../../evidence/features.ts';

export interface SeparabilityOptions {
  readonly layer: string;
  readonly pooling: NonNullable<FeatureAsk['pooling']>;
  readonly positive: string;
  readonly negative: string;
  readonly rates: string;
  readonly maxIterations: number;
  readonly maxExamples: number;
  readonly bias: boolean;
  readonly standardise: boolean;
}

/** One method at one rate (1 for perceptrons, which have none). */
export interface Attempt extends Pick<SeparatingWalk, 'updates' | 'separated' | 'accuracy' | 'loss' | 'gradientNorm'> {
  readonly method: SeparatingMethod;
  readonly rate: number;
  readonly wrongAtEnd: number;
  /** By the greatest margin found; NaN where none was. */
  readonly bound: number;
}
/** One class against another, or against all others. */
export interface Problem {
  readonly name: string;
  readonly rows: number;
  readonly radius: number;
  /** Greatest min_i Z_i·θ/‖θ‖ of a θ that separates; NaN where none does. */
  readonly margin: number;
  readonly attempts: readonly Attempt[];
}
export interface Hard {
  readonly row: number;
  readonly name: string;
  /** Of all iterates of all walks, the share that has the row on the wrong side. */
  readonly share: number;
}
export interface Separability {
  readonly layer: string;
  readonly width: number;
  readonly rows: number;
  readonly of: number;
  readonly problems: readonly Problem[];
  readonly hard: readonly Hard[];
  /** Rows of equal features and different labels: no line separates them. */
  readonly contradictions: readonly (readonly [number, number])[];
  readonly contradicting: number;
}

const LISTED = 20;

/** Rates written as numbers separated by commas. */
const ratesOf = (text: string): number[] => {
  const rates = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (!rates.every((r) => Number.isFinite(r) && r > 0))
    throw new Fault('option/value', { name: 'rates', value: text, expected: 'numbers above 0 separated by commas' });
  return rates;
};

const classOf = (option: string, wanted: string, { labels, classNames = [] }: FeatureTable): number => {
  const at = classNames.indexOf(wanted);
  const found = at >= 0 ? at : Number(wanted);
  if (!labels.includes(found))
    throw new Fault('option/value', { name: option, value: wanted, expected: 'a class that some row shown has' });
  return found;
};

/** The rows of classes, as many of each as fit in `most`, drawn by the seed and in their own order. */
const balanced = (labels: Int32Array, classes: readonly number[], most: number, job: Pick<Job, 'random'>): number[] => {
  const random = job.random('examples');
  const places = classes.map((c) => Array.from(labels.keys()).filter((i) => labels[i] === c));
  if (places.reduce((s, p) => s + p.length, 0) <= most) return places.flat().toSorted((a, b) => a - b);
  const each = Math.max(1, Math.floor(most / classes.length));
  return places.flatMap((p) => random.shuffle(p).slice(0, each)).toSorted((a, b) => a - b);
};

/** The features of these rows with columns brought to mean 0 and variance 1 where asked, and a 1 behind them. */
const matrixOf = (table: FeatureTable, places: readonly number[], { bias, standardise }: SeparabilityOptions): SignedRows => {
  const width = table.width + Number(bias);
  const data = new Float64Array(places.length * width);
  for (const [i, p] of places.entries()) {
    for (let k = 0; k < table.width; k++) data[i * width + k] = table.features[p * table.width + k];
    if (bias) data[i * width + table.width] = 1;
  }
  for (let k = 0; standardise && k < table.width; k++) {
    const column = places.map((_, i) => data[i * width + k]);
    const mean = column.reduce((s, v) => s + v, 0) / column.length;
    const spread = Math.sqrt(column.reduce((s, v) => s + (v - mean) ** 2, 0) / column.length);
    for (let i = 0; i < places.length; i++) data[i * width + k] = spread > 0 ? (data[i * width + k] - mean) / spread : 0;
  }
  return { rows: places.length, width, data };
};

/** Pairs of rows with the same features and different labels. */
const contradictionsOf = (table: FeatureTable, places: readonly number[]): (readonly [number, number])[] => {
  const seen = new Map<string, number>();
  const found: (readonly [number, number])[] = [];
  for (const p of places) {
    // + 0 makes −0 the same as 0.
    const key = Array.from(table.features.subarray(p * table.width, (p + 1) * table.width), (v) => v + 0).join();
    const twin = seen.get(key);
    if (twin === undefined) seen.set(key, p);
    else if (table.labels[twin] !== table.labels[p]) found.push([table.rows[twin], table.rows[p]]);
  }
  return found;
};

/** Every method at every rate on every problem. */
export const separability = async (features: FeaturesTool, options: SeparabilityOptions, job: Job): Promise<Separability> => {
  const rates = ratesOf(options.rates);
  const table = await features.read({ layer: options.layer, pooling: options.pooling });
  const present = [...new Set(table.labels)].toSorted((a, b) => a - b);
  if (present.length < 2) throw new Fault('diagnostic/nothing-to-separate', { rows: table.labels.length });
  if ((options.positive === '') !== (options.negative === '')) throw new Fault('diagnostic/two-classes', {});
  const pair = options.positive === '' ? [] : [classOf('negative', options.negative, table), classOf('positive', options.positive, table)];
  if (pair.length === 2 && pair[0] === pair[1]) throw new Fault('diagnostic/two-classes', {});
  const classes = pair.length === 2 ? pair : present;
  const places = balanced(table.labels, classes, options.maxExamples, job);
  const matrix = matrixOf(table, places, options);
  if (places.every((p) => table.features.subarray(p * table.width, (p + 1) * table.width).every((v) => v === 0)))
    throw new Fault('diagnostic/zero-features', { layer: table.layer });
  const nameOf = (c: number): string => table.classNames?.[c] ?? String(c);
  const sides =
    classes.length === 2
      ? [{ name: `${nameOf(classes[1])} against ${nameOf(classes[0])}`, of: classes[1] }]
      : classes.map((c) => ({ name: `${nameOf(c)} against the rest`, of: c }));
  const runs = [
    ...rates.flatMap((rate) => (['lr-gd', 'normalized-lr-gd'] as const).map((method) => ({ method, rate }))),
    ...(['batch-perceptron', 'normalized-batch-perceptron'] as const).map((method) => ({ method, rate: 1 })),
  ];
  const wrong = new Float64Array(places.length);
  let iterates = 0;
  const problems: Problem[] = [];
  for (const [s, side] of sides.entries()) {
    const data = matrix.data.map((v, i) => (table.labels[places[Math.floor(i / matrix.width)]] === side.of ? v : -v));
    const signed = { ...matrix, data };
    const walks: (SeparatingWalk & (typeof runs)[number])[] = [];
    for (const [r, run] of runs.entries()) {
      job.progress((s + r / runs.length) / sides.length, `${side.name}: ${run.method} ${run.rate}`);
      const walk = await separate(signed, { ...run, most: options.maxIterations }, () => breathe(job));
      walk.wrong.forEach((n, i) => {
        wrong[i] += n;
      });
      iterates += walk.accuracy.length;
      walks.push({ ...walk, ...run });
    }
    const margins = walks.filter((w) => w.separated).map((w) => marginOf(signed, w.theta));
    const margin = margins.length > 0 ? Math.max(...margins) : Number.NaN;
    const radius = radiusOf(signed);
    problems.push({
      name: side.name,
      rows: signed.rows,
      radius,
      margin,
      attempts: walks.map(({ theta: _, wrong: __, ...walk }) => ({
        ...walk,
        wrongAtEnd: Math.round((1 - (walk.accuracy.at(-1) ?? 0)) * signed.rows),
        bound: updateBound(walk.method, radius, margin, signed.rows, walk.rate),
      })),
    });
  }
  const hard = Array.from(places.keys())
    .toSorted((a, b) => wrong[b] - wrong[a] || a - b)
    .slice(0, LISTED)
    .map((i) => ({ row: table.rows[places[i]], name: nameOf(table.labels[places[i]]), share: wrong[i] / iterates }));
  const contradictions = contradictionsOf(table, places);
  return {
    layer: table.layer,
    width: table.width,
    rows: places.length,
    of: table.labels.length,
    problems,
    hard,
    contradictions: contradictions.slice(0, LISTED),
    contradicting: contradictions.length,
  };
};
