import { int } from '../../base/option.ts';
import { defineRegularizer, type Regularizer } from '../define.ts';
import { alignmentBasics, alignmentOptions, alignmentTerm, domainHeads } from './alignment.ts';

/** All domains of a step share its probes, which takes most of the noise out of their differences. */
export const hutchinson: Regularizer = defineRegularizer({
  id: 'hutchinson',
  source: 'Hemati et al. 2023, ICCV, arXiv:2308.11778, its DomainBed form with shared probes; card 09-hessian-alignment',
  about:
    'Draws the gradients of the last layer and estimated diagonals of its Hessian of all domains together. `diag-exact` has the diagonals themselves at less cost; this form is for fidelity to the paper. Use it with sampler `domains`; rows name their domain in `data.domainKey`.',
  formula: [
    'L̄ + (1/E) Σ_e [ α ‖d_e − sg(d̄)‖² + β ‖g_e − sg(ḡ)‖² ],  L̄ = mean_e L_e',
    'd = (1/K) Σ_k z_k ∘ H z_k,  z_k of random signs',
    'H V = (1/B) Σ (p ∘ u − p (p·u)) φ̃ᵀ,  u = V φ̃,  φ̃ = [φ; 1] the features of the last layer',
  ],
  ...alignmentBasics,
  options: {
    ...alignmentOptions(1e-3, 'diagonals of the Hessian'),
    probes: int({ default: 300, min: 1, max: 100_000, help: 'Random vectors that each step estimates the diagonals from.' }),
  },
  // Of a layer without bias the last column is not read.
  draws: ({ features, outputs }, { probes }) => ({ z: { of: 'rademacher', dims: [probes, outputs, features + 1] } }),
  term(emit, input, hyper, { preset, probes }) {
    const heads = domainHeads(emit, input);
    const z = input.layer?.bias === '' ? emit.Slice(input.own.z, emit.ints([0]), emit.ints([-1]), emit.ints([2])) : input.own.z;
    const estimates = heads.probed(z, probes);
    return alignmentTerm(emit, input, heads, ['diagonals', estimates, heads.average(estimates)], hyper, preset);
  },
});
