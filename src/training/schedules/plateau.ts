import { choice, int, real } from '../../base/option.ts';
import { defineSchedule, type Schedule } from '../define.ts';

/**
 * lr·factorᵏ, at least lrMin, where k counts the times that the validation loss did not improve in more than `patience`
 * evaluations in a row; after each, `cooldown` evaluations do not count. Replayed from all losses so far, so it carries no state.
 */
export const plateau: Schedule = defineSchedule({
  id: 'plateau',
  source: 'torch.optim.lr_scheduler.ReduceLROnPlateau, with eps 0',
  options: {
    factor: real({ default: 0.1, min: 0, max: 1, help: 'What the rate is multiplied by.' }),
    patience: int({ default: 10, min: 0, max: 1e6, help: 'Evaluations without improvement that are borne.' }),
    threshold: real({ default: 1e-4, min: 0, max: 1e6, help: 'Least improvement that counts.' }),
    thresholdMode: choice({
      default: 'rel',
      of: ['rel', 'abs'],
      help: 'Whether that is a share of the best loss, or a difference from it.',
    }),
    cooldown: int({ default: 0, min: 0, max: 1e6, help: 'Evaluations after a fall that do not count.' }),
    lrMin: real({ default: 0, min: 0, max: 1e6, help: 'Least rate.' }),
  },
  unit: 'epoch',
  watches: true,
  rate({ lr, validation }, { factor, patience, threshold, thresholdMode, cooldown, lrMin }) {
    let [best, bad, resting, rate] = [Number.POSITIVE_INFINITY, 0, 0, lr];
    for (const loss of validation) {
      const below = thresholdMode === 'rel' ? best * (1 - threshold) : best - threshold;
      if (loss < below) [best, bad] = [loss, 0];
      else bad++;
      if (resting > 0) [resting, bad] = [resting - 1, 0];
      if (bad > patience) [rate, resting, bad] = [Math.max(rate * factor, Math.min(rate, lrMin)), cooldown, 0];
    }
    return rate;
  },
});
