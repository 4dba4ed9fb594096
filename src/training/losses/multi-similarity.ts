import { real } from '../../base/option.ts';
import { defineLoss, type Loss } from '../define.ts';
import { logOnePlusSum, nearestIsSame, pairsOf } from './pairs.ts';

/** Per anchor (1/α) ln(1 + Σ_P e^{−α(s−λ)}) + (1/β) ln(1 + Σ_N e^{β(s−λ)}), without mining. */
export const multiSimilarity: Loss = defineLoss({
  id: 'multi-similarity',
  source: 'arXiv:1904.06627, equation 15, without mining',
  about: 'For embeddings: weighs every pair of the batch by how wrong it is beside the others.',
  formula: ['s = cosine', 'L = mean_a (1/α) ln(1 + Σ_P e^{−α(s−λ)}) + (1/β) ln(1 + Σ_N e^{β(s−λ)})'],
  baseline: 'contrastive',
  options: {
    alpha: real({ default: 2, min: 1e-3, max: 1e4, help: 'Sharpness for pairs of one class.' }),
    beta: real({ default: 50, min: 1e-3, max: 1e4, help: 'Sharpness for pairs of two classes.' }),
    base: real({ default: 0.5, min: -1, max: 1, help: 'Cosine λ that pairs of one class should lie above, and others below.' }),
  },
  target: 'class',
  embeds: true,
  build(emit, { logits, target }, { alpha, beta, base }) {
    const pairs = pairsOf(emit, logits, target);
    const above = emit.Sub(pairs.cosines, base);
    const pull = emit.Div(logOnePlusSum(emit, emit.Mul(emit.Neg(alpha), above), pairs.positive, 1), alpha);
    const push = emit.Div(logOnePlusSum(emit, emit.Mul(beta, above), pairs.negative, 1), beta);
    return { perExample: emit.Add(pull, push), right: nearestIsSame(emit, pairs) };
  },
});
