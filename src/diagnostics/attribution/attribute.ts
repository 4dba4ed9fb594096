import { Fault } from '../../base/fault.ts';
import type { ImageAxes } from '../../base/image.ts';
import type { Job } from '../../base/job.ts';
import { sizeOf } from '../../base/tensor.ts';
import type { GradientAsk, Matrix, Subject, Tools } from '../../evidence/evidence.ts';
import { layerOf } from './layers.ts';
import type { Attributed, How, Question } from './method.ts';
import { methodTitles } from './method-names.ts';
import { methods } from './methods.ts';
import type { AttributionChoice } from './options.ts';
import { classNamed, entryOf } from './targets.ts';

/** Samples as the model sees them, and the class each is attributed to. */
export interface Samples {
  readonly x: Float32Array;
  readonly rows: readonly number[];
  readonly outputs: Matrix;
  readonly targets: Int32Array;
  /** Where pixels stand in a row, if rows are pictures. */
  readonly axes?: ImageAxes;
}

export interface AttributedSamples extends Attributed {
  /** What was done, for the report. */
  readonly how: How;
}

const checkFinite = ({ x, rows, outputs }: Samples, d: number): void => {
  rows.forEach((row, b) => {
    if (!x.subarray(b * d, (b + 1) * d).every(Number.isFinite)) throw new Fault('diagnostic/not-finite', { row, what: 'the input' });
    if (!outputs.data.subarray(b * outputs.cols, (b + 1) * outputs.cols).every(Number.isFinite))
      throw new Fault('diagnostic/not-finite', { row, what: 'the model’s output' });
  });
};

/** Values and outputs of rows attributed to class 0 of a single score change their sign. */
const signed = (found: Attributed, signs: readonly (1 | -1)[], unsigned: boolean): Attributed => {
  if (signs.every((s) => s === 1)) return found;
  const d = found.values.length / signs.length;
  const rows = (a: Float64Array): Float64Array => a.map((v, b) => v * signs[b]);
  return {
    ...found,
    values: unsigned ? found.values : found.values.map((v, k) => v * signs[Math.floor(k / d)]),
    output: rows(found.output),
    ...(found.completeness
      ? {
          completeness: {
            ...found.completeness,
            baselineOutput: rows(found.completeness.baselineOutput),
            gap: rows(found.completeness.gap),
          },
        }
      : {}),
  };
};

/** LAYER:INDEX → the value and its entry. */
const neuronOf = (text: string): { readonly of: string; readonly index: number } | undefined => {
  if (text === '') return undefined;
  const at = text.lastIndexOf(':');
  const index = Number(text.slice(at + 1));
  if (at < 1 || !Number.isInteger(index) || index < 0)
    throw new Fault('option/value', {
      name: 'neuron',
      value: text,
      expected: 'LAYER:INDEX, a value of the model and a whole number from 0',
    });
  return { of: text.slice(0, at), index };
};

/** Attributes the chosen samples by the chosen method. */
export const attributeSamples = async (
  { gradient, samples }: Pick<Tools, 'gradient' | 'samples'>,
  asked: Samples,
  chosen: AttributionChoice,
  subject: Pick<Subject, 'classes'>,
  job: Pick<Job, 'random' | 'signal' | 'progress'>,
): Promise<AttributedSamples> => {
  const { x, rows, targets, axes } = asked;
  checkFinite(asked, sizeOf(samples.inputDims));
  const neuron = neuronOf(chosen.neuron);
  const scale: Pick<GradientAsk, 'scale' | 'of'> = neuron ? { of: neuron.of } : chosen.scale === 'logit' ? {} : { scale: chosen.scale };
  const plain = neuron || scale.scale ? await gradient.asked(scale, job.signal) : gradient;
  if (neuron && neuron.index >= plain.targets)
    throw new Fault('option/value', {
      name: 'neuron',
      value: chosen.neuron,
      expected: `an index below ${plain.targets}, the values in a row of '${neuron.of}'`,
    });
  const entries = Array.from(targets, (t) =>
    neuron ? { entry: neuron.index, sign: 1 as const } : entryOf(t, plain.targets, subject.classes.length),
  );
  const other = classNamed(chosen.against, subject.classes);
  if (other !== undefined && (plain.targets < 2 || neuron)) throw new Fault('diagnostic/against', { output: plain.output });
  const against = other === undefined ? {} : { against: new Int32Array(rows.length).fill(other) };
  const question: Question = { x, targets: Int32Array.from(entries, (e) => e.entry), ...against };
  const method = methods[chosen.method];
  const { found, how } = await method.run({
    gradient,
    tool: (ask = {}) => (Object.keys(ask).length === 0 ? Promise.resolve(plain) : gradient.asked({ ...scale, ...ask }, job.signal)),
    layer: (spatial) => layerOf(gradient, chosen.layer, spatial),
    scale,
    samples,
    question,
    rows,
    chosen,
    job,
    ...(axes ? { axes } : {}),
  });
  const output = neuron ? `${neuron.of}:${neuron.index}` : chosen.scale === 'logit' ? plain.output : `${chosen.scale} of ${plain.output}`;
  return {
    ...signed(
      found,
      entries.map((e) => e.sign),
      method.unsigned ?? false,
    ),
    how: [
      { label: 'Method', value: methodTitles[chosen.method] },
      { label: 'Output', value: output },
      ...(other === undefined ? [] : [{ label: 'Less the output of', value: subject.classes[other] ?? other }]),
      ...how,
    ],
  };
};
