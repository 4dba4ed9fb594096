import { defineMonitor, type Monitor } from '../define.ts';

/** ‖Δθ⊥‖/‖θ‖: the part of the step across θ, which alone turns weights whose scale does not matter. */
export const effectiveStep: Monitor = defineMonitor({
  id: 'effective-step',
  title: 'Effective step size',
  source: 'arXiv:2006.08217, section 2 (AdamP)',
  formula: ['Δ = θ⁺ − θ', 'Δ⊥ = Δ − (⟨Δ, θ⟩/‖θ‖²) θ', '‖Δ⊥‖ / ‖θ‖'],
  unit: 'none',
  scale: 'log',
  options: {},
  build(emit, { flat: { before, after } }) {
    const sum = (v: string): string => emit.ReduceSum(v, { keepdims: 0 });
    const step = emit.Sub(after, before);
    const squares = emit.Max(sum(emit.Mul(before, before)), emit.scalar(1e-24));
    const along = emit.Mul(before, emit.Div(sum(emit.Mul(step, before)), squares));
    return { '': emit.Div(emit.call('ReduceL2', [emit.Sub(step, along)], { keepdims: 0 }), emit.Sqrt(squares)) };
  },
});
