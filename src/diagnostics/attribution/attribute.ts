import { Fault } from '../../base/fault.ts';
import type { ImageAxes } from '../../base/image.ts';
import type { Job } from '../../base/job.ts';
import { sizeOf } from '../../base/tensor.ts';
import type { GradientTool, Matrix, ModelGradients, Subject } from '../../evidence/evidence.ts';
import type { EmbeddedSamples } from './embedded.ts';
import { layerOf } from './layers.ts';
import type { Attributed, How, MethodContext, Question } from './method.ts';
import { methodTitles } from './method-names.ts';
import { methods } from './methods.ts';
import type { AttributionChoice } from './options.ts';
import { classNamed } from './targets.ts';

/** Samples as the model sees them, and the class each is attributed to. */
export interface Samples {
  readonly x: Float32Array;
  readonly rows: readonly number[];
  readonly outputs: Matrix;
  readonly targets: Int32Array;
  /** Tokens, where x holds their embeddings. */
  readonly inputs?: Float32Array;
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

/** What is attributed, by the options: the tool that asks for it, and the entry of each row. */
export const entriesOf = async (
  gradient: ModelGradients,
  chosen: Pick<AttributionChoice, 'neuron' | 'outputScale'>,
  subject: Pick<Subject, 'classes'>,
  targets: Int32Array,
  signal: AbortSignal,
): Promise<{
  readonly scale: MethodContext['scale'];
  readonly tool: GradientTool;
  readonly targets: Int32Array;
  readonly neuron?: { readonly of: string; readonly index: number };
}> => {
  const neuron = neuronOf(chosen.neuron);
  // A score per row speaks for class 1 and against class 0.
  const mirrored = !neuron && gradient.targets === 1 && subject.classes.length === 2 && chosen.outputScale === 'logit';
  const scale: MethodContext['scale'] = neuron
    ? { of: neuron.of }
    : mirrored
      ? { mirrored }
      : chosen.outputScale === 'logit'
        ? {}
        : { scale: chosen.outputScale };
  const tool = Object.keys(scale).length > 0 ? await gradient.asked(scale, signal) : gradient;
  if (neuron && neuron.index >= tool.targets)
    throw new Fault('option/value', {
      name: 'neuron',
      value: chosen.neuron,
      expected: `an index below ${tool.targets}, the values in a row of '${neuron.of}'`,
    });
  if (neuron) return { scale, tool, neuron, targets: new Int32Array(targets.length).fill(neuron.index) };
  return { scale, tool, targets: tool.targets === 1 ? new Int32Array(targets.length) : targets };
};

/** Attributes the chosen samples by the chosen method. */
export const attributeSamples = async (
  { gradient, samples }: { readonly gradient: ModelGradients; readonly samples: EmbeddedSamples },
  asked: Samples,
  chosen: AttributionChoice,
  subject: Pick<Subject, 'classes'>,
  job: Pick<Job, 'random' | 'signal' | 'progress'>,
): Promise<AttributedSamples> => {
  const { x, rows, targets, axes, inputs } = asked;
  checkFinite(asked, sizeOf(samples.inputDims));
  const { scale, tool: plain, targets: entries, neuron } = await entriesOf(gradient, chosen, subject, targets, job.signal);
  const other = classNamed(chosen.againstClass, subject.classes);
  if (other !== undefined && (plain.targets < 2 || neuron)) throw new Fault('diagnostic/against', { output: plain.output });
  const against = other === undefined ? {} : { against: new Int32Array(rows.length).fill(other) };
  const question: Question = { x, targets: entries, ...against, ...(inputs ? { inputs } : {}) };
  const { found, how } = await methods[chosen.method].run({
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
  const scaled = chosen.outputScale === 'logit' ? plain.output : `${chosen.outputScale} of ${plain.output}`;
  const output = neuron ? `${neuron.of}:${neuron.index}` : scaled;
  return {
    ...found,
    how: [
      { label: 'Method', value: methodTitles[chosen.method] },
      { label: 'Output', value: output },
      ...(other === undefined ? [] : [{ label: 'Less the output of', value: subject.classes[other] ?? other }]),
      ...how,
    ],
  };
};
