import { castLike } from '../../autodiff/shapes.ts';
import { defineMonitor, type Monitor } from '../define.ts';

/** Variances are unbiased (over b − 1). Where losses have weights, ḡ is the plain mean of the rows' own gradients. */
export const gradientNoise: Monitor = defineMonitor({
  id: 'gradient-noise',
  title: 'Gradient noise',
  source: 'arXiv:2402.11215, section 3; arXiv:1710.11258 (inner-product and augmented tests); card 30-adadagrad',
  about:
    'How much the gradients of single rows differ within the batch, beside the gradient they agree on. The variances say how large a batch would have to be.',
  formula: [
    'variance: V = Σᵢ ‖gᵢ − ḡ‖² / (b − 1) = (Σ‖gᵢ‖² − b‖ḡ‖²) / (b − 1)',
    'inner-product: Var(⟨gᵢ, ḡ⟩)',
    'orthogonal: V⊥ = Σᵢ (‖gᵢ‖² − ⟨gᵢ, ḡ⟩²/‖ḡ‖²) / (b − 1), V = V⊥ + Var(⟨gᵢ, ḡ⟩)/‖ḡ‖²',
    'squared-norm: ‖ḡ‖²',
    'of m micro-batches of s rows: V = (Σ‖gᵢ‖² − b‖ḡ‖²)/(b − 1), or s · (Σ‖ḡ_k‖² − m‖ḡ‖²)/(m − 1) with their own gradients ḡ_k; what is along and across ḡ once they are gone through again',
  ],
  unit: 'none',
  scale: 'log',
  options: {},
  build(emit, view) {
    if (view.gathered) {
      const { meanSquare, squaredNorm, spread, parts } = view.gathered;
      const excess = emit.Max(emit.Sub(meanSquare, squaredNorm), emit.scalar(0));
      const told = (sum: string, known: string): string => emit.Where(known, emit.Mul(spread, sum), emit.scalar(Number.NaN));
      return {
        variance: emit.Mul(spread, excess),
        'squared-norm': squaredNorm,
        ...(parts ? { 'inner-product': told(parts.along, parts.known), orthogonal: told(parts.across, parts.known) } : {}),
      };
    }
    const { squares, along, squaredNorm } = view.examples();
    const sum = (v: string): string => emit.ReduceSum(v, { keepdims: 0 });
    const mean = (v: string): string => emit.ReduceMean(v, { keepdims: 0 });
    const least = emit.scalar(1e-37);
    const some = emit.Max(squaredNorm, least);
    // 1, or b over the sum of weights: from the gradient of the loss to the mean of the rows' own.
    const share = emit.Div(mean(along), some);
    const dots = emit.Mul(along, share);
    const norm = emit.Mul(share, mean(along));
    const rest = emit.Sub(castLike(emit, emit.call('Size', [along]), along), emit.scalar(1));
    const spread = emit.Sub(dots, norm);
    const across = emit.Sub(squares, emit.Div(emit.Mul(dots, dots), emit.Max(norm, least)));
    const innerProduct = emit.Div(sum(emit.Mul(spread, spread)), rest);
    const orthogonal = emit.Div(sum(emit.Max(across, emit.scalar(0))), rest);
    // Of the two parts, so that close gradients leave no difference of large numbers.
    const variance = emit.Add(orthogonal, emit.Div(innerProduct, emit.Max(norm, least)));
    return { variance, 'squared-norm': norm, 'inner-product': innerProduct, orthogonal };
  },
});
