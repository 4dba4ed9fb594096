import { int } from '../../base/option.ts';
import { type BatchSchedule, defineBatchSchedule } from '../define-run.ts';

/** Twice the batch after every so many steps, up to `max`. */
export const doubling: BatchSchedule = defineBatchSchedule({
  id: 'doubling',
  source: "Smith et al. 2018, arXiv:1711.00489 (don't decay the learning rate, increase the batch size)",
  about: 'Larger batches late in the run take the noise out of the gradient, as a falling rate would.',
  formula: ['b ← min(2b, max) every `steps` steps'],
  options: {
    steps: int({ default: 1000, min: 1, max: 1e9, help: 'Steps between doublings.' }),
    max: int({ default: 1024, min: 1, max: 1e9, help: 'Largest batch.' }),
  },
  baseline: 'constant',
  decide: { every: ({ steps }) => steps, next: ({ size }, { max }) => Math.max(size, Math.min(2 * size, max)) },
});
