import { stopped } from '../../autodiff/stopped.ts';
import type { Emit } from '../../graph/emit.ts';
import { softplus } from '../losses/softplus.ts';

/** Kept above 0 inside logarithms. */
const LEAST = 1e-8;

/** Σ over classes of the cross-entropy of one sigmoid each, [N]; `marks` are 1 where the row has the class. */
export const plainSelection = (emit: Emit, logits: string, marks: string): string =>
  emit.ReduceSum(emit.Sub(softplus(emit, logits), emit.Mul(logits, marks)), emit.ints([1]), { keepdims: 0 });

/**
 * Ridnik et al. 2021 as CQ-DINO uses it: −[y ln p + (1 − y) ln p_m]·(1 − p_t)^γ with p_m = min(1 − p + clip, 1), p_t = y·p + (1 − y)·p_m and
 * γ = 0 for ones; the last factor counts as constant. `skipped` ([N, C]) leaves pairs out. Summed over classes, [N].
 */
export const asymmetricSelection = (
  emit: Emit,
  logits: string,
  marks: string,
  skipped: string | undefined,
  { gamma, clip }: { readonly gamma: number; readonly clip: number },
): string => {
  const [one, least] = [emit.scalar(1), emit.scalar(LEAST)];
  const p = emit.Sigmoid(logits);
  const others = emit.Sub(one, marks);
  const moved = emit.Min(emit.Add(emit.Sub(one, p), emit.scalar(clip)), one);
  const log = (v: string): string => emit.Log(emit.Max(v, least));
  const each = emit.Add(emit.Mul(marks, log(p)), emit.Mul(others, log(moved)));
  const wrong = emit.Max(emit.Sub(one, moved), emit.scalar(1e-30));
  const factor = stopped(emit, emit.Add(marks, emit.Mul(others, emit.Pow(wrong, emit.scalar(gamma)))));
  const loss = emit.Neg(emit.Mul(each, factor));
  return emit.ReduceSum(skipped === undefined ? loss : emit.Mul(loss, emit.Sub(one, skipped)), emit.ints([1]), { keepdims: 0 });
};
