import { Fault } from '../../base/fault.ts';
import type { Job } from '../../base/job.ts';
import { breathe } from '../../base/job.ts';
import { argmax } from '../../base/maths/argmax.ts';
import { softmaxInPlace } from '../../base/maths/softmax-regression.ts';
import { TIE } from '../../base/output-head.ts';
import type { OutputTable, Tools } from '../../evidence/evidence.ts';
import { fitBeta } from '../calibration/recalibration-temperature.ts';
import { costsOf, expectedCosts, type Locus, locusOf, type Suggestion, suggestions } from './frechet-locus.ts';
import { type LabelMetric, type Triple, worstTriple } from './label-metric.ts';
import { type MetricOptions, observedLabels, readMetric, trueLabels } from './label-metric-read.ts';

export interface FrechetOptions extends MetricOptions {
  readonly power: number;
  readonly temperature: number;
  readonly observed: string;
  readonly suggest: number;
  readonly save: string;
}

/** The answers for every row, as places among the labels. */
export interface Answers {
  readonly plain: Int32Array;
  readonly mean: Int32Array;
  /** Probability of the most probable class. */
  readonly confidence: Float64Array;
  /** Least expected cost. */
  readonly least: Float64Array;
}

export interface Frechet {
  readonly outputs: OutputTable;
  readonly metric: LabelMetric;
  readonly names: readonly string[];
  readonly observed: readonly number[];
  readonly truth: Int32Array | undefined;
  readonly answers: Answers;
  /** Distances to the true label of both answers, NaN where it is missing. */
  readonly distance: { readonly plain: Float64Array; readonly mean: Float64Array };
  readonly locus: Locus;
  readonly suggestions: readonly Suggestion[];
  readonly triple: Triple | undefined;
  readonly temperature: number;
  readonly saved: readonly string[];
}

/** Numbers of the table of costs that are kept. */
const MOST = 2 ** 26;

/** p^(1/T), made to sum to 1. */
const tempered = (p: Float64Array, temperature: number): Float64Array => {
  if (temperature === 1) return p;
  const out = p.map((v) => Math.log(Math.max(v, 1e-25)) / temperature);
  softmaxInPlace(out);
  return out;
};

/**
 * The label of least Σ_k p_k d(v,k)^power; of labels that tie, the one most probable itself, else the first. `expected` holds the sums.
 */
export const frechetMean = (p: Float64Array, observed: ArrayLike<number>, expected: Float64Array): number => {
  const least = expected.reduce((m, v) => Math.min(m, v), Number.POSITIVE_INFINITY);
  const bound = least * (1 + TIE);
  let best = -1;
  let own = -1;
  for (let k = 0; k < p.length; k++)
    if (expected[observed[k]] <= bound && (p[k] > own || (p[k] === own && observed[k] < best))) [best, own] = [observed[k], p[k]];
  if (own > 0) return best;
  return expected.findIndex((v) => v <= bound);
};

/** Σ_k p_k‖v − e_k‖² = ‖v‖² − 2v·Σp_k e_k + Σp_k‖e_k‖²: with points, no table of costs is needed. */
const byPoints = (size: number, { width, data }: NonNullable<LabelMetric['points']>, observed: readonly number[]) => {
  const norms = Float64Array.from({ length: size }, (_, v) => data.subarray(v * width, (v + 1) * width).reduce((s, x) => s + x * x, 0));
  const mean = new Float64Array(width);
  return (p: Float64Array, out: Float64Array): Float64Array => {
    mean.fill(0);
    let square = 0;
    for (const [k, label] of observed.entries()) {
      square += p[k] * norms[label];
      for (let d = 0; d < width; d++) mean[d] += p[k] * data[label * width + d];
    }
    for (let v = 0; v < size; v++) {
      let product = 0;
      for (let d = 0; d < width; d++) product += data[v * width + d] * mean[d];
      out[v] = Math.max(0, norms[v] - 2 * product + square);
    }
    return out;
  };
};

const expecter = (metric: LabelMetric, observed: readonly number[], power: number) => {
  const { size, points } = metric;
  if (power === 2 && points && (observed.length > points.width || observed.length * size > MOST)) return byPoints(size, points, observed);
  if (observed.length * size > MOST) throw new Fault('evidence/scores-size', { rows: observed.length, classes: size, most: MOST });
  const costs = costsOf(metric, observed, power);
  return (p: Float64Array, out: Float64Array): Float64Array => expectedCosts(costs, size, p, out);
};

