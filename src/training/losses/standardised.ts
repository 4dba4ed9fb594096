import type { Emit } from '../../graph/emit.ts';

/**
 * (o − μ)/σ of every row of logits [N, C], σ the population's, from centred values + 1e-12, and floored at 1e-6: rows of equal
 * logits have no direction, and no slope through σ.
 */
export const standardised = (emit: Emit, logits: string): { readonly z: string; readonly mean: string; readonly variance: string } => {
  const axis = emit.ints([1]);
  const mean = emit.ReduceMean(logits, axis);
  const centred = emit.Sub(logits, mean);
  const variance = emit.ReduceMean(emit.Mul(centred, centred), axis);
  const sigma = emit.Add(emit.Sqrt(emit.Max(variance, emit.scalar(1e-12))), emit.scalar(1e-12));
  return { z: emit.Div(centred, sigma), mean, variance };
};
