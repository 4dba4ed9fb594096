import { real } from '../../base/option.ts';
import { defineLoss, type Loss } from '../define.ts';
import { logSum, nearestIsSame, pairsOf, rowShares } from './pairs.ts';
import { softplus } from './softplus.ts';

/**
 * Cross-entropy of a positive among itself and the rows of all other classes, meaned over all ordered pairs of one class. With two
 * rows of every class each is once the anchor, and once the positive.
 */
export const nPair: Loss = defineLoss({
  id: 'n-pair',
  source: 'Sohn 2016, NeurIPS, "Improved Deep Metric Learning with Multi-class N-pair Loss Objective", equation 6; on scaled cosines',
  about: 'For embeddings: the other row of the class should win a softmax over itself and all rows of other classes.',
  formula: ['z = scale · e/‖e‖', 'L = mean_{(a,p) ∈ P} ln(1 + Σ_{n ∈ N(a)} e^{z_a·z_n − z_a·z_p})'],
  baseline: 'contrastive',
  options: { scale: real({ default: 10, min: 1e-3, max: 1e3, help: 'Length that embeddings are brought to.' }) },
  target: 'class',
  embeds: true,
  build(emit, { logits, target }, { scale }) {
    const pairs = pairsOf(emit, logits, target);
    const products = emit.Mul(emit.Mul(scale, scale), pairs.cosines);
    const lost = softplus(emit, emit.Sub(logSum(emit, products, pairs.negative, 1), products));
    return {
      perExample: rowShares(emit, emit.Mul(pairs.positive, lost), pairs.positive, pairs.count),
      right: nearestIsSame(emit, pairs),
    };
  },
});
