import { type RealOption, real } from '../../base/option.ts';
import type { Emit } from '../../graph/emit.ts';
import { defineOptimizer, type Hyper, type Optimizer, type Update, type Updated } from '../define.ts';

export const moments: Readonly<Record<'lr' | 'beta1' | 'beta2' | 'eps', RealOption>> = {
  lr: real({ default: 1e-3, min: 0, max: 1e6, help: 'Step length.' }),
  beta1: real({ default: 0.9, min: 0, max: 0.999999, help: 'Decay of the mean of the gradient.' }),
  beta2: real({ default: 0.999, min: 0, max: 0.99999999, help: 'Decay of the mean of its square.' }),
  eps: real({ default: 1e-8, min: 0, max: 1, help: 'Added to the root, outside the bias correction.' }),
};

/** m = β₁m + (1−β₁)g; v = β₂v + (1−β₂)g²; θ −= lr/(1−β₁ᵗ) · m / (√v/√(1−β₂ᵗ) + ε). */
export const adamStep = (
  emit: Emit,
  { param, grad, slots: { m, v } }: Pick<Update<'m' | 'v'>, 'param' | 'grad' | 'slots'>,
  { lr, beta1, beta2, eps }: Hyper<typeof moments>,
  t: string,
): Updated<'m' | 'v'> => {
  const one = emit.scalar(1);
  const mean = emit.Add(emit.Mul(beta1, m), emit.Mul(emit.Sub(one, beta1), grad));
  const square = emit.Add(emit.Mul(beta2, v), emit.Mul(emit.Sub(one, beta2), emit.Mul(grad, grad)));
  const rate = emit.Div(lr, emit.Sub(one, emit.Pow(beta1, t)));
  const correction = emit.Sqrt(emit.Sub(one, emit.Pow(beta2, t)));
  const root = emit.Add(emit.Div(emit.Sqrt(square), correction), eps);
  return { param: emit.Sub(param, emit.Mul(rate, emit.Div(mean, root))), slots: { m: mean, v: square } };
};

export const adam: Optimizer = defineOptimizer({
  id: 'adam',
  source: 'arXiv:1412.6980; torch.optim.Adam',
  options: {
    ...moments,
    weightDecay: real({ default: 0, min: 0, max: 1e6, help: 'L2 penalty, added to the gradient.' }),
  },
  slots: ['m', 'v'],
  elementwise: true,
  step(emit, { param, grad, slots }, hyper, chosen, t) {
    const g = chosen.weightDecay === 0 ? grad : emit.Add(grad, emit.Mul(hyper.weightDecay, param));
    return adamStep(emit, { param, grad: g, slots }, hyper, t);
  },
});
