import { Fault } from '../../base/fault.ts';
import type { Job } from '../../base/job.ts';
import type { Chosen } from '../../base/option.ts';
import type { Subject, Tools } from '../../evidence/evidence.ts';
import { attributeSamples, entriesOf, type Samples } from './attribute.ts';
import { attributeRows, type TargetOptions } from './attributed-rows.ts';
import { copiesOf } from './audit-run.ts';
import { baselinesOf } from './baselines.ts';
import type { EmbeddedSamples } from './embedded.ts';
import { placesOf } from './hiding.ts';
import type { MethodId } from './method-names.ts';
import type { AttributionChoice, AttributionOptions } from './options.ts';
import type { Saliency } from './saliency-result.ts';
import { evenly } from './samples.ts';
import { type Sanity, sanity } from './sanity.ts';
import { likeness, type Stage } from './sanity-randomisation.ts';

export type ChecksOptions = Chosen<AttributionOptions & TargetOptions> & {
  readonly samples: number;
  readonly labelRandomisation: boolean;
  readonly recipe: string;
  readonly epochs: number;
  readonly batch: number;
  readonly rate: number;
};

/** Places that alone differ from the baseline while the output does, and how many of them got nothing. */
export interface SensitivityA {
  readonly tested: number;
  readonly missed: number;
}
/** Maps of a copy trained on the labels against those of one trained on shuffled labels. */
export interface LabelCheck extends Omit<Stage, 'layers' | 'name'> {
  /** Share of training rows that each copy answers as it was taught. */
  readonly accuracy: number;
  readonly shuffledAccuracy: number;
}
export interface Checks {
  readonly rows: Saliency;
  readonly sanity: Sanity;
  readonly sensitivityA?: SensitivityA;
  readonly labels?: LabelCheck;
}

/** Methods that promise it (Sundararajan et al. 2017, section 2), and baselines that do not hang on the sample. */
const promising: readonly MethodId[] = ['integrated-gradients', 'deeplift', 'occlusion'];
const fixed: readonly string[] = ['auto', 'zero', 'mean', 'black', 'white', 'padding', 'mask'];
/** Samples, and places of each, that are tried. */
const SAMPLES = 8;
const PLACES = 8;
/** A change of the output, or an attribution, below this share of the output is rounding. */
const ROUNDING = 1e-5;

/** Rows that differ from the baseline in one place only: where the output differs, that place must be attributed. */
const sensitivityA = async (
  own: { readonly gradient: Tools['gradient']; readonly samples: EmbeddedSamples },
  asked: Samples,
  chosen: AttributionChoice,
  subject: Subject,
  job: Job,
): Promise<SensitivityA | undefined> => {
  if (!promising.includes(chosen.method) || !fixed.includes(chosen.baseline) || chosen.againstClass !== '') return undefined;
  const d = asked.x.length / asked.rows.length;
  const places = placesOf(own.samples, asked.axes);
  const { all } = await baselinesOf(chosen.baseline, asked.x, own.samples, asked.rows, asked.axes, job);
  const [baseline] = all;
  const tried = asked.rows.slice(0, SAMPLES).flatMap((_, b) => {
    const apart = (k: number): number => Math.abs(asked.x[b * d + k] - baseline[b * d + k]);
    const size = places.inputs.map((list) => list.reduce((sum, k) => sum + apart(k), 0));
    const order = size.map((_, p) => p).sort((p, q) => size[q] - size[p] || p - q);
    return order.slice(0, PLACES).flatMap((place) => (size[place] > 0 ? [{ b, place }] : []));
  });
  if (tried.length === 0) return undefined;
  const [x, empty] = [new Float32Array(tried.length * d), new Float32Array(tried.length * d)];
  tried.forEach(({ b, place }, i) => {
    const from = baseline.subarray(b * d, (b + 1) * d);
    x.set(from, i * d);
    empty.set(from, i * d);
    for (const k of places.inputs[place]) x[i * d + k] = asked.x[b * d + k];
  });
  const width = asked.inputs ? asked.inputs.length / asked.rows.length : 0;
  const inputs =
    asked.inputs &&
    Float32Array.from(
      { length: tried.length * width },
      (_, i) => asked.inputs?.[tried[Math.floor(i / width)].b * width + (i % width)] ?? 0,
    );
  const { cols } = asked.outputs;
  const question: Samples = {
    ...asked,
    x,
    rows: tried.map(({ b }) => asked.rows[b]),
    targets: Int32Array.from(tried, ({ b }) => asked.targets[b]),
    outputs: { rows: tried.length, cols, data: new Float64Array(tried.length * cols) },
    ...(inputs ? { inputs } : {}),
  };
  const found = await attributeSamples(own, question, { ...chosen, window: 1, stride: 1 }, subject, { ...job, progress: () => {} });
  const { tool, targets } = await entriesOf(own.gradient, chosen, subject, question.targets, job.signal);
  const start = await tool.values({ points: empty, targets, ...(inputs ? { inputs } : {}) }, job.signal);
  const size = found.values.length / tried.length;
  const given = (i: number, place: number): number => {
    const row = found.values.subarray(i * size, (i + 1) * size);
    return Math.abs(size === d ? places.inputs[place].reduce((sum, k) => sum + row[k], 0) : row[place]);
  };
  const changed = tried.flatMap(({ place }, i) => {
    const scale = ROUNDING * Math.max(1, Math.abs(found.output[i]));
    return Math.abs(found.output[i] - start[i]) > scale ? [given(i, place) > scale] : [];
  });
  return { tested: changed.length, missed: changed.filter((hit) => !hit).length };
};

