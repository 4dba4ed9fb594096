import type { Emit } from '../graph/emit.ts';
import { gradients } from './reverse.ts';
import { expandLike, num, rankOf, zerosLike } from './shapes.ts';

/** ⟨a, b⟩ over all elements. */
const inner = (emit: Emit, a: string, b: string): string => {
  const product = emit.Mul(a, b);
  return rankOf(emit, product) === 0 ? product : emit.ReduceSum(product, { keepdims: 0 });
};
const added = (emit: Emit, terms: readonly string[]): string => terms.reduce((a, b) => emit.Add(a, b));
/** Every wanted gradient, zeros where none flows (a constant Hessian block). */
const whole = (emit: Emit, found: ReadonlyMap<string, string>, wrt: readonly string[]): Map<string, string> =>
  new Map(wrt.map((x) => [x, found.get(x) ?? zerosLike(emit, x)]));

/** Hv = ∇⟨∇L, v⟩, v one vector per value of `wrt`. */
export const hessianProduct = (emit: Emit, loss: string, wrt: readonly string[], vectors: readonly string[]): Map<string, string> => {
  const first = gradients(emit, loss, wrt);
  const dots = wrt.map((x, i) => inner(emit, first.get(x) ?? '', vectors[i]));
  return whole(emit, gradients(emit, added(emit, dots), wrt, { missing: 'omit' }), wrt);
};

/**
 * Jv by reverse mode alone: the product Jᵀu is linear in u, so the gradient of ⟨Jᵀu, v⟩ with respect to u is Jv, whatever u is.
 */
export const jacobianProduct = (emit: Emit, value: string, wrt: readonly string[], vectors: readonly string[]): string => {
  // Of its own name, so that nothing else is taken for it; not a constant, so that nothing is folded into it.
  const u = emit.rename(expandLike(emit, num(emit, 0, value), value), emit.fresh('cotangent'));
  const back = gradients(emit, new Map([[value, u]]), wrt);
  const dots = wrt.map((x, i) => inner(emit, back.get(x) ?? '', vectors[i]));
  return gradients(emit, added(emit, dots), [u]).get(u) ?? u;
};

/**
 * Gauss–Newton: Gv = Jᵀ·H_L·Jv, J the Jacobian of `logits` and H_L the Hessian of the loss in them. For softmax and sigmoid
 * cross-entropy, and for mean squares, it is the Fisher information too.
 */
export const gaussNewtonProduct = (
  emit: Emit,
  loss: string,
  logits: string,
  wrt: readonly string[],
  vectors: readonly string[],
): Map<string, string> => {
  const jv = jacobianProduct(emit, logits, wrt, vectors);
  const slope = gradients(emit, loss, [logits]).get(logits) ?? '';
  // jv counts as constant here: a value of its own stops the derivative.
  const curved = gradients(emit, new Map([[slope, jv]]), [logits]).get(logits) ?? '';
  return whole(emit, gradients(emit, new Map([[logits, curved]]), wrt), wrt);
};

/** Σᵢ gᵢ⟨gᵢ, v⟩ over the rows, gᵢ the gradient of a row's own loss: N times the empirical Fisher matrix, times v. */
export const fisherProduct = (emit: Emit, perExample: string, wrt: readonly string[], vectors: readonly string[]): Map<string, string> => {
  const along = jacobianProduct(emit, perExample, wrt, vectors);
  return whole(emit, gradients(emit, new Map([[perExample, along]]), wrt), wrt);
};
