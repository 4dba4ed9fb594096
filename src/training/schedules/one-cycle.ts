import { real } from '../../base/option.ts';
import { defineSchedule, type Schedule } from '../define.ts';

const anneal = (from: number, to: number, share: number): number => to + ((from - to) * (1 + Math.cos(Math.PI * share))) / 2;

/** Cosine from lr/div up to lr at share·T − 1, then down to lr/div/finalDiv at T − 1. Momentum is left alone. */
export const oneCycle: Schedule = defineSchedule({
  id: 'one-cycle',
  source: 'arXiv:1708.07120; torch.optim.lr_scheduler.OneCycleLR',
  options: {
    share: real({ default: 0.3, min: 0.001, max: 0.999, help: 'Share of the run spent climbing.' }),
    div: real({ default: 25, min: 1, max: 1e12, help: 'Peak rate over first rate.' }),
    finalDiv: real({ default: 1e4, min: 1, max: 1e12, help: 'First rate over last rate.' }),
  },
  unit: 'step',
  rate({ t, total, lr }, { share, div, finalDiv }) {
    const peak = share * total - 1;
    const end = total - 1;
    if (t < peak) return anneal(lr / div, lr, t / peak);
    return anneal(lr, lr / div / finalDiv, Math.min(1, (t - peak) / (end - peak)));
  },
});
