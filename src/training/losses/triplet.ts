import { real } from '../../base/option.ts';
import { defineLoss, type Loss } from '../define.ts';
import { distances, nearestIsSame, pairsOf } from './pairs.ts';

/** [m + d(a, farthest positive) − d(a, nearest negative)]₊, meaned over anchors that have both. */
export const triplet: Loss = defineLoss({
  id: 'triplet',
  source: 'arXiv:1703.07737 (batch hard); Schroff et al., arXiv:1503.03832',
  about: 'For embeddings: every row should lie closer to the farthest of its class than to the nearest of another, by a margin.',
  formula: ['L = mean_a [m + max_P d(a, p) − min_N d(a, n)]₊'],
  baseline: 'cross-entropy',
  options: { margin: real({ default: 0.2, min: 0, max: 2, help: 'By how much.' }) },
  target: 'class',
  embeds: true,
  build(emit, { logits, target }, { margin }) {
    const pairs = pairsOf(emit, logits, target);
    const axis = emit.ints([1]);
    const d = distances(emit, pairs.cosines);
    const among = (mask: string, other: number): string => emit.Where(emit.Greater(mask, emit.scalar(0.5)), d, emit.scalar(other));
    const has = (mask: string): string => emit.ReduceMax(mask, axis, { keepdims: 0 });
    const farthest = emit.ReduceMax(among(pairs.positive, 0), axis, { keepdims: 0 });
    const nearest = emit.ReduceMin(among(pairs.negative, 4), axis, { keepdims: 0 });
    const valid = emit.Mul(has(pairs.positive), has(pairs.negative));
    const hinge = emit.Relu(emit.Add(margin, emit.Sub(farthest, nearest)));
    const anchors = emit.Max(emit.ReduceSum(valid, { keepdims: 0 }), emit.scalar(1));
    return { perExample: emit.Mul(emit.Mul(valid, hinge), emit.Div(pairs.count, anchors)), right: nearestIsSame(emit, pairs) };
  },
});
