import { Fault } from '../../base/fault.ts';
import { intOf, stringOf } from '../../graph/attribute.ts';
import type { Emit } from '../../graph/emit.ts';
import { called } from '../../graph/walk.ts';
import type { Rule, Rules } from '../rule.ts';
import { num, reshapeLike, sizeAt, zerosLike } from '../shapes.ts';
import { swish } from './activation.ts';

const activations: Readonly<Record<string, (emit: Emit, x: string) => string>> = {
  relu: (emit, x) => emit.Relu(x),
  gelu: (emit, x) => emit.call('Gelu', [x]),
  silu: (emit, x) => swish(emit, x, 1),
  identity: (_, x) => x,
};

/**
 * Σ pₑ·(W₂ₑ·act(W₁ₑ·x + b₁ₑ) + b₂ₑ) over the k experts with the largest pₑ, the softmax of the router's scores. All experts are
 * computed and those not chosen weighed with 0; the choice is constant.
 */
const experts: Rule = {
  as: (emit, { x: [x, scores, w1, b1, w2, b2], node }) => {
    const activation = activations[stringOf(node, 'activation_type', 'relu')];
    if (!activation)
      throw new Fault('graph/unsupported', {
        node: called(node),
        reason: `activation_type '${stringOf(node, 'activation_type', '')}' has no derivative here`,
      });
    const tokens = emit.Reshape(x, emit.Concat(emit.ints([1, -1]), sizeAt(emit, w1, 2), { axis: 0 }));
    const p = emit.Softmax(scores, { axis: -1 });
    const chosen = emit.calls('TopK', [p, emit.ints([intOf(node, 'k', 1)])], 2, { axis: -1 })[1];
    const kept = emit.Mul(
      p,
      emit.ScatterElements(zerosLike(emit, p), chosen, emit.Expand(num(emit, 1, p), emit.Shape(chosen)), { axis: 1 }),
    );
    const shares =
      intOf(node, 'normalize_routing_weights', 0) === 1 ? emit.Div(kept, emit.ReduceSum(kept, emit.ints([1]), { keepdims: 1 })) : kept;
    const layer = (v: string, w: string, b: string | undefined): string => {
      const y = emit.MatMul(v, emit.Transpose(w, { perm: [0, 2, 1] }));
      return b ? emit.Add(y, emit.Unsqueeze(b, emit.ints([1]))) : y;
    };
    const each = layer(activation(emit, layer(tokens, w1, b1)), w2, b2);
    const weights = emit.Unsqueeze(emit.Transpose(shares, { perm: [1, 0] }), emit.ints([2]));
    return [reshapeLike(emit, emit.ReduceSum(emit.Mul(each, weights), emit.ints([0]), { keepdims: 0 }), x)];
  },
};

export const contribExperts: Rules = { 'com.microsoft.MoE': experts };
