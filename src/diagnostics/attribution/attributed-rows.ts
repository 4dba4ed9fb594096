import { Fault } from '../../base/fault.ts';
import type { Job } from '../../base/job.ts';
import { type ChoiceOption, type Chosen, choice, type FlagOption, flag, type PickOption, pick } from '../../base/option.ts';
import type { ModelGradients, Subject, Tools } from '../../evidence/evidence.ts';
import { type AttributedSamples, attributeSamples, type Samples } from './attribute.ts';
import { attributable, type EmbeddedSamples } from './embedded.ts';
import { type Features, featureValues, oneHotFeatures, summedBy } from './one-hot.ts';
import type { AttributionChoice, AttributionOptions } from './options.ts';
import type { Reduction } from './overlay.ts';
import type { Saliency } from './saliency-result.ts';
import { drawnRows, inputValues, type Pictures, picturesOf } from './samples.ts';
import { signalsOf } from './signal-cards.ts';
import { classNamed, predictions } from './targets.ts';
import { tokenRows } from './tokens.ts';

export type TargetOptions = { readonly target: ChoiceOption<'predicted' | 'label'>; readonly class: PickOption };
/** Which class is attributed. */
export const targetOptions: TargetOptions = {
  target: choice({ default: 'predicted', of: ['predicted', 'label'], help: 'The class whose output is attributed.' }),
  class: pick({ default: '', from: 'class', help: 'One class, by name or index, for all samples; overrides target.' }),
};

export type MapOptions = { readonly channels: ChoiceOption<Reduction>; readonly oneHot: FlagOption };
/** How maps are put together for people; where nothing is said, channels are summed and cells are those of the file. */
export const mapOptions: MapOptions = {
  channels: choice({
    default: 'sum',
    of: ['sum', 'max'],
    help: 'Pictures: the channels of a pixel become their sum with signs, or the largest size among them.',
  }),
  oneHot: flag({
    default: true,
    help: 'Tables: columns of a one-hot code (named alike, exactly one of them on in every row) are summed to one feature.',
  }),
};

/** Rows of the data as the model sees them, and the class that each is attributed to. */
export interface TakenRows {
  readonly own: { readonly gradient: ModelGradients; readonly samples: EmbeddedSamples };
  readonly asked: Samples;
  /** Inputs as the model takes them, [rows, d]. */
  readonly x: Float32Array;
  readonly predicted: Int32Array;
  readonly labels?: Int32Array;
  readonly pictures?: Pictures;
}

/** Takes rows of the data; pictures have sides of at most `side`. */
export const takeRows = async (
  tools: Pick<Tools, 'gradient' | 'samples'>,
  positions: readonly number[],
  chosen: Chosen<Pick<AttributionOptions, 'againstClass'> & TargetOptions>,
  subject: Subject,
  job: Job,
  side: number,
): Promise<TakenRows> => {
  const { samples, gradient } = tools;
  const count = positions.length;
  const fixed = classNamed(chosen.class, subject.classes);
  const against = classNamed(chosen.againstClass, subject.classes);
  if (count === 0) throw new Fault('diagnostic/no-samples', { data: subject.dataName });
  job.progress(0, `reading ${count} samples`);
  const taken = await samples.take(positions, job.signal);
  const { rows, outputs } = taken;
  const x = inputValues(taken.x.data);
  const predicted = predictions(outputs, subject);
  const known = subject.classes.length > 1 ? taken.labels : undefined;
  const strange = known?.findIndex((label) => !(label >= 0 && label < subject.classes.length)) ?? -1;
  const wanted = fixed === undefined && chosen.target === 'label';
  if (known && strange >= 0 && wanted)
    throw new Fault('diagnostic/label', { row: rows[strange], label: known[strange], classes: subject.classes.length });
  if (strange >= 0) job.note(`Labels are of other classes than the model’s ${subject.classes.length}: they were left out.`);
  const labels = strange >= 0 ? undefined : known;
  if (wanted && !labels) throw new Fault('diagnostic/no-label', { row: rows[0] });
  const targets = fixed === undefined ? (wanted && labels ? labels : predicted) : new Int32Array(count).fill(fixed);
  if (fixed !== undefined && against === fixed) throw new Fault('diagnostic/same-class', { target: chosen.againstClass });
  const same = targets.reduce((n, t) => n + Number(t === against), 0);
  if (against !== undefined && same > 0)
    job.note(
      `${same} of ${count} samples ${same === 1 ? 'is' : 'are'} attributed to '${subject.classes[against] ?? against}' itself: less its own output nothing is left, so their maps are zero. Name one class, or another againstClass.`,
    );
  const pictures = await picturesOf(samples, rows, x, side, job.signal);
  const points = await attributable(tools, x, job.signal);
  return {
    own: { gradient, samples: points.samples },
    asked: {
      x: points.x,
      rows,
      outputs,
      targets,
      ...(points.inputs ? { inputs: points.inputs, padding: samples.padding ?? 0 } : {}),
      ...(pictures ? { axes: pictures.axes } : {}),
    },
    x,
    predicted,
    ...(labels ? { labels } : {}),
    ...(pictures ? { pictures } : {}),
  };
};