const answer = async (
  { values: { rows, cols, data } }: OutputTable,
  metric: LabelMetric,
  observed: readonly number[],
  { power }: FrechetOptions,
  temperature: number,
  job: Job,
): Promise<Answers> => {
  const expect = expecter(metric, observed, power);
  const expected = new Float64Array(metric.size);
  const answers: Answers = {
    plain: new Int32Array(rows),
    mean: new Int32Array(rows),
    confidence: new Float64Array(rows),
    least: new Float64Array(rows),
  };
  for (let i = 0; i < rows; i++) {
    if (i % 256 === 0) {
      await breathe(job);
      job.progress(0.5 + (0.3 * i) / rows, `${i} of ${rows} rows answered`);
    }
    const p = tempered(data.subarray(i * cols, (i + 1) * cols), temperature);
    const top = argmax(p, 0, cols);
    answers.plain[i] = observed[top];
    answers.confidence[i] = p[top];
    answers.mean[i] = frechetMean(p, observed, expect(p, expected));
    answers.least[i] = expected[answers.mean[i]];
  }
  return answers;
};

/** Each true label's distances are looked up once. */
const distances = (metric: LabelMetric, truth: Int32Array | undefined, answers: Answers): Frechet['distance'] => {
  const [plain, mean] = [new Float64Array(answers.plain.length).fill(Number.NaN), new Float64Array(answers.plain.length).fill(Number.NaN)];
  const byLabel = new Map<number, number[]>();
  for (const [i, label] of truth?.entries() ?? []) {
    if (label < 0) continue;
    const rows = byLabel.get(label);
    if (rows) rows.push(i);
    else byLabel.set(label, [i]);
  }
  for (const [label, rows] of byLabel) {
    const from = metric.from(label);
    for (const i of rows) [plain[i], mean[i]] = [from[answers.plain[i]], from[answers.mean[i]]];
  }
  return { plain, mean };
};

/** Card 00: the temperature of least log loss, on the rows whose label is that of a class. */
const fitted = ({ values: { cols, data } }: OutputTable, observed: readonly number[], truth: Int32Array | undefined): number => {
  const place = new Map(observed.map((label, k) => [label, k]));
  const rows = Array.from(truth ?? [], (label, i) => ({ i, k: place.get(label) ?? -1 })).filter(({ k }) => k >= 0);
  if (rows.length === 0) throw new Fault('diagnostic/no-temperature', {});
  return (
    1 /
    fitBeta({
      classes: cols,
      scores: Float64Array.from(
        rows.flatMap(({ i }) => Array.from(data.subarray(i * cols, (i + 1) * cols), (v) => Math.log(Math.max(v, 1e-25)))),
      ),
      labels: Int32Array.from(rows, ({ k }) => k),
    })
  );
};

export const frechetRun = async (
  tools: Pick<Tools, 'outputs' | 'columns' | 'outputHead'>,
  options: FrechetOptions,
  job: Job,
  model: boolean,
): Promise<Frechet> => {
  const save = options.save === '' ? undefined : await tools.outputHead.open(options.save);
  const outputs = await tools.outputs.read('probabilities');
  const said = options.observed
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const metric = await readMetric(options, tools, outputs, said, model, job.signal);
  const observed = Array.from(observedLabels(said, outputs.names, metric));
  const truth = trueLabels(outputs, metric, observed);
  const temperature = options.temperature === 0 ? fitted(outputs, observed, truth) : options.temperature;
  const answers = await answer(outputs, metric, observed, options, temperature, job);
  await breathe(job);
  job.progress(0.8, 'which labels can be predicted');
  const locus = locusOf(metric, observed, options.power, job.random('locus'));
  const next = suggestions(metric, observed, options.power, options.suggest, job.random('suggestions'), locus);
  const saved =
    (await save?.(
      {
        kind: 'costs',
        classes: observed.length,
        labels: metric.size,
        costs: headCosts(metric, observed, options.power),
        own: Int32Array.from(observed),
        temperature,
      },
      { diagnostic: 'frechet-mean-prediction', metric: metric.kind, power: options.power, temperature },
    )) ?? [];
  return {
    outputs,
    metric,
    names: metric.names ?? Array.from({ length: metric.size }, (_, i) => String(i)),
    observed,
    truth,
    answers,
    distance: distances(metric, truth, answers),
    locus,
    suggestions: next,
    triple: worstTriple(metric, job.random('triples')),
    temperature,
    saved,
  };
};

const headCosts = (metric: LabelMetric, observed: readonly number[], power: number): Float64Array => {
  if (observed.length * metric.size > MOST)
    throw new Fault('evidence/scores-size', { rows: observed.length, classes: metric.size, most: MOST });
  return costsOf(metric, observed, power);
};
