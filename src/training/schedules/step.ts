import { int, real } from '../../base/option.ts';
import { defineSchedule, type Schedule } from '../define.ts';

/** lr·γ^⌊t/size⌋. */
export const step: Schedule = defineSchedule({
  id: 'step',
  source: 'torch.optim.lr_scheduler.StepLR',
  options: {
    size: int({ default: 10, min: 1, max: 1e9, help: 'Length of one plateau.' }),
    gamma: real({ default: 0.1, min: 0, max: 1, help: 'Factor between plateaus.' }),
  },
  unit: 'epoch',
  rate: ({ t, lr }, { size, gamma }) => lr * gamma ** Math.floor(t / size),
});
