import { real } from '../../base/option.ts';
import { defineLoss, type Loss } from '../define.ts';
import { oneHot } from '../one-hot.ts';
import { floatCode, logOnePlusSum, unitRows } from './pairs.ts';

/**
 * Learned proxies, one per class, as anchors: over those with a row in the batch the mean of ln(1 + Σ_P e^{−α(s−δ)}), plus over all the
 * mean of ln(1 + Σ_N e^{α(s+δ)}). It is one number for the batch, given to every row.
 */
export const proxyAnchor: Loss = defineLoss({
  id: 'proxy-anchor',
  source: 'arXiv:2003.13911, equation 4',
  about: 'For embeddings: rows gather around a learned point of their class, so that few pairs say what many would.',
  formula: ['L = mean_{p present} ln(1 + Σ_P e^{−α(s(x,p)−δ)}) + mean_p ln(1 + Σ_N e^{α(s(x,p)+δ)})'],
  baseline: 'contrastive',
  options: {
    alpha: real({ default: 32, min: 1e-3, max: 1e4, help: 'Sharpness.' }),
    margin: real({ default: 0.1, min: 0, max: 1, help: 'Margin δ of the cosines.' }),
  },
  target: 'class',
  embeds: true,
  parameters: ({ classes, outputs }) => ({ proxies: { dims: [classes, outputs], first: (r) => r.normal() } }),
  build(emit, { logits, target, classes, own }, { alpha, margin }) {
    const to = floatCode(emit, logits);
    const cosines = emit.MatMul(unitRows(emit, logits), emit.Transpose(unitRows(emit, own.proxies), { perm: [1, 0] }));
    const positive = oneHot(emit, target, classes, to);
    const negative = emit.Sub(emit.scalar(1), positive);
    const pull = logOnePlusSum(emit, emit.Mul(emit.Neg(alpha), emit.Sub(cosines, margin)), positive, 0);
    const push = logOnePlusSum(emit, emit.Mul(alpha, emit.Add(cosines, margin)), negative, 0);
    const present = emit.ReduceSum(emit.ReduceMax(positive, emit.ints([0]), { keepdims: 0 }), { keepdims: 0 });
    const total = emit.Add(emit.Div(emit.ReduceSum(pull, { keepdims: 0 }), present), emit.ReduceMean(push, { keepdims: 0 }));
    const nearest = emit.ArgMax(cosines, { axis: 1, keepdims: 0 });
    return { perExample: emit.Expand(total, emit.Shape(target)), right: emit.Cast(emit.Equal(nearest, target), { to }) };
  },
});
