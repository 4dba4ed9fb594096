import { defineSchedule, type Schedule } from '../define.ts';

/** lr at all times. */
export const constant: Schedule = defineSchedule({
  id: 'constant',
  source: 'card 00-training-common',
  options: {},
  unit: 'step',
  rate: ({ lr }) => lr,
});
