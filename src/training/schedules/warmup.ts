import { int, real } from '../../base/option.ts';
import { defineSchedule, type Schedule } from '../define.ts';

/** lr·(f + (1−f)·t/W) up to t = W, then lr. */
export const warmup: Schedule = defineSchedule({
  id: 'warmup',
  source: 'arXiv:1706.02677; torch.optim.lr_scheduler.LinearLR',
  options: {
    length: int({ default: 100, min: 1, max: 1e9, help: 'Length of the climb.' }),
    from: real({ default: 0.01, min: 0, max: 1, help: 'Share of the rate at the start.' }),
  },
  unit: 'step',
  rate: ({ t, lr }, { length, from }) => lr * (from + (1 - from) * Math.min(1, t / length)),
});
