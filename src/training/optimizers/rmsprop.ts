import { real } from '../../base/option.ts';
import { defineOptimizer, type Optimizer } from '../define.ts';

/** v = αv + (1−α)g²; θ −= lr·g/(√v + ε). */
export const rmsprop: Optimizer = defineOptimizer({
  id: 'rmsprop',
  source: 'Tieleman, Hinton 2012; torch.optim.RMSprop',
  options: {
    lr: real({ default: 0.01, min: 0, max: 1e6, help: 'Step length.' }),
    alpha: real({ default: 0.99, min: 0, max: 1, help: 'Decay of the mean of the squared gradient.' }),
    eps: real({ default: 1e-8, min: 0, max: 1, help: 'Added to the root.' }),
    weightDecay: real({ default: 0, min: 0, max: 1e6, help: 'L2 penalty, added to the gradient.' }),
  },
  slots: ['v'],
  elementwise: true,
  step(emit, { param, grad, slots: { v } }, { lr, alpha, eps, weightDecay }, chosen) {
    const g = chosen.weightDecay === 0 ? grad : emit.Add(grad, emit.Mul(weightDecay, param));
    const next = emit.Add(emit.Mul(alpha, v), emit.Mul(emit.Sub(emit.scalar(1), alpha), emit.Mul(g, g)));
    const step = emit.Div(g, emit.Add(emit.Sqrt(next), eps));
    return { param: emit.Sub(param, emit.Mul(lr, step)), slots: { v: next } };
  },
});
