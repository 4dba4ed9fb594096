import { flag, real } from '../../base/option.ts';
import { defineOptimizer, type Optimizer } from '../define.ts';

/**
 * g += λθ; buf = μ·buf + (1−damp)·g (the first buffer is g); d = g + μ·buf (Nesterov) or buf; θ −= lr·d.
 * The rate multiplies the buffer, so changing it rescales past momentum.
 */
export const sgd: Optimizer = defineOptimizer({
  id: 'sgd',
  source: 'Polyak 1964, doi:10.1016/0041-5553(64)90137-5; torch.optim.SGD',
  options: {
    lr: real({ default: 0.01, min: 0, max: 1e6, help: 'Step length.' }),
    momentum: real({ default: 0, min: 0, max: 1, help: 'How much of the last velocity survives a step.' }),
    dampening: real({ default: 0, min: 0, max: 1, help: 'How much of the gradient is kept out of the velocity.' }),
    weightDecay: real({ default: 0, min: 0, max: 1e6, help: 'L2 penalty, added to the gradient.' }),
    nesterov: flag({ default: false, help: 'Step along the velocity of the next step.' }),
  },
  slots: ({ momentum }) => (momentum === 0 ? [] : ['velocity']),
  elementwise: true,
  step(emit, { param, grad, slots: { velocity } }, { lr, momentum, dampening, weightDecay }, chosen, t) {
    const g = chosen.weightDecay === 0 ? grad : emit.Add(grad, emit.Mul(weightDecay, param));
    if (chosen.momentum === 0) return { param: emit.Sub(param, emit.Mul(lr, g)), slots: { velocity } };
    const one = emit.scalar(1);
    const kept = emit.Where(emit.Equal(t, one), one, emit.Sub(one, dampening));
    const next = emit.Add(emit.Mul(momentum, velocity), chosen.dampening === 0 ? g : emit.Mul(kept, g));
    const direction = chosen.nesterov ? emit.Add(g, emit.Mul(momentum, next)) : next;
    return { param: emit.Sub(param, emit.Mul(lr, direction)), slots: { velocity: next } };
  },
});
