import { defineRegularizer, type Regularizer } from '../define.ts';
import { alignmentBasics, alignmentOptions, alignmentTerm, domainHeads } from './alignment.ts';

/** The mean term is H̄ ḡ, the product of means, as in the reference. */
export const hgp: Regularizer = defineRegularizer({
  id: 'hgp',
  source: 'Hemati et al. 2023, ICCV, arXiv:2308.11778, its DomainBed form; card 09-hessian-alignment',
  about:
    'Draws the gradients of the last layer, and the Hessian times them, of all domains together, so that what is learnt from one domain holds in the others. Use it with sampler `domains`; rows name their domain in `data.domainKey`.',
  formula: [
    'L̄ + (1/E) Σ_e [ α ‖H_e g_e − sg(H̄ ḡ)‖² + β ‖g_e − sg(ḡ)‖² ],  L̄ = mean_e L_e',
    'g = (1/B) Σ (p − y) φ̃ᵀ,  φ̃ = [φ; 1] the features of the last layer',
    'H V = (1/B) Σ (p ∘ u − p (p·u)) φ̃ᵀ,  u = V φ̃',
  ],
  ...alignmentBasics,
  options: alignmentOptions(1e-4, 'Hessian-gradient products'),
  term(emit, input, hyper, { preset }) {
    const heads = domainHeads(emit, input);
    const products = ['Hessian-gradient products', heads.times(heads.gradients), heads.averageTimes(heads.mean)] as const;
    return alignmentTerm(emit, input, heads, products, hyper, preset);
  },
});
