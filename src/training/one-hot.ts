import { constantOf } from '../graph/constant.ts';
import type { Emit } from '../graph/emit.ts';

/** Class numbers [N] as rows of 0 and 1, [N, classes]; `to` is the element type's number. */
export const oneHot = (emit: Emit, target: string, classes: number, to: number): string => {
  const order = constantOf(
    'int64',
    [1, classes],
    Array.from({ length: classes }, (_, k) => k),
  );
  return emit.Cast(emit.Equal(emit.Unsqueeze(target, emit.ints([1])), emit.constant(order)), { to });
};
