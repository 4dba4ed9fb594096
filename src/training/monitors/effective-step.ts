import { flag } from '../../base/option.ts';
import { defineMonitor, type Monitor } from '../define.ts';
import { stepLength, weightsOf } from './per-weight.ts';

/** ‖Δθ⊥‖/‖θ‖: the part of the step across θ, which alone turns weights whose scale does not matter. */
export const effectiveStep: Monitor = defineMonitor({
  id: 'effective-step',
  title: 'Effective step size',
  source: 'arXiv:2006.08217, section 2 (AdamP)',
  formula: ['Δ = θ⁺ − θ', 'Δ⊥ = Δ − (⟨Δ, θ⟩/‖θ‖²) θ', '‖Δ⊥‖ / ‖θ‖'],
  unit: 'none',
  scale: 'log',
  options: { weights: flag({ default: false, help: 'One line for each weight.' }) },
  build(emit, view, chosen) {
    if (!chosen.weights) return { '': stepLength(emit, view.flat, true) };
    return Object.fromEntries(weightsOf(view).map((w) => [w.name, stepLength(emit, w, true)]));
  },
});
