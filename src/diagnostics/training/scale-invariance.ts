import { choice, int, real } from '../../base/option.ts';
import type { Card } from '../../report/report.ts';
import { type Diagnostic, defineStudy } from '../define.ts';
import { headlineLines } from '../headline-line.ts';
import { percent } from '../wording.ts';
import { type Invariance, type InvarianceOptions, invarianceRun, type TensorFacts } from './scale-invariance-run.ts';

const share = (tensors: readonly TensorFacts[], of: (t: TensorFacts) => boolean): number => {
  const sum = (list: readonly TensorFacts[]): number => list.reduce((s, t) => s + t.entries, 0);
  return sum(tensors.filter(of)) / sum(tensors);
};
const projected = (t: TensorFacts): boolean => t.view !== 'none';
const least = (tensors: readonly TensorFacts[]): number => Math.min(...tensors.map((t) => t.effectiveStep));

const headlineOf = ({ tensors, loss }: Invariance): Record<string, number> => {
  const invariant = tensors.filter((t) => t.invariant);
  const active = tensors.reduce((s, t) => s + t.active, 0);
  return {
    weights: tensors.length,
    scale_invariant: invariant.length,
    scale_invariant_share: share(tensors, (t) => t.invariant),
    channel_invariant_share: active > 0 ? tensors.reduce((s, t) => s + t.invariantChannels, 0) / active : Number.NaN,
    projected: tensors.filter(projected).length,
    tests_disagree: tensors.filter((t) => t.invariant !== projected(t)).length,
    least_effective_step: invariant.length > 0 ? least(invariant) : Number.NaN,
    loss,
  };
};

const viewNames = { channel: 'by channel', layer: 'as a whole', none: 'no' } as const;

const cardsOf = (found: Invariance, headline: Record<string, number>, { tolerance, delta, rate, rows }: InvarianceOptions): Card[] => {
  const { tensors } = found;
  const line = headlineLines(headline);
  const labels: Readonly<Record<string, readonly [string, 'count' | 'fraction' | 'none' | 'nats']>> = {
    weights: ['Weights of at least two axes', 'count'],
    scale_invariant: ['Of these scale-invariant (doubling one changes no output)', 'count'],
    scale_invariant_share: ['Share of all numbers in them', 'fraction'],
    channel_invariant_share: ['Share of output channels that are', 'fraction'],
    projected: ['Weights that AdamP would project in this step', 'count'],
    tests_disagree: ['Weights on which the two tests disagree', 'count'],
    least_effective_step: ['Least effective step of a scale-invariant weight', 'none'],
    loss: ['Cross-entropy of the rows', 'nats'],
  };
  return [
    {
      kind: 'number',
      title: 'Scale invariance',
      caption: `On ${found.rows === rows ? '' : 'all '}${found.rows} rows drawn by the seed.`,
      values: Object.entries(labels).map(([name, [label, unit]]) => line(name, label, unit)),
    },
    {
      kind: 'table',
      title: 'Weights',
      caption: `Test 1 doubles the weight, and each of its output channels: less than ${tolerance} relative change of the outputs is none. Test 2 is AdamP's: the cosine between gradient and weight below ${delta}/√length, first by channel, then as a whole. The effective step is that of gradient descent at rate ${rate}. Channels without a gradient are left out.`,
      columns: [
        { name: 'weight', label: 'Weight', type: 'text' },
        { name: 'dims', label: 'Shape', type: 'text' },
        { name: 'invariant', label: 'Scale-invariant', type: 'text' },
        { name: 'change', label: 'Change when doubled', type: 'number' },
        { name: 'channels', label: 'Channels that are', type: 'text' },
        { name: 'projected', label: 'AdamP projects', type: 'text' },
        { name: 'channel_cosine', label: 'Largest |cos| of a channel', type: 'number' },
        { name: 'channel_threshold', label: 'Threshold', type: 'number' },
        { name: 'layer_cosine', label: '|cos| of the whole', type: 'number' },
        { name: 'layer_threshold', label: 'Threshold of the whole', type: 'number' },
        { name: 'length', label: '‖w‖', type: 'number' },
        { name: 'gradient', label: '‖g‖', type: 'number' },
        { name: 'effective_step', label: 'Effective step', type: 'number' },
      ],
      rows: tensors.map((t) => [
        t.name,
        t.dims.join(' × '),
        t.invariant ? 'yes' : 'no',
        Number.isFinite(t.change) ? t.change : null,
        t.tested === 0 ? 'not tested' : `${t.invariantChannels} of ${t.active}`,
        viewNames[t.view],
        t.channelCosine,
        t.channelThreshold,
        t.layerCosine,
        t.layerThreshold,
        t.length,
        t.gradientLength,
        t.effectiveStep,
      ]),
    },
    {
      kind: 'bars',
      title: 'Effective step of every weight',
      caption: `Part of a step of rate ${rate} across the weight, over its length: how far one step turns it. Scale-invariant weights that grow turn less and less.`,
      x: { label: 'Weight', unit: 'none' },
      y: { label: 'Effective step', unit: 'none', scale: 'log' },
      categories: tensors.map((t) => t.name),
      series: [
        { name: 'scale-invariant', values: tensors.map((t) => (t.invariant && t.effectiveStep > 0 ? t.effectiveStep : null)) },
        { name: 'not', values: tensors.map((t) => (!t.invariant && t.effectiveStep > 0 ? t.effectiveStep : null)) },
      ],
    },
  ];
};

