import { Fault } from '../../base/fault.ts';
import type { ImageAxes } from '../../base/image.ts';
import type { Job } from '../../base/job.ts';
import { type ChoiceOption, type Chosen, choice, type IntOption, int, type RealOption, real } from '../../base/option.ts';
import { sizeOf } from '../../base/tensor.ts';
import type { Matrix, Subject, Tools } from '../../evidence/evidence.ts';
import { type BaselineName, baselinesOf } from './baselines.ts';
import { type Attributed, gradient, gradientTimesInput, integratedGradients, type Method, methods, noisyGradient } from './methods.ts';
import type { RuleName } from './quadrature.ts';
import { entryOf } from './targets.ts';

/** Options of every attribution, whoever asks. */
export type AttributionOptions = {
  readonly method: ChoiceOption<Method>;
  readonly quadrature: ChoiceOption<RuleName | 'adaptive'>;
  readonly steps: IntOption;
  readonly baseline: ChoiceOption<BaselineName>;
  readonly noiseSamples: IntOption;
  readonly noiseScale: RealOption;
  readonly outliers: RealOption;
};
export type AttributionChoice = Chosen<AttributionOptions>;

export const attributionOptions: AttributionOptions = {
  method: choice({
    default: 'integrated-gradients',
    of: Object.keys(methods) as Method[],
    titles: methods,
    help: 'How the output is attributed to the inputs.',
  }),
  quadrature: choice({
    default: 'gausslegendre',
    of: ['gausslegendre', 'riemann_middle', 'riemann_left', 'riemann_right', 'trapezoid', 'adaptive'],
    help: 'Integrated Gradients: rule of the path integral; adaptive doubles its steps until the gap is below 1 %.',
  }),
  steps: int({ default: 50, min: 1, max: 1024, help: 'Integrated Gradients: steps along the path.' }),
  baseline: choice({
    default: 'auto',
    of: ['auto', 'zero', 'mean', 'black', 'white', 'uniform'],
    help: 'Integrated Gradients: where the path begins; auto is zero for images and the mean for tables.',
  }),
  noiseSamples: int({ default: 25, min: 1, max: 1000, help: 'SmoothGrad, VarGrad: noisy copies of each sample.' }),
  noiseScale: real({
    default: 0.15,
    min: 0,
    max: 10,
    help: 'SmoothGrad, VarGrad: standard deviation of the noise, as a share of the sample’s range.',
  }),
  outliers: real({
    default: 2,
    min: 0,
    max: 50,
    help: 'Share of all attribution, in percent, that lies in values drawn at full strength.',
  }),
};

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
  /** What was done, for the report: name → value. */
  readonly how: readonly { readonly label: string; readonly value: string | number }[];
}

const checkFinite = ({ x, rows, outputs }: Samples, d: number): void => {
  rows.forEach((row, b) => {
    if (!x.subarray(b * d, (b + 1) * d).every(Number.isFinite)) throw new Fault('diagnostic/not-finite', { row, what: 'the input' });
    if (!outputs.data.subarray(b * outputs.cols, (b + 1) * outputs.cols).every(Number.isFinite))
      throw new Fault('diagnostic/not-finite', { row, what: 'the model’s output' });
  });
};

/** Values and outputs of rows attributed to class 0 of a single score change their sign. */
const signed = (found: Attributed, signs: readonly (1 | -1)[], squares: boolean): Attributed => {
  if (signs.every((s) => s === 1)) return found;
  const d = found.values.length / signs.length;
  const rows = (a: Float64Array): Float64Array => a.map((v, b) => v * signs[b]);
  return {
    values: squares ? found.values : found.values.map((v, k) => v * signs[Math.floor(k / d)]),
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

/** Attributes the chosen samples by the chosen method. Noise of a sample depends on its row alone, not on which others are shown. */
export const attributeSamples = async (
  { gradient: tool, samples }: Pick<Tools, 'gradient' | 'samples'>,
  asked: Samples,
  chosen: AttributionChoice,
  subject: Pick<Subject, 'classes'>,
  job: Pick<Job, 'random' | 'signal'>,
): Promise<AttributedSamples> => {
  const { x, rows, targets, axes } = asked;
  const d = sizeOf(samples.inputDims);
  checkFinite(asked, d);
  const entries = Array.from(targets, (t) => entryOf(t, tool.targets, subject.classes.length));
  const question = { x, targets: Int32Array.from(entries, (e) => e.entry) };
  const { method, quadrature, steps, noiseSamples, noiseScale } = chosen;
  const named = { label: 'Method', value: methods[method] };
  const finish = (found: Attributed, how: AttributedSamples['how']): AttributedSamples => ({
    ...signed(
      found,
      entries.map((e) => e.sign),
      method === 'vargrad' || method === 'smoothgrad-squared',
    ),
    how: [named, { label: 'Output', value: tool.output }, ...how],
  });
  switch (method) {
    case 'gradient':
      return finish(await gradient(tool, question, job.signal), []);
    case 'gradient-x-input':
      return finish(await gradientTimesInput(tool, question, job.signal), []);
    case 'integrated-gradients': {
      const { all, name } = await baselinesOf(chosen.baseline, samples, rows, axes, job);
      const found = await integratedGradients(tool, question, all, quadrature, steps, job.signal);
      return finish(found, [
        { label: 'Baseline', value: name },
        { label: 'Path', value: quadrature === 'adaptive' ? 'adaptive, middle rule' : `${quadrature}, ${steps} steps` },
      ]);
    }
    case 'smoothgrad':
    case 'smoothgrad-squared':
    case 'vargrad': {
      const noise = noiseOf(x, rows, d, noiseScale, job);
      const found = await noisyGradient(tool, question, method, noiseSamples, noise, job.signal);
      return finish(found, [{ label: 'Noise', value: `${noiseSamples} copies, σ = ${noiseScale} of the range` }]);
    }
  }
};

/** Normal noise with σ = `scale`·(max x − min x) of the sample. */
const noiseOf = (
  x: Float32Array,
  rows: readonly number[],
  d: number,
  scale: number,
  job: Pick<Job, 'random'>,
): ((row: number, s: number, points: Float32Array, at: number) => void) => {
  const sources = rows.map((row, b) => {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let k = b * d; k < (b + 1) * d; k++) {
      low = Math.min(low, x[k]);
      high = Math.max(high, x[k]);
    }
    return { sigma: scale * (high - low), random: job.random(`smoothgrad/${row}`) };
  });
  return (b, _, points, at) => {
    const { sigma, random } = sources[b];
    for (let k = at; k < at + d; k++) points[k] += sigma * random.normal();
  };
};
