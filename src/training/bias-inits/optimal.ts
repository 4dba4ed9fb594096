import { type BiasInit, defineBiasInit } from '../define-run.ts';

/** The constant prediction that minimises the loss: ln π_c for softmax, logit π for every sigmoid, π their common share of ones. */
export const optimal: BiasInit = defineBiasInit({
  id: 'optimal',
  source: 'arXiv:1909.04868, section 3.2; card 01-sampling-free',
  about: 'Starts where the shares of the classes put it, so that the first steps do not go into learning how rare they are.',
  formula: ['softmax: b_c = ln(N_c / N)', 'sigmoid: b = −ln((1 − π)/π), π = Σ y / (N · C)'],
  options: {},
  baseline: 'keep',
  values({ counts, rows, marks }) {
    const least = 0.5;
    const shares = Array.from(counts, (n) => Math.max(n, least) / rows);
    if (!marks) return shares.map(Math.log);
    const prior = Math.min(Math.max(Array.from(counts).reduce((a, b) => a + b, 0) / (rows * counts.length), 1e-6), 1 - 1e-6);
    return shares.map(() => -Math.log((1 - prior) / prior));
  },
});