/** Copies trained on the labels and on shuffled ones (Adebayo et al. 2018, section 3.3), and how alike their maps are. */
const labelCheck = async (
  { fresh }: Pick<Tools, 'fresh'>,
  samples: EmbeddedSamples,
  asked: Samples,
  chosen: ChecksOptions,
  subject: Subject,
  job: Job,
): Promise<LabelCheck> => {
  const data = await fresh.data();
  const trainer = await fresh.open(copiesOf(chosen), { dims: data.dims, rows: data.labels.length, classes: data.classes });
  const seed = job.random('labels').below(2 ** 32);
  const shuffled = Int32Array.from(data.labels);
  job.random('shuffled labels').shuffle(shuffled);
  const quiet = { ...job, progress: () => {} };
  const copy = async (labels: Int32Array, from: number, text: string) => {
    const model = await trainer.train({ x: data.x, labels }, seed, { told: (share) => job.progress(from + 0.45 * share, text) });
    const { cols, data: scores } = await model.scores(data.x);
    const right = labels.reduce((sum, y, i) => {
      const row = scores.subarray(i * cols, (i + 1) * cols);
      return sum + Number(row[y] === Math.max(...row));
    }, 0);
    const maps = await attributeSamples({ gradient: await model.gradient(), samples }, asked, chosen, subject, quiet);
    return { maps, accuracy: right / labels.length };
  };
  const own = await copy(data.labels, 0, 'training a copy on the labels');
  const other = await copy(shuffled, 0.5, 'training a copy on shuffled labels');
  return { ...likeness(asked, own.maps, other.maps), accuracy: own.accuracy, shuffledAccuracy: other.accuracy };
};

export const checksRun = async (
  tools: Pick<Tools, 'gradient' | 'samples' | 'fresh'>,
  chosen: ChecksOptions,
  subject: Subject,
  job: Job,
): Promise<Checks> => {
  const model = subject.modelName ?? 'the model';
  if (chosen.labelRandomisation && subject.classes.length < 2)
    throw new Fault('diagnostic/label-randomisation', { model, reason: 'predicts values' });
  if (chosen.labelRandomisation && tools.gradient.embedding)
    throw new Fault('diagnostic/label-randomisation', { model, reason: 'takes tokens, which copies are not trained on' });
  const part = (from: number, to: number): Job => ({ ...job, progress: (f, text) => job.progress(from + (to - from) * f, text) });
  const labelled = chosen.labelRandomisation ? 0.5 : 1;
  const positions = evenly(chosen.samples, tools.samples.count);
  const { rows, found, own, asked } = await attributeRows(tools, positions, chosen, subject, part(0, 0.2 * labelled), 32);
  const checks = await sanity(own, asked, found, chosen, subject, part(0.2 * labelled, 0.9 * labelled), positions.length);
  job.progress(0.9 * labelled, 'sensitivity (a)');
  const alone = await sensitivityA(own, asked, chosen, subject, job);
  const labels = chosen.labelRandomisation ? await labelCheck(tools, own.samples, asked, chosen, subject, part(0.5, 1)) : undefined;
  return { rows, sanity: checks, ...(alone ? { sensitivityA: alone } : {}), ...(labels ? { labels } : {}) };
};
