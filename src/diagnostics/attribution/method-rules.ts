import type { GradientAsk } from '../../evidence/evidence.ts';
import { baselinesOf } from './baselines.ts';
import { type Attributed, type AttributionMethod, completenessOf, type MethodContext, type MethodsOf } from './method.ts';
import { gradient } from './method-gradient.ts';
import { sumAlong } from './paths.ts';

const timesInput = (found: Attributed, x: Float32Array): Attributed => ({ ...found, values: found.values.map((g, k) => g * x[k]) });

const rectified = (name: 'guided' | 'deconvolution', meaning: string): AttributionMethod => ({
  kind: 'sensitivity',
  meaning,
  run: async ({ tool, question, job }) => ({ found: await gradient(await tool({ rules: { name } }), question, job.signal), how: [] }),
});

/** R = x·c, c by the rules of LRP (autodiff/rule-sets/lrp.ts). */
const relevance = (
  meaning: string,
  rules: (chosen: MethodContext['chosen']) => Extract<GradientAsk['rules'], { name: 'lrp' }>,
): AttributionMethod => ({
  kind: 'contributions',
  meaning,
  async run({ tool, question, chosen, job }) {
    const asked = rules(chosen);
    const found = timesInput(await gradient(await tool({ rules: asked }), question, job.signal), question.x);
    return {
      found,
      how: [
        { label: 'ε', value: asked.epsilon === 0 ? '0' : `${asked.epsilon} of the mean |z| of each layer` },
        ...(asked.gamma ? [{ label: 'γ', value: asked.gamma }] : []),
      ],
    };
  },
});

export const ruleMethods: MethodsOf<'guided-backpropagation' | 'deconvolution' | 'deeplift' | 'lrp-epsilon' | 'lrp-gamma'> = {
  'guided-backpropagation': rectified(
    'guided',
    'Guided backpropagation keeps only what raises the output at every rectifier: it draws crisp edges, and much the same ones after the weights are redrawn, so it shows the picture more than the model',
  ),
  deconvolution: rectified(
    'deconvolution',
    'A deconvolutional network ignores which rectifiers were on: it draws the picture’s edges, and much the same ones after the weights are redrawn',
  ),
  deeplift: {
    kind: 'contributions',
    meaning:
      'Each value is the share of its input in the change of the output from the baseline, by finite slopes in place of derivatives; another baseline asks another question',
    async run({ tool, question, samples, rows, axes, chosen, job }) {
      const { x } = question;
      const n = question.targets.length;
      const d = x.length / n;
      const { all, name } = await baselinesOf(chosen.baseline, x, samples, rows, axes, job);
      const lifted = await tool({ rules: { name: 'deeplift' } });
      const values = new Float64Array(x.length);
      const [output, start] = [new Float64Array(n), new Float64Array(n)];
      for (const baseline of all) {
        const point = (row: number, s: number, points: Float32Array, at: number): void =>
          points.set((s === 0 ? x : baseline).subarray(row * d, (row + 1) * d), at);
        const sums = await sumAlong(lifted, question, [1, 0], point, false, job.signal);
        for (let k = 0; k < values.length; k++) values[k] += (sums.gradient[k] * (x[k] - baseline[k])) / all.length;
        for (let b = 0; b < n; b++) {
          output[b] = sums.values[2 * b];
          start[b] += sums.values[2 * b + 1] / all.length;
        }
      }
      const completeness = completenessOf(values, output, start, new Int32Array(n).fill(1));
      return { found: { values, output, completeness }, how: [{ label: 'Baseline', value: name }] };
    },
  },
  'lrp-epsilon': relevance(
    'Relevance is handed from each layer to the one before in proportion to what came from there; ε takes some away where contributions cancel, and biases keep their share, so a map need not add up to the output',
    ({ epsilon }) => ({ name: 'lrp', epsilon, relative: true }),
  ),
  'lrp-gamma': relevance(
    'Relevance is handed back in proportion to contributions, positive ones counted more: maps are smoother and show rather what speaks for the class than what speaks against it',
    ({ epsilon, gamma }) => ({ name: 'lrp', epsilon, relative: true, gamma }),
  ),
};
