import { floatOf } from '../../graph/attribute.ts';
import type { Emit } from '../../graph/emit.ts';
import { diagonal, type Rules } from '../rule.ts';
import { num } from '../shapes.ts';

/** Activations of ONNX Runtime's own domain. */
const gelu = (emit: Emit, x: string, bias: string | undefined, approximate: 'none' | 'tanh'): string =>
  emit.call('Gelu', [bias ? emit.Add(x, bias) : x], { approximate });

export const contribActivation: Rules = {
  'com.microsoft.Gelu': { as: (emit, { x: [x] }) => [gelu(emit, x, undefined, 'none')] },
  'com.microsoft.BiasGelu': { as: (emit, { x: [x, bias] }) => [gelu(emit, x, bias, 'none')] },
  'com.microsoft.FastGelu': { as: (emit, { x: [x, bias] }) => [gelu(emit, x, bias, 'tanh')] },
  // y = x·s with s = σ(αx): y′ = s·(1 + α(x − y)).
  'com.microsoft.QuickGelu': diagonal((emit, { x: [x], y: [y], node }) => {
    const alpha = num(emit, floatOf(node, 'alpha', 1.702), x);
    const s = emit.Sigmoid(emit.Mul(alpha, x));
    return emit.Mul(s, emit.Add(num(emit, 1, x), emit.Mul(alpha, emit.Sub(x, y))));
  }),
};
