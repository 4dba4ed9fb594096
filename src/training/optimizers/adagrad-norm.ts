import { real } from '../../base/option.ts';
import { defineOptimizer, type Optimizer } from '../define.ts';

/** One accumulator for all parameters: s += ‖g‖², s₀ = start; θ −= lr·g/√s. */
export const adagradNorm: Optimizer = defineOptimizer({
  id: 'adagrad-norm',
  source: 'arXiv:2402.11215 (AdAdaGradNorm, with batch schedule adaptive): one scalar, as in the paper; card 30-adadagrad',
  about: 'One rate for all parameters, smaller the more gradient has been seen: no rate has to be tuned.',
  formula: ['s ← s + ‖g‖², s₀ = start', 'θ ← θ − lr·g/√s'],
  options: {
    lr: real({ default: 1, min: 0, max: 1e6, help: 'Step length.' }),
    start: real({ default: 0.01, min: 1e-12, max: 1e12, help: 'First value of the accumulator.' }),
  },
  slots: [],
  scalars: { sum: ({ start }) => start },
  stepAll(emit, updates, { sum }, { lr }) {
    const squares = updates.map(({ grad }) => emit.call('ReduceSumSquare', [grad], { keepdims: 0 }));
    const next = squares.reduce((total, s) => emit.Add(total, s), sum);
    const rate = emit.Div(lr, emit.Sqrt(next));
    return {
      updated: updates.map(({ param, grad }) => ({ param: emit.Sub(param, emit.Mul(rate, grad)), slots: {} })),
      scalars: { sum: next },
    };
  },
});
