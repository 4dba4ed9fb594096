import type { Emit } from '../../graph/emit.ts';

/** log(1 + exp(x)) = (x + |x|)/2 + log(1 + exp(−|x|)): no exponential overflows, and the slope at 0 is 1/2. (ONNX Runtime has no Softplus of float64.) */
export const softplus = (emit: Emit, x: string): string => {
  const size = emit.Abs(x);
  return emit.Add(emit.Mul(emit.scalar(0.5), emit.Add(x, size)), emit.Log(emit.Add(emit.scalar(1), emit.Exp(emit.Neg(size)))));
};
