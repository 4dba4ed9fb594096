import { flag, real } from '../../base/option.ts';
import { defineOptimizer, type Optimizer } from '../define.ts';

/**
 * g += λθ; v = αv + (1−α)g²; centered: a = αa + (1−α)g and v − a² in place of v under the root; d = g/(√v + ε), or with
 * momentum b = μ·b + g/(√v + ε), d = b; θ −= lr·d.
 */
export const rmsprop: Optimizer = defineOptimizer({
  id: 'rmsprop',
  source: 'Tieleman, Hinton 2012; centered arXiv:1308.0850; torch.optim.RMSprop',
  options: {
    lr: real({ default: 0.01, min: 0, max: 1e6, help: 'Step length.' }),
    alpha: real({ default: 0.99, min: 0, max: 1, help: 'Decay of the mean of the squared gradient.' }),
    eps: real({ default: 1e-8, min: 0, max: 1, help: 'Added to the root.' }),
    momentum: real({ default: 0, min: 0, max: 1, help: 'How much of the last velocity survives a step.' }),
    weightDecay: real({ default: 0, min: 0, max: 1e6, help: 'L2 penalty, added to the gradient.' }),
    centered: flag({ default: false, help: 'Divide by the deviation of the gradient from its mean.' }),
  },
  slots: ({ momentum, centered }) => ['v', ...(centered ? (['mean'] as const) : []), ...(momentum === 0 ? [] : (['velocity'] as const))],
  elementwise: true,
  step(emit, { param, grad, slots: { v, mean, velocity } }, { lr, alpha, eps, momentum, weightDecay }, chosen) {
    const g = chosen.weightDecay === 0 ? grad : emit.Add(grad, emit.Mul(weightDecay, param));
    const toward = (last: string, now: string): string => emit.Add(emit.Mul(alpha, last), emit.Mul(emit.Sub(emit.scalar(1), alpha), now));
    const square = toward(v, emit.Mul(g, g));
    const centre = chosen.centered ? toward(mean, g) : mean;
    // v − a² is a variance: rounding alone takes it below 0.
    const spread = chosen.centered ? emit.Max(emit.Sub(square, emit.Mul(centre, centre)), emit.scalar(0)) : square;
    const scaled = emit.Div(g, emit.Add(emit.Sqrt(spread), eps));
    const step = chosen.momentum === 0 ? scaled : emit.Add(emit.Mul(momentum, velocity), scaled);
    return { param: emit.Sub(param, emit.Mul(lr, step)), slots: { v: square, mean: centre, velocity: step } };
  },
});
