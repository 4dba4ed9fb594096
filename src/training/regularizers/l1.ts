import { real } from '../../base/option.ts';
import { defineRegularizer, type Regularizer } from '../define.ts';

/** weight · Σ|w| over weights, without biases and normalisations. */
export const l1: Regularizer = defineRegularizer({
  id: 'l1',
  source: 'Tibshirani 1996, doi:10.1111/j.2517-6161.1996.tb02080.x',
  about: 'Draws weights that the data do not need to 0.',
  formula: ['L + weight · Σ|w|'],
  options: { weight: real({ default: 1e-4, min: 0, max: 1e6, help: 'Multiplies the sum of absolute weights.' }) },
  baseline: null,
  term(emit, { parameters }, { weight }) {
    const sums = parameters.flatMap(({ role, value }) => (role === 'weight' ? [emit.call('ReduceL1', [value], { keepdims: 0 })] : []));
    return emit.Mul(weight, sums.length > 0 ? sums.reduce((a, b) => emit.Add(a, b)) : emit.scalar(0));
  },
});
