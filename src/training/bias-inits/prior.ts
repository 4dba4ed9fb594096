import { real } from '../../base/option.ts';
import { deviation } from '../bias-deviation.ts';
import { type BiasInit, defineBiasInit } from '../define-run.ts';

export const prior: BiasInit = defineBiasInit({
  id: 'prior',
  source: 'arXiv:1708.02002, section 4.1 (RetinaNet)',
  about: 'Every sigmoid starts at the same small probability, whatever the data say; what focal loss is usually begun with.',
  formula: ['b = −ln((1 − π)/π)'],
  options: {
    probability: real({ default: 0.01, min: 1e-9, max: 0.5, help: 'What every label or class is given at first, π.' }),
    deviation,
  },
  baseline: 'keep',
  deviation: ({ deviation }) => deviation,
  values: ({ counts }, { probability }) => Array.from(counts, () => -Math.log((1 - probability) / probability)),
});
