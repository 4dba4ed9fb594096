import type { GradientTool } from '../../evidence/evidence.ts';
import type { Attributed, AttributionMethod, MethodsOf, Question } from './method.ts';
import { type Noise, noiseOf } from './noise.ts';
import { sumAlong } from './paths.ts';

/** ∂f/∂x with its sign (Simonyan et al. 2013). */
export const gradient = async (tool: GradientTool, question: Question, signal: AbortSignal): Promise<Attributed> => {
  const d = question.x.length / question.targets.length;
  const point = (row: number, _: number, points: Float32Array, at: number): void =>
    points.set(question.x.subarray(row * d, (row + 1) * d), at);
  const { gradient, values } = await sumAlong(tool, question, [1], point, false, signal);
  return { values: gradient, output: values };
};

/** x·∂f/∂x (Shrikumar et al. 2016). */
export const gradientTimesInput = async (tool: GradientTool, question: Question, signal: AbortSignal): Promise<Attributed> => {
  const { values, output } = await gradient(tool, question, signal);
  return { values: values.map((g, k) => g * question.x[k]), output };
};

/** Over `samples` noisy copies of x: mean gradient (Smilkov et al. 2017), mean of its square, or its population variance. */
export const noisyGradient = async (
  tool: GradientTool,
  question: Question,
  kind: 'smoothgrad' | 'smoothgrad-squared' | 'vargrad',
  samples: number,
  noise: Noise,
  signal: AbortSignal,
): Promise<Attributed> => {
  const { x, targets } = question;
  const d = x.length / targets.length;
  const weights = [...new Array<number>(samples).fill(1 / samples), 0];
  const point = (row: number, s: number, points: Float32Array, at: number): void => {
    points.set(x.subarray(row * d, (row + 1) * d), at);
    if (s < samples) noise(row, s, points, at);
  };
  const sums = await sumAlong(tool, question, weights, point, kind !== 'smoothgrad', signal);
  const squared = sums.squared ?? new Float64Array(sums.gradient.length);
  const values =
    kind === 'smoothgrad'
      ? sums.gradient
      : kind === 'smoothgrad-squared'
        ? squared
        : squared.map((q, k) => Math.max(0, q - sums.gradient[k] ** 2));
  return { values, output: sums.values.filter((_, i) => i % (samples + 1) === samples) };
};

const noisy = (kind: 'smoothgrad' | 'smoothgrad-squared' | 'vargrad', meaning: string): AttributionMethod => ({
  meaning,
  kind: kind === 'smoothgrad' ? 'sensitivity' : 'importance',
  async run(context) {
    const { tool, question, chosen, job } = context;
    const { noise, sigma } = await noiseOf(context);
    const found = await noisyGradient(await tool(), question, kind, chosen.noiseSamples, noise, job.signal);
    return { found, how: [{ label: 'Noise', value: `${chosen.noiseSamples} copies, ${sigma}` }] };
  },
});

export const gradientMethods: MethodsOf<'gradient' | 'gradient-x-input' | 'smoothgrad' | 'smoothgrad-squared' | 'vargrad'> = {
  gradient: {
    kind: 'sensitivity',
    meaning:
      'The gradient says which inputs would change the output most if nudged, not what they contributed: a strong value on an empty background is sensitivity, not evidence',
    run: async ({ tool, question, job }) => ({ found: await gradient(await tool(), question, job.signal), how: [] }),
  },
  'gradient-x-input': {
    kind: 'contributions',
    meaning:
      'Gradient × input is zero wherever the input is, so on sparse inputs the map repeats the input’s outline whatever the model learned: compare with the plain gradient before trusting a shape',
    run: async ({ tool, question, job }) => ({ found: await gradientTimesInput(await tool(), question, job.signal), how: [] }),
  },
  smoothgrad: noisy(
    'smoothgrad',
    'Averaging over noisy copies shows what stays of the gradient nearby; values that vanish against the plain gradient were noise',
  ),
  'smoothgrad-squared': noisy(
    'smoothgrad-squared',
    'Squares have no sign: the map shows where the output is sensitive, not in which direction',
  ),
  vargrad: noisy(
    'vargrad',
    'Variance has no sign: the map shows where the gradient changes most nearby, edges of decisions rather than evidence',
  ),
};
