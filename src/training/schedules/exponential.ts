import { real } from '../../base/option.ts';
import { defineSchedule, type Schedule } from '../define.ts';

/** lr·γᵗ. */
export const exponential: Schedule = defineSchedule({
  id: 'exponential',
  source: 'torch.optim.lr_scheduler.ExponentialLR',
  options: { gamma: real({ default: 0.95, min: 0, max: 1, help: 'Factor per unit.' }) },
  unit: 'epoch',
  rate: ({ t, lr }, { gamma }) => lr * gamma ** t,
});
