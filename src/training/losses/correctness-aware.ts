import { choice } from '../../base/option.ts';
import { defineLoss, type Loss } from '../define.ts';

const INT64 = 7;
const codes = { float32: 1, float64: 11 } as const;

/**
 * w·(ĉ − a)² with the confidence ĉ = max softmax and a = 1 where the largest logit is the label's (Liu et al. 2024); balanced: of a
 * batch with the share r right, w = 1 − r for the right and r for the wrong rows, so that a batch of one outcome has no loss.
 */
export const correctnessAware: Loss = defineLoss({
  id: 'correctness-aware',
  source: 'arXiv:2404.13016',
  options: {
    weighting: choice({
      default: 'none',
      of: ['none', 'balanced'],
      help: 'Whether right and wrong rows weigh the same each, or as two halves.',
    }),
  },
  target: 'class',
  build(emit, { logits, target }, _hyper, { weighting }) {
    const axis = emit.ints([1]);
    const code = codes[emit.type(logits)?.dtype === 'float64' ? 'float64' : 'float32'];
    const confidence = emit.ReduceMax(emit.Softmax(logits, { axis: 1 }), axis, { keepdims: 0 });
    const hit = emit.Equal(emit.ArgMax(logits, { axis: 1, keepdims: 0 }), emit.Cast(target, { to: INT64 }));
    const right = emit.Cast(hit, { to: code });
    const off = emit.Sub(confidence, right);
    const squared = emit.Mul(off, off);
    if (weighting === 'none') return { perExample: squared };
    const rate = emit.ReduceMean(right, { keepdims: 0 });
    const weights = emit.Sub(emit.Add(rate, right), emit.Mul(emit.scalar(2), emit.Mul(rate, right)));
    return { perExample: emit.Mul(weights, squared), weights };
  },
});
