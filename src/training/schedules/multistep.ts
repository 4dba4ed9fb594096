import { Fault } from '../../base/fault.ts';
import { real, text } from '../../base/option.ts';
import { defineSchedule, type Schedule } from '../define.ts';

const milestonesOf = (given: string): number[] => {
  const milestones = given.split(',').map(Number);
  if (!milestones.every((m, i) => Number.isInteger(m) && m >= (i === 0 ? 1 : milestones[i - 1])))
    throw new Fault('option/value', { name: 'milestones', value: given, expected: 'rising whole numbers separated by commas' });
  return milestones;
};

/** lr·γ^(number of milestones reached). */
export const multistep: Schedule = defineSchedule({
  id: 'multistep',
  source: 'torch.optim.lr_scheduler.MultiStepLR',
  options: {
    milestones: text({ default: '30,60,90', help: 'Where the rate falls, separated by commas.' }),
    gamma: real({ default: 0.1, min: 0, max: 1, help: 'Factor at each milestone.' }),
  },
  unit: 'epoch',
  rate: ({ t, lr }, { milestones, gamma }) => lr * gamma ** milestonesOf(milestones).filter((m) => m <= t).length,
});
