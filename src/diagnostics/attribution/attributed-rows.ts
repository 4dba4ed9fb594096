import { Fault } from '../../base/fault.ts';
import type { Job } from '../../base/job.ts';
import { type ChoiceOption, type Chosen, choice, type PickOption, pick } from '../../base/option.ts';
import type { ModelGradients, Subject, Tools } from '../../evidence/evidence.ts';
import { attributeSamples, type Samples } from './attribute.ts';
import { attributable, type EmbeddedSamples } from './embedded.ts';
import type { AttributionOptions } from './options.ts';
import type { Saliency } from './saliency-result.ts';
import { inputValues, picturesOf } from './samples.ts';
import { signalsOf } from './signal-cards.ts';
import { classNamed, predictions } from './targets.ts';
import { tokenRows } from './tokens.ts';

export type TargetOptions = { readonly target: ChoiceOption<'predicted' | 'label'>; readonly class: PickOption };
/** Which class is attributed. */
export const targetOptions: TargetOptions = {
  target: choice({ default: 'predicted', of: ['predicted', 'label'], help: 'The class whose output is attributed.' }),
  class: pick({ default: '', from: 'class', help: 'One class, by name or index, for all samples; overrides target.' }),
};

/** Rows attributed, and what it takes to attribute them again. */
export interface AttributedRows {
  readonly rows: Saliency;
  readonly own: { readonly gradient: ModelGradients; readonly samples: EmbeddedSamples };
  readonly asked: Samples;
  /** Inputs as the model takes them, [rows, d]. */
  readonly x: Float32Array;
}

/** Takes rows of the data and attributes them; pictures have sides of at most `side`. */
export const attributeRows = async (
  tools: Pick<Tools, 'gradient' | 'samples'>,
  positions: readonly number[],
  chosen: Chosen<AttributionOptions & TargetOptions>,
  subject: Subject,
  job: Job,
  side: number,
): Promise<AttributedRows> => {
  const { samples, gradient } = tools;
  const count = positions.length;
  const fixed = classNamed(chosen.class, subject.classes);
  if (count === 0) throw new Fault('diagnostic/no-samples', { data: subject.dataName });
  job.progress(0, `reading ${count} samples`);
  const taken = await samples.take(positions, job.signal);
  const x = inputValues(taken.x.data);
  const predicted = predictions(taken.outputs, subject);
  const known = subject.classes.length > 1 ? taken.labels : undefined;
  const strange = known?.findIndex((label) => !(label >= 0 && label < subject.classes.length)) ?? -1;
  const wanted = fixed === undefined && chosen.target === 'label';
  if (known && strange >= 0 && wanted)
    throw new Fault('diagnostic/label', { row: taken.rows[strange], label: known[strange], classes: subject.classes.length });
  if (strange >= 0) job.note(`Labels are of other classes than the model’s ${subject.classes.length}: they were left out.`);
  const labels = strange >= 0 ? undefined : known;
  if (wanted && !labels) throw new Fault('diagnostic/no-label', { row: taken.rows[0] });
  const targets = fixed === undefined ? (wanted && labels ? labels : predicted) : new Int32Array(count).fill(fixed);
  if (fixed !== undefined && classNamed(chosen.againstClass, subject.classes) === fixed)
    throw new Fault('diagnostic/same-class', { target: chosen.againstClass });
  job.progress(0.1, `attributing ${count} samples`);
  const pictures = await picturesOf(samples, taken.rows, x, side, job.signal);
  const points = await attributable(tools, x, job.signal);
  const own = { gradient, samples: points.samples };
  const { rows, outputs } = taken;
  const asked: Samples = {
    x: points.x,
    rows,
    outputs,
    targets,
    ...(points.inputs ? { inputs: points.inputs } : {}),
    ...(pictures ? { axes: pictures.axes } : {}),
  };
  const found = await attributeSamples(own, asked, chosen, subject, { ...job, progress: (f, text) => job.progress(0.1 + 0.9 * f, text) });
  const signals = pictures || points.inputs || found.grid?.kind === 'units' ? undefined : signalsOf(samples.inputDims, x);
  const tokens = await tokenRows(points.samples, rows, points.inputs, found, chosen.method, job.signal);
  return {
    rows: {
      rows,
      found,
      targets,
      predicted,
      ...(samples.names ? { names: samples.names } : {}),
      ...(tokens ? { tokens } : {}),
      ...(signals ? { signals } : {}),
      ...(labels ? { labels } : {}),
      ...(pictures ? { pictures } : {}),
    },
    own,
    asked,
    x,
  };
};
