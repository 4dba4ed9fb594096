import { defineMonitor, type Monitor } from '../define.ts';
import { standardised } from '../losses/standardised.ts';

const codes = { float32: 1, float64: 11 } as const;

/** Rows with σ < 1e-6·(1 + |μ|): their logits are equal, and a shift and scale invariant loss has no direction there. */
export const flatLogits: Monitor = defineMonitor({
  id: 'flat-logits',
  title: 'Rows with equal logits',
  source: 'arXiv:1604.08859; card 27-z-loss',
  about: 'Where all logits of a row are equal, as with a last layer that starts at zero, z-loss has no gradient to follow.',
  formula: ['share of rows with σ(o) < 10⁻⁶ (1 + |μ(o)|)'],
  unit: 'fraction',
  options: {},
  build(emit, { logits }) {
    const { mean, variance } = standardised(emit, logits);
    const least = emit.Mul(emit.scalar(1e-6), emit.Add(emit.scalar(1), emit.Abs(mean)));
    const flat = emit.Less(emit.Sqrt(variance), least);
    const code = codes[emit.type(logits)?.dtype === 'float64' ? 'float64' : 'float32'];
    return { '': emit.ReduceMean(emit.Cast(flat, { to: code }), { keepdims: 0 }) };
  },
});