const guideOf = ({ tensors, normalisations }: Invariance, headline: Record<string, number>, { statistics }: InvarianceOptions): string => {
  const names = tensors.filter((t) => t.invariant).map((t) => t.name);
  const norms = Object.entries(normalisations).map(([op, n]) => `${n} ${op}`);
  const part = headline.scale_invariant_share;
  const verdict =
    names.length === 0
      ? `No weight is scale-invariant${norms.length === 0 ? ', as the model has no normalisation' : ''}: its length matters to the outputs, momentum shrinks no step unseen, and AdamP would be AdamW.`
      : `${names.length} of ${tensors.length} weights (${percent(part)} of their numbers) are scale-invariant: ${names.slice(0, 8).join(', ')}${names.length > 8 ? ', …' : ''}. Every step makes them longer, and momentum makes them longer still, so that the same rate turns them less and less; ${part >= 0.5 ? 'AdamP or SGDP, with a schedule that lowers the rate, keeps their lengths' : 'AdamP or SGDP changes only this smaller part of the model'}.`;
  const disagree =
    headline.tests_disagree > 0
      ? ` The tests disagree on ${headline.tests_disagree}: test 2 sees one gradient, and rows of few or many numbers pass or fail by chance; believe test 1.`
      : '';
  const stored =
    statistics === 'stored' && normalisations.BatchNormalization
      ? ' With stored statistics a batch normalisation is a fixed scale, so that weights before it are not scale-invariant: choose statistics of the batch to see what training sees.'
      : '';
  return `${verdict}${disagree}${stored} Adding or removing normalisation layers, or training with their statistics frozen, changes the answer; more rows hardly do.`;
};

/** Heo et al. 2021: weights whose length does not matter, and how far a step turns each. */
export const scaleInvariance: Diagnostic = defineStudy({
  id: 'scale-invariance',
  title: 'Scale Invariance and Effective Step',
  family: 'training',
  question: 'Which weights does a normalisation make blind to their length, so that momentum silently shrinks their steps?',
  source: 'arXiv:2006.08217; card 03-adamp',
  uses: ['fresh', 'weights'],
  options: {
    rows: int({ default: 64, min: 2, max: 4096, help: 'Rows of the batch that outputs and gradient are computed on.' }),
    statistics: choice({
      default: 'batch',
      of: ['batch', 'stored'],
      titles: { batch: 'of the batch, as in training', stored: 'as stored in the file' },
      help: 'What batch normalisations divide by.',
    }),
    tolerance: real({ default: 1e-3, min: 0, max: 1, help: 'Relative change of the outputs that counts as none.' }),
    channels: int({
      default: 32,
      min: 0,
      max: 100_000,
      help: 'Output channels of a weight doubled one by one at most, evenly spaced; 0 for none.',
    }),
    delta: real({ default: 0.1, min: 0, max: 1, help: 'Threshold of the test of AdamP.' }),
    rate: real({ default: 0.1, min: 0, max: 1e6, help: 'Learning rate of the step whose effect is shown.' }),
  },
  study: (tools, options, job) => invarianceRun(tools, options, job),
  report(found, options) {
    const headline = headlineOf(found);
    return { headline, cards: cardsOf(found, headline, options), guide: guideOf(found, headline, options) };
  },
});
