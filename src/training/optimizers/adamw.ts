import { real } from '../../base/option.ts';
import { defineOptimizer, type Optimizer } from '../define.ts';
import { adamStep, moments } from './adam.ts';

/** θ *= 1 − lr·λ first, then Adam with the undecayed gradient. */
export const adamw: Optimizer = defineOptimizer({
  id: 'adamw',
  source: 'arXiv:1711.05101; torch.optim.AdamW',
  options: {
    ...moments,
    weightDecay: real({ default: 0.01, min: 0, max: 1e6, help: 'Decoupled decay, multiplied by the rate.' }),
  },
  slots: ['m', 'v'],
  elementwise: true,
  step(emit, { param, grad, slots }, hyper, _, t) {
    const decayed = emit.Mul(param, emit.Sub(emit.scalar(1), emit.Mul(hyper.lr, hyper.weightDecay)));
    return adamStep(emit, { param: decayed, grad, slots }, hyper, t);
  },
});
