import { flag, real } from '../../base/option.ts';
import { defineOptimizer, type Optimizer } from '../define.ts';
import { moments } from './adam.ts';
import { decayed, projected, projecting, projectionMonitors, projectionRemarks } from './projecting.ts';

/** The reference views axis 0 as channels; here it is the axis of the output channels, whatever the layer. */
export const adamp: Optimizer = defineOptimizer({
  id: 'adamp',
  source: 'arXiv:2006.08217 (AdamP), algorithm 2; clovaai/AdamP',
  about:
    'AdamW whose step leaves out the part along the weight where the loss does not depend on the length of the weight, as before a normalisation. Momentum then no longer makes such weights grow and their steps shrink. Without normalisation layers it is AdamW. Rows are those of output channels, so of a ConvTranspose those of its second axis, where the reference takes the first, that of input channels.',
  formula: [
    'm ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², d = m / (√v/√(1−β₂ᵗ) + ε)',
    'first view of w (rows of output channels, then the whole tensor) with max_r |cos(g_r, w_r)| < δ/√k: d_r ← d_r − ŵ_r⟨ŵ_r, d_r⟩, ρ = wdRatio; else ρ = 1',
    'w ← (1 − lr·λ·ρ) w − lr/(1−β₁ᵗ) · d',
  ],
  baseline: { kind: 'adamw', weightDecay: 0 },
  options: {
    ...moments,
    weightDecay: real({ default: 0, min: 0, max: 1e6, help: 'Decoupled decay, multiplied by the rate.' }),
    ...projecting,
    nesterov: flag({ default: false, help: 'Step along the mean of the next step.' }),
  },
  slots: ['m', 'v'],
  elementwise: false,
  monitors: projectionMonitors,
  remarks: projectionRemarks,
  step(emit, update, { lr, beta1, beta2, eps, weightDecay, delta, wdRatio }, chosen, t) {
    const { param, grad, slots } = update;
    const one = emit.scalar(1);
    const toward = (beta: string, last: string, now: string): string => emit.Add(emit.Mul(beta, last), emit.Mul(emit.Sub(one, beta), now));
    const m = toward(beta1, slots.m, grad);
    const v = toward(beta2, slots.v, emit.Mul(grad, grad));
    const root = emit.Add(emit.Div(emit.Sqrt(v), emit.Sqrt(emit.Sub(one, emit.Pow(beta2, t)))), eps);
    const ahead = emit.Div(chosen.nesterov ? toward(beta1, m, grad) : m, root);
    const { direction, decay } = projected(emit, update, ahead, { delta, wdRatio, eps });
    const kept = chosen.weightDecay === 0 ? param : decayed(emit, param, emit.Mul(lr, weightDecay), decay);
    const rate = emit.Div(lr, emit.Sub(one, emit.Pow(beta1, t)));
    return { param: emit.Sub(kept, emit.Mul(rate, direction)), slots: { m, v } };
  },
});
