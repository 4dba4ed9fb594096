import { flag, real } from '../../base/option.ts';
import { defineOptimizer, type Optimizer } from '../define.ts';
import { decayed, projected, projecting, projectionMonitors, projectionRemarks } from './projecting.ts';

/** The buffer starts at 0, so that the first is (1 − damp)·g, unlike that of `sgd`. */
export const sgdp: Optimizer = defineOptimizer({
  id: 'sgdp',
  source: 'arXiv:2006.08217 (SGDP), algorithm 1; clovaai/AdamP',
  about:
    'SGD with momentum whose step leaves out the part along the weight where the loss does not depend on the length of the weight, as before a normalisation. Such weights then stay nearly as long as they are, so that the steps are not slowed: give it a schedule that lowers the rate. Rows are those of adamp.',
  formula: [
    'b ← μ·b + (1 − damp)·g, d = b or, Nesterov, g + μ·b',
    'first view of w (rows of output channels, then the whole tensor) with max_r |cos(g_r, w_r)| < δ/√k: d_r ← d_r − ŵ_r⟨ŵ_r, d_r⟩, ρ = wdRatio; else ρ = 1',
    'w ← (1 − lr·λ·ρ/(1−μ)) w − lr·d',
  ],
  baseline: { kind: 'sgd', lr: 0.1 },
  options: {
    lr: real({ default: 0.1, min: 0, max: 1e6, help: 'Step length.' }),
    momentum: real({ default: 0, min: 0, max: 0.999999, help: 'How much of the last velocity survives a step.' }),
    dampening: real({ default: 0, min: 0, max: 1, help: 'How much of the gradient is kept out of the velocity.' }),
    weightDecay: real({ default: 0, min: 0, max: 1e6, help: 'Decoupled decay, multiplied by the rate and divided by 1 − momentum.' }),
    eps: real({ default: 1e-8, min: 0, max: 1, help: 'Added to the length of a weight.' }),
    ...projecting,
    nesterov: flag({ default: false, help: 'Step along the velocity of the next step.' }),
  },
  slots: ['velocity'],
  elementwise: false,
  monitors: projectionMonitors,
  remarks: projectionRemarks,
  step(emit, update, { lr, momentum, dampening, weightDecay, eps, delta, wdRatio }, chosen) {
    const { param, grad, slots } = update;
    const one = emit.scalar(1);
    const velocity = emit.Add(emit.Mul(momentum, slots.velocity), emit.Mul(emit.Sub(one, dampening), grad));
    const ahead = chosen.nesterov ? emit.Add(grad, emit.Mul(momentum, velocity)) : velocity;
    const { direction, decay } = projected(emit, update, ahead, { delta, wdRatio, eps });
    const rate = emit.Div(emit.Mul(lr, weightDecay), emit.Sub(one, momentum));
    const kept = chosen.weightDecay === 0 ? param : decayed(emit, param, rate, decay);
    return { param: emit.Sub(kept, emit.Mul(lr, direction)), slots: { velocity } };
  },
});