/** Attributions as they are shown, and as the method gave them. */
export interface AttributedRows {
  readonly rows: Saliency;
  readonly found: AttributedSamples;
}

/** Attributes rows that were taken. */
export const attributeTaken = async (
  { own, asked, x, predicted, labels, pictures }: TakenRows,
  chosen: AttributionChoice & Partial<Chosen<MapOptions>>,
  subject: Subject,
  job: Job,
): Promise<AttributedRows> => {
  const { samples } = own;
  const { rows, targets, inputs } = asked;
  const found = await attributeSamples(own, asked, chosen, subject, job);
  const signals = pictures || inputs || found.grid?.kind === 'units' ? undefined : signalsOf(samples.inputDims, x);
  const tokens = await tokenRows(samples, rows, inputs, found, job.signal);
  const columns = samples.names && !pictures && !inputs && found.values.length === x.length ? samples.names : undefined;
  const features = columns && chosen.oneHot ? oneHotFeatures(columns, (await drawnRows(samples, job.signal)).x) : undefined;
  const names = features?.names ?? samples.names;
  return {
    found,
    rows: {
      rows,
      found: features ? summedBy(found, features) : found,
      targets,
      predicted,
      ...(names ? { names } : {}),
      ...(features ? { features: { ...features, x: featureValues(x, features) } } : {}),
      ...(tokens ? { tokens } : {}),
      ...(signals ? { signals } : {}),
      ...(labels ? { labels } : {}),
      ...(pictures ? { pictures } : {}),
      ...(chosen.channels === 'max' ? { reduction: chosen.channels } : {}),
    },
  };
};

/** Which columns were summed. */
export const oneHotSentence = ({ names, levels }: Features): string =>
  `Columns of one-hot codes were summed to one feature each: ${[...levels].map(([f, values]) => `${names[f]} (${values.slice(0, 6).join(', ')}${values.length > 6 ? ', …' : ''})`).join('; ')}.`;

/** Takes rows of the data and attributes them. */
export const attributeRows = async (
  tools: Pick<Tools, 'gradient' | 'samples'>,
  positions: readonly number[],
  chosen: Chosen<AttributionOptions & TargetOptions> & Partial<Chosen<MapOptions>>,
  subject: Subject,
  job: Job,
  side: number,
): Promise<TakenRows & AttributedRows> => {
  const taken = await takeRows(tools, positions, chosen, subject, job, side);
  job.progress(0.1, `attributing ${positions.length} samples`);
  const found = await attributeTaken(taken, chosen, subject, { ...job, progress: (f, text) => job.progress(0.1 + 0.9 * f, text) });
  const { features } = found.rows;
  if (features) job.note(oneHotSentence(features));
  return { ...taken, ...found };
};
