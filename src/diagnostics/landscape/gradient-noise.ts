import { Fault } from '../../base/fault.ts';
import type { Job } from '../../base/job.ts';
import { type Chosen, int, real } from '../../base/option.ts';
import type { LossTool } from '../../evidence/loss.ts';
import { type Diagnostic, defineStudy } from '../define.ts';
import { type GradientNoise, noiseCards, noiseGuide, noiseHeadline } from './gradient-noise-cards.ts';
import { lossOption } from './loss-option.ts';
import { noiseOf } from './noise-statistics.ts';

const options = {
  loss: lossOption,
  rows: int({ default: 1024, min: 2, max: 10_000_000, help: 'Rows whose gradients are compared, drawn by the seed.' }),
  batch: int({ default: 0, min: 0, max: 1e9, help: 'The batch in use, to be judged; 0 judges none.' }),
  theta: real({ default: 0.5, min: 1e-6, max: 1e6, help: 'Inner-product test: standard deviation along the gradient over its length.' }),
  nu: real({ default: 1, min: 1e-6, max: 1e6, help: 'Orthogonality test: the same across the gradient.' }),
  confidenceLevel: real({ default: 0.95, min: 0.5, max: 0.999, help: 'Level of the intervals.' }),
};

/** Gradients of single rows at the weights as they are. Memory: 16 bytes a row and tensor, and 8 a parameter. */
const study = async (tool: LossTool, chosen: Chosen<typeof options>, job: Job, data: string): Promise<GradientNoise> => {
  job.progress(0, 'compiling the gradient');
  const open = await tool.open({ loss: chosen.loss, rows: chosen.rows });
  const count = open.rows.length;
  if (count < 2) throw new Fault('diagnostic/few-rows', { rows: count, least: 2, data });
  job.progress(0.2, 'gradient of the mean loss');
  const { loss, gradient } = await open.gradient(open.theta);
  job.progress(0.4, `gradients of ${count} single rows`);
  const each = await open.rowGradients(open.theta, gradient);
  const bad = each.losses.findIndex((l, i) => {
    const squares = each.squares.subarray(i * open.tensors.length, (i + 1) * open.tensors.length);
    return !Number.isFinite(l) || !squares.every(Number.isFinite);
  });
  if (bad >= 0) throw new Fault('diagnostic/loss-not-finite', { row: open.rows[bad] });
  return {
    loss,
    noise: noiseOf(each, gradient, open.tensors, chosen.confidenceLevel),
    rows: open.rows,
    of: open.of,
    parameters: open.size,
  };
};

export const gradientNoise: Diagnostic = defineStudy({
  id: 'gradient-noise',
  title: 'Gradient Noise and Batch Size',
  family: 'landscape',
  question: 'Is the batch so small that noise decides the step, or larger than these weights need?',
  source: 'arXiv:2402.11215; arXiv:1812.06162; card 30-adadagrad',
  uses: ['loss'],
  options,
  numbers: [
    'noise_scale',
    'batch_at_*',
    'inner_product_batch',
    'orthogonal_batch',
    'noise_at_batch',
    'variance',
    'squared_gradient_norm',
    'coordinate_ratio_median',
    'coordinate_ratio_90',
    'loss',
    'rows',
  ],
  study: ({ loss }, chosen, job, { dataName }) => study(loss, chosen, job, dataName),
  report: (found, chosen) => ({
    headline: noiseHeadline(found, chosen),
    intervals: found.noise.interval ? { noise_scale: found.noise.interval } : {},
    cards: noiseCards(found, chosen),
    guide: noiseGuide(found, chosen),
    notes: found.noise.squaredNorm === 0 ? ['The gradient is zero on these rows: every batch says the same, and none is too small.'] : [],
  }),
});
