import { real } from '../../base/option.ts';
import { defineLossScaling, type LossScaling } from '../define.ts';

/** w = other/loss as a constant; where that is 0 or not finite, the running mean of those before. */
export const guided: LossScaling = defineLossScaling({
  id: 'guided',
  source: 'arXiv:1909.04868, section 3.3; card 01-sampling-free',
  about: 'Multiplies the loss by a factor that gives it the size of the other terms, step by step.',
  formula: ['w = stopgrad(L_other / L)', 'objective = w·L + L_other'],
  options: { decay: real({ default: 0.9, min: 0, max: 1, help: 'Share of the running mean of factors that stays.' }) },
  baseline: 'none',
  guide: {
    scalars: { mean: 1 },
    scale(emit, { loss, other }, { mean }, { decay }) {
      const ratio = emit.Div(other, loss);
      const usable = emit.And(emit.Greater(ratio, emit.scalar(0)), emit.Less(ratio, emit.scalar(Number.MAX_VALUE / 2)));
      const next = emit.Add(emit.Mul(emit.scalar(decay), mean), emit.Mul(emit.scalar(1 - decay), ratio));
      return { factor: emit.Where(usable, ratio, mean), scalars: { mean: emit.Where(usable, next, mean) } };
    },
  },
});
