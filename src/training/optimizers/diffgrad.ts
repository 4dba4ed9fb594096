import { real } from '../../base/option.ts';
import { defineOptimizer, type Optimizer } from '../define.ts';
import { moments } from './adam.ts';

/** ε is added before the bias correction, as in the reference. The gradient kept from step to step is the decayed one. */
export const diffgrad: Optimizer = defineOptimizer({
  id: 'diffgrad',
  source: 'arXiv:1909.11015; diffGrad_v2.py of shivram1987/diffGrad',
  about:
    "Adam whose step is multiplied by the friction ξ, near 1 where the gradient changes much from step to step and 1/2 where it does not. Where changes of gradients are far below 1 it is Adam at half the rate; the monitor 'friction' says so. In the code that the paper was measured with, the gradient before is the gradient itself, so that ξ is 1/2 everywhere: its tables are no evidence for the friction.",
  formula: [
    'g_t = ∇L + λθ, m ← β₁m + (1−β₁)g_t, v ← β₂v + (1−β₂)g_t²',
    'ξ = 1 / (1 + exp(−|g_{t−1} − g_t|)), g₀ = 0',
    'θ ← θ − lr · √(1−β₂ᵗ)/(1−β₁ᵗ) · ξ·m / (√v + ε)',
  ],
  baseline: 'adam',
  options: {
    ...moments,
    eps: real({ default: 1e-8, min: 0, max: 1, help: 'Added to the root, before the bias correction.' }),
    weightDecay: real({ default: 0, min: 0, max: 1e6, help: 'L2 penalty, added to the gradient.' }),
  },
  slots: ['m', 'v', 'previous'],
  elementwise: true,
  monitors: ['friction'],
  step(emit, { param, grad, slots }, { lr, beta1, beta2, eps, weightDecay }, chosen, t) {
    const one = emit.scalar(1);
    const g = chosen.weightDecay === 0 ? grad : emit.Add(grad, emit.Mul(weightDecay, param));
    const m = emit.Add(emit.Mul(beta1, slots.m), emit.Mul(emit.Sub(one, beta1), g));
    const v = emit.Add(emit.Mul(beta2, slots.v), emit.Mul(emit.Sub(one, beta2), emit.Mul(g, g)));
    const friction = emit.Sigmoid(emit.Abs(emit.Sub(slots.previous, g)));
    const rate = emit.Div(emit.Mul(lr, emit.Sqrt(emit.Sub(one, emit.Pow(beta2, t)))), emit.Sub(one, emit.Pow(beta1, t)));
    const step = emit.Div(emit.Mul(friction, m), emit.Add(emit.Sqrt(v), eps));
    return { param: emit.Sub(param, emit.Mul(rate, step)), slots: { m, v, previous: g } };
  },
});
