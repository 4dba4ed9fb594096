import { real } from '../../base/option.ts';
import { defineLoss, type Loss } from '../define.ts';
import { distances, floatCode, nearestIsSame, pairsOf, rowShares } from './pairs.ts';

/** Mean of the distances of positive pairs that are not 0, plus that of the [m − d]₊ of negative ones, each over its own pairs. */
export const contrastive: Loss = defineLoss({
  id: 'contrastive',
  source: 'Hadsell et al. 2006, doi:10.1109/CVPR.2006.100; averaged over terms that are not 0 as in arXiv:2003.08505',
  about: 'For embeddings: draws rows of one class together and pushes others apart, up to a margin.',
  formula: ['z = e/‖e‖, d = ‖z_i − z_j‖', 'L = mean_{P, d > 0} d + mean_{N, d < m} (m − d)'],
  baseline: 'cross-entropy',
  options: { margin: real({ default: 0.5, min: 1e-3, max: 2, help: 'Distance beyond which rows of two classes are far enough apart.' }) },
  target: 'class',
  embeds: true,
  build(emit, { logits, target }, { margin }) {
    const pairs = pairsOf(emit, logits, target);
    const to = floatCode(emit, logits);
    const d = distances(emit, pairs.cosines);
    const close = emit.Cast(emit.Greater(d, emit.scalar(2e-6)), { to });
    const pull = emit.Mul(pairs.positive, close);
    const hinge = emit.Relu(emit.Sub(margin, d));
    const push = emit.Mul(pairs.negative, emit.Cast(emit.Greater(hinge, emit.scalar(0)), { to }));
    const perExample = emit.Add(
      rowShares(emit, emit.Mul(pull, d), pull, pairs.count),
      rowShares(emit, emit.Mul(push, hinge), push, pairs.count),
    );
    return { perExample, right: nearestIsSame(emit, pairs) };
  },
});
