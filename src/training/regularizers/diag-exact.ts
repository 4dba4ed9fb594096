import { defineRegularizer, type Regularizer } from '../define.ts';
import { alignmentBasics, alignmentOptions, alignmentTerm, domainHeads } from './alignment.ts';

/** Hutchinson's estimate in the limit of many probes. */
export const diagExact: Regularizer = defineRegularizer({
  id: 'diag-exact',
  source: 'Hemati et al. 2023, ICCV, arXiv:2308.11778, with the diagonal in closed form; card 09-hessian-alignment',
  about:
    'Draws the gradients of the last layer and the diagonals of its Hessian of all domains together: `hutchinson` without its noise. Use it with sampler `domains`; rows name their domain in `data.domainKey`.',
  formula: [
    'L̄ + (1/E) Σ_e [ α ‖d_e − sg(d̄)‖² + β ‖g_e − sg(ḡ)‖² ],  L̄ = mean_e L_e',
    'g = (1/B) Σ (p − y) φ̃ᵀ,  φ̃ = [φ; 1] the features of the last layer',
    'd = diag H = (1/B) Σ (p ∘ (1 − p)) (φ̃ ∘ φ̃)ᵀ',
  ],
  ...alignmentBasics,
  options: alignmentOptions(1e-3, 'diagonals of the Hessian'),
  term(emit, input, hyper, { preset }) {
    const heads = domainHeads(emit, input);
    const diagonals = heads.diagonals();
    return alignmentTerm(emit, input, heads, ['diagonals', diagonals, heads.average(diagonals)], hyper, preset);
  },
});
