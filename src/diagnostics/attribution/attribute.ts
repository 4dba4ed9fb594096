import { Fault } from '../../base/fault.ts';
import type { ImageAxes } from '../../base/image.ts';
import type { Job } from '../../base/job.ts';
import { sizeOf } from '../../base/tensor.ts';
import type { GradientTool, LayerFacts, Matrix, ModelGradients, Subject } from '../../evidence/evidence.ts';
import type { EmbeddedSamples } from './embedded.ts';
import { groundOf, layerOf } from './layers.ts';
import type { Attributed, How, MethodContext, Question } from './method.ts';
import { type MethodId, methodReads, methodTitles } from './method-names.ts';
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
  /** The token that fills rows up. */
  readonly padding?: number;
  /** Where pixels stand in a row, if rows are pictures. */
  readonly axes?: ImageAxes;
}

export interface AttributedSamples extends Attributed {
  readonly method: MethodId;
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
  if (!neuron && chosen.outputScale !== 'logit' && subject.classes.length < 2)
    throw new Fault('diagnostic/output-scale', { output: gradient.output, scale: chosen.outputScale });
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

/** Values that are worked on at once, after which progress is told: of the inputs, or of the layer that a method is about. */
const MOST = 250_000;

/** The parts' rows one after the other. */
const joined = (parts: readonly Attributed[]): Attributed => {
  const [first] = parts;
  if (parts.length === 1) return first;
  const all = (of: (part: Attributed) => ArrayLike<number> | undefined): Float64Array =>
    Float64Array.from(parts.flatMap((part) => Array.from(of(part) ?? [])));
  const values = new Float64Array(parts.reduce((sum, part) => sum + part.values.length, 0));
  let at = 0;
  for (const part of parts) {
    values.set(part.values, at);
    at += part.values.length;
  }
  return {
    ...first,
    values,
    output: all((part) => part.output),
    ...(first.completeness
      ? {
          completeness: {
            baselineOutput: all((part) => part.completeness?.baselineOutput),
            gap: all((part) => part.completeness?.gap),
            relative: all((part) => part.completeness?.relative),
            steps: Int32Array.from(all((part) => part.completeness?.steps)),
          },
        }
      : {}),
  };
};

/** Rows [from, to) of a question about `rows` of them. */
const partOf = ({ x, targets, against, inputs }: Question, rows: number, from: number, to: number): Question => {
  const cut = (values: Float32Array): Float32Array => values.subarray((from * values.length) / rows, (to * values.length) / rows);
  return {
    x: cut(x),
    targets: targets.subarray(from, to),
    ...(against ? { against: against.subarray(from, to) } : {}),
    ...(inputs ? { inputs: cut(inputs) } : {}),
  };
};

/** Attributes the chosen samples by the chosen method, in parts that memory holds. */
export const attributeSamples = async (
  { gradient, samples }: { readonly gradient: ModelGradients; readonly samples: EmbeddedSamples },
  asked: Samples,
  chosen: AttributionChoice,
  subject: Pick<Subject, 'classes'>,
  job: Pick<Job, 'random' | 'signal' | 'progress'>,
): Promise<AttributedSamples> => {
  const { x, rows, targets, axes, inputs } = asked;
  const d = sizeOf(samples.inputDims);
  checkFinite(asked, d);
  const { scale, tool: plain, targets: entries, neuron } = await entriesOf(gradient, chosen, subject, targets, job.signal);
  const other = classNamed(chosen.againstClass, subject.classes);
  if (other !== undefined && (plain.targets < 2 || neuron)) throw new Fault('diagnostic/against', { output: plain.output });
  const against = other === undefined ? {} : { against: new Int32Array(rows.length).fill(other) };
  const question: Question = { x, targets: entries, ...against, ...(inputs ? { inputs } : {}) };
  const layer = (spatial: boolean): LayerFacts => layerOf(gradient, chosen.layer, spatial, groundOf(axes, samples));
  const size = methodReads[chosen.method].includes('layer') ? sizeOf(layer(chosen.method.startsWith('grad-cam')).dims) : 0;
  const most = Math.max(1, Math.floor(MOST / Math.max(d, size)));
  const parts: Attributed[] = [];
  let how: How = [];
  for (let from = 0; from < rows.length; from += most) {
    const to = Math.min(rows.length, from + most);
    const progress: Job['progress'] = (f, text) => job.progress((from + (to - from) * f) / rows.length, text);
    const part = await methods[chosen.method].run({
      gradient,
      tool: (ask = {}) => (Object.keys(ask).length === 0 ? Promise.resolve(plain) : gradient.asked({ ...scale, ...ask }, job.signal)),
      layer,
      scale,
      samples,
      question: partOf(question, rows.length, from, to),
      rows: rows.slice(from, to),
      chosen,
      job: { ...job, progress },
      ...(axes ? { axes } : {}),
    });
    parts.push(part.found);
    how = part.how;
    job.progress(to / rows.length, `${to} of ${rows.length} samples attributed`);
  }
  const scaled = chosen.outputScale === 'logit' ? plain.output : `${chosen.outputScale} of ${plain.output}`;
  const output = neuron ? `${neuron.of}:${neuron.index}` : scaled;
  return {
    ...joined(parts),
    method: chosen.method,
    how: [
      { label: 'Method', value: methodTitles[chosen.method] },
      { label: 'Output', value: output },
      ...(other === undefined ? [] : [{ label: 'Less the output of', value: subject.classes[other] ?? other }]),
      ...how,
    ],
  };
};
