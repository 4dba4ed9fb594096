import { real } from '../../base/option.ts';
import { defineOptimizer, type Optimizer } from '../define.ts';

/** g += λθ; s += g²; θ −= lr/(1+(t−1)·lrDecay) · g/(√(s₀ + s) + ε). */
export const adagrad: Optimizer = defineOptimizer({
  id: 'adagrad',
  source: 'Duchi, Hazan, Singer 2011; torch.optim.Adagrad; arXiv:2402.11215 (AdAdaGrad, with batch schedule adaptive)',
  about: 'A rate of its own for every coordinate, smaller where gradients have been large.',
  formula: ['s ← s + g², s₀ = 0', 'θ ← θ − lr/(1 + (t − 1)·lrDecay) · g/(√(initial + s) + eps)'],
  options: {
    lr: real({ default: 0.01, min: 0, max: 1e6, help: 'Step length.' }),
    lrDecay: real({ default: 0, min: 0, max: 1e6, help: 'Divides the rate by 1 + (t−1)·lrDecay.' }),
    initial: real({ default: 0, min: 0, max: 1e12, help: 'First value of the sum of squares.' }),
    eps: real({ default: 1e-10, min: 0, max: 1, help: 'Added to the root.' }),
    weightDecay: real({ default: 0, min: 0, max: 1e6, help: 'L2 penalty, added to the gradient.' }),
  },
  slots: ['sum'],
  elementwise: true,
  step(emit, { param, grad, slots: { sum } }, { lr, lrDecay, initial, eps, weightDecay }, chosen, t) {
    const one = emit.scalar(1);
    const g = chosen.weightDecay === 0 ? grad : emit.Add(grad, emit.Mul(weightDecay, param));
    const next = emit.Add(sum, emit.Mul(g, g));
    const rate = emit.Div(lr, emit.Add(one, emit.Mul(emit.Sub(t, one), lrDecay)));
    const squares = chosen.initial === 0 ? next : emit.Add(initial, next);
    const step = emit.Div(g, emit.Add(emit.Sqrt(squares), eps));
    return { param: emit.Sub(param, emit.Mul(rate, step)), slots: { sum: next } };
  },
});
