import { real } from '../../base/option.ts';
import { defineLoss, type Loss } from '../define.ts';
import { nearestIsSame, pairsOf, rowShares } from './pairs.ts';
import { softplus } from './softplus.ts';

/** mean_P ln(1 + e^{−a(s−b)}) + mean_N ln(1 + e^{ac(s−b)}), each over all pairs of its kind. */
export const binomialDeviance: Loss = defineLoss({
  id: 'binomial-deviance',
  source: 'Yi et al. 2014, arXiv:1407.4979; with the constants of arXiv:1801.04815 and arXiv:1912.04451',
  about: 'For embeddings: a logistic loss on every pair of the batch, that costs little once a pair lies well on its side of a cosine.',
  formula: ['s = cosine', 'L = mean_P ln(1 + e^{−a(s−b)}) + mean_N ln(1 + e^{ac(s−b)})'],
  baseline: 'contrastive',
  options: {
    alpha: real({ default: 2, min: 1e-3, max: 1e4, help: 'Sharpness a for pairs of one class.' }),
    base: real({ default: 0.5, min: -1, max: 1, help: 'Cosine b that pairs of one class should lie above, and others below.' }),
    cost: real({ default: 25, min: 1e-3, max: 1e4, help: 'Factor c of the sharpness for pairs of two classes.' }),
  },
  target: 'class',
  embeds: true,
  build(emit, { logits, target }, { alpha, base, cost }) {
    const pairs = pairsOf(emit, logits, target);
    const above = emit.Mul(alpha, emit.Sub(pairs.cosines, base));
    const meaned = (mask: string, x: string): string => rowShares(emit, emit.Mul(mask, softplus(emit, x)), mask, pairs.count);
    const perExample = emit.Add(meaned(pairs.positive, emit.Neg(above)), meaned(pairs.negative, emit.Mul(cost, above)));
    return { perExample, right: nearestIsSame(emit, pairs) };
  },
});
