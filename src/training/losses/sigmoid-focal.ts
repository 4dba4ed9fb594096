import { real } from '../../base/option.ts';
import type { Emit } from '../../graph/emit.ts';
import { defineLoss, type Loss } from '../define.ts';
import { oneHot } from '../one-hot.ts';
import { NOT_ABOVE } from '../selected.ts';
import { softplus } from './softplus.ts';

const codes = { float32: 1, float64: 11 } as const;
/** What a row weighs whose own class takes no part, so that a batch without any has a finite loss. */
const LEAST = 1e-3;

/** −α (1 − p)^γ ln p where `marks` are 1, −(1 − α) p^γ ln(1 − p) where they are 0, p = σ(z). */
export const focalEach = (emit: Emit, z: string, marks: string, alpha: string, gamma: string): string => {
  const one = emit.scalar(1);
  const power = (p: string): string => emit.Pow(emit.Max(p, emit.scalar(1e-30)), gamma);
  const own = emit.Mul(alpha, emit.Mul(power(emit.Sigmoid(emit.Neg(z))), softplus(emit, emit.Neg(z))));
  const other = emit.Mul(emit.Sub(one, alpha), emit.Mul(power(emit.Sigmoid(z)), softplus(emit, z)));
  return emit.Add(emit.Mul(marks, own), emit.Mul(emit.Sub(one, marks), other));
};

/** Focal loss of one sigmoid for each class, over the classes that take part: Σ / number of rows whose own class does. */
export const sigmoidFocal: Loss = defineLoss({
  id: 'sigmoid-focal',
  source: 'arXiv:1708.02002; arXiv:2503.18430 (CQ-DINO); card 02-cq-dino',
  about:
    'One sigmoid for each class. With category queries only selected classes take part, and those not selected receive no gradient from it; in the first steps the own class takes part in any case, which is an addition of ours.',
  formula: [
    'own class: −α (1 − p)^γ ln p;  others: −(1 − α) p^γ ln(1 − p),  p = σ(z)',
    'Σ over selected classes / number of rows whose own class is selected',
  ],
  options: {
    alpha: real({ default: 0.25, min: 0, max: 1, help: 'What the own class weighs; others weigh 1 − alpha.' }),
    gamma: real({ default: 2, min: 0, max: 10, help: 'How much less a class weighs that is already right.' }),
    force: real({
      default: 0.2,
      min: 0,
      max: 1,
      help: 'Share of the steps, the first, in which the own class takes part though it was not selected; 0 for never.',
    }),
  },
  baseline: 'cross-entropy',
  target: 'class',
  scheduled: { forced: ({ t, total }, { force }) => (t < force * total ? 1 : 0) },
  build(emit, { logits, target, classes, given }, hyper) {
    const { alpha, gamma } = hyper;
    const { forced } = hyper as Readonly<Record<string, string>>;
    const axis = emit.ints([1]);
    const [zero, one] = [emit.scalar(0), emit.scalar(1)];
    const marks = oneHot(emit, target, classes, codes[emit.type(logits)?.dtype === 'float64' ? 'float64' : 'float32']);
    const z = given.selection === undefined ? logits : given.scores;
    const sum = (v: string): string => emit.ReduceSum(v, axis, { keepdims: 0 });
    const each = focalEach(emit, z, marks, alpha, gamma);
    if (given.selection === undefined) return { perExample: sum(each) };
    const selected = emit.Where(emit.Greater(logits, emit.scalar(NOT_ABOVE)), one, zero);
    const part = emit.Max(selected, emit.Mul(forced, marks));
    return { perExample: sum(emit.Mul(part, each)), weights: emit.Max(sum(emit.Mul(part, marks)), emit.scalar(LEAST)) };
  },
});
