import { real } from '../../base/option.ts';
import { defineLoss, type Loss } from '../define.ts';
import { classWeighted, classWeights, ownLogProb } from './cross-entropy.ts';

/** −(1 − p_y)^γ·log p_y; class weights α as in cross-entropy: Σ α_y·ℓ / Σ α_y. 1 − p is kept above 0, where a power below 1 has no slope. */
export const focal: Loss = defineLoss({
  id: 'focal',
  source: 'arXiv:1708.02002, eq. 5',
  options: {
    gamma: real({ default: 2, min: 0, max: 10, help: 'How much less a row weighs that is already right; 0 is cross-entropy.' }),
    classWeights,
  },
  target: 'class',
  build(emit, input, { gamma }, chosen) {
    const own = ownLogProb(emit, emit.LogSoftmax(input.logits, { axis: 1 }), input.target);
    const nll = emit.Neg(own);
    const wrong = (): string => emit.Max(emit.Sub(emit.scalar(1), emit.Exp(own)), emit.scalar(1e-12));
    return classWeighted(emit, input, chosen.classWeights, chosen.gamma === 0 ? nll : emit.Mul(emit.Pow(wrong(), gamma), nll));
  },
});
