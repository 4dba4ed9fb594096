import { real } from '../../base/option.ts';
import { defineSchedule, type Schedule } from '../define.ts';

/** lrMin + (lr − lrMin)(1 + cos πt/T)/2. */
export const cosineAt = (lr: number, lrMin: number, t: number, total: number): number =>
  lrMin + ((lr - lrMin) * (1 + Math.cos((Math.PI * t) / total))) / 2;

/** `cosineAt` over the whole run. */
export const cosine: Schedule = defineSchedule({
  id: 'cosine',
  source: 'arXiv:1608.03983; torch.optim.lr_scheduler.CosineAnnealingLR',
  options: { lrMin: real({ default: 0, min: 0, max: 1e6, help: 'Rate at the end.' }) },
  unit: 'step',
  rate: ({ t, total, lr }, { lrMin }) => cosineAt(lr, lrMin, t, total),
});
