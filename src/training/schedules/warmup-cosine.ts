import { int, real } from '../../base/option.ts';
import { defineSchedule, type Schedule } from '../define.ts';
import { cosineAt } from './cosine.ts';

/** lr·(f + (1−f)·t/W) up to t = W, then half a cosine from lr to lrMin over the rest of the run. */
export const warmupCosine: Schedule = defineSchedule({
  id: 'warmup-cosine',
  source: 'arXiv:1706.02677, arXiv:1608.03983; torch.optim.lr_scheduler.SequentialLR of LinearLR and CosineAnnealingLR',
  options: {
    length: int({ default: 100, min: 1, max: 1e9, help: 'Length of the climb.' }),
    from: real({ default: 0.01, min: 0, max: 1, help: 'Share of the rate at the start.' }),
    lrMin: real({ default: 0, min: 0, max: 1e6, help: 'Rate at the end.' }),
  },
  unit: 'step',
  rate({ t, total, lr }, { length, from, lrMin }) {
    if (t < length) return lr * (from + ((1 - from) * t) / length);
    return cosineAt(lr, lrMin, t - length, total - length);
  },
});
