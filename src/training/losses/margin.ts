import { real } from '../../base/option.ts';
import { defineLoss, type Loss } from '../define.ts';
import { oneHot } from '../one-hot.ts';
import { classWeighted, classWeights } from './cross-entropy.ts';

/** Of lengths ‖v_k‖ between 0 and 1: Σ_k T_k·max(0, m⁺−‖v_k‖)² + λ(1−T_k)·max(0, ‖v_k‖−m⁻)². */
export const margin: Loss = defineLoss({
  id: 'margin',
  source: 'Sabour, Frosst, Hinton 2017, arXiv:1710.09829, eq. 4; card 35-domain-weighted-capsules',
  about: 'The loss of capsules: the length of the right one should be at least `upper`, of the others at most `lower`.',
  formula: ['ℓ = Σ_k [k = y]·max(0, upper − ‖v_k‖)² + absent·[k ≠ y]·max(0, ‖v_k‖ − lower)²'],
  options: {
    upper: real({ default: 0.9, min: 0, max: 1, help: 'Length that the class of the row should reach.' }),
    lower: real({ default: 0.1, min: 0, max: 1, help: 'Length that other classes should stay below.' }),
    absent: real({ default: 0.5, min: 0, max: 100, help: 'Weight of the other classes.' }),
    classWeights,
  },
  baseline: 'cross-entropy',
  target: 'class',
  unitless: true,
  build(emit, input, { upper, lower, absent }, chosen) {
    const { logits, target, classes } = input;
    const float = emit.type(logits)?.dtype ?? 'float32';
    const zero = emit.scalar(0, float);
    const one = emit.scalar(1, float);
    const squares = (v: string): string => {
      const open = emit.Max(v, zero);
      return emit.Mul(open, open);
    };
    const marks = oneHot(emit, target, classes, float === 'float64' ? 11 : 1);
    const present = emit.Mul(marks, squares(emit.Sub(upper, logits)));
    const others = emit.Mul(absent, emit.Mul(emit.Sub(one, marks), squares(emit.Sub(logits, lower))));
    const perExample = emit.ReduceSum(emit.Add(present, others), emit.ints([1]), { keepdims: 0 });
    return classWeighted(emit, input, chosen.classWeights, perExample);
  },
});
