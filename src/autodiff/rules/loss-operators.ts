import { intOf, stringOf } from '../../graph/attribute.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Node } from '../../graph/types.ts';
import type { Rules } from '../rule.ts';
import { dtypeOf, num } from '../shapes.ts';

/** −w[t]·log p[t], rows of the ignored class weighing nothing; mean divides by the sum of weights. */
const negativeLogLikelihood = (emit: Emit, node: Node, logProbs: string, target: string, weight: string | undefined): string => {
  const axis = emit.ints([1]);
  const ignore = node.attributes.ignore_index ? emit.Equal(target, emit.scalar(intOf(node, 'ignore_index', 0), dtypeOf(emit, target))) : '';
  const safe = ignore ? emit.Where(ignore, emit.scalar(0, dtypeOf(emit, target)), target) : target;
  const own = emit.Squeeze(emit.GatherElements(logProbs, emit.Unsqueeze(safe, axis), { axis: 1 }), axis);
  const given = weight ? emit.Gather(weight, safe) : emit.Expand(num(emit, 1, logProbs), emit.Shape(target));
  const weights = ignore ? emit.Where(ignore, num(emit, 0, logProbs), given) : given;
  const each = emit.Neg(emit.Mul(weights, own));
  const reduction = stringOf(node, 'reduction', 'mean');
  if (reduction === 'none') return each;
  const total = emit.ReduceSum(each, { keepdims: 0 });
  return reduction === 'sum' ? total : emit.Div(total, emit.ReduceSum(weights, { keepdims: 0 }));
};

export const lossOperators: Rules = {
  NegativeLogLikelihoodLoss: { as: (emit, { node, x: [x, target, weight] }) => [negativeLogLikelihood(emit, node, x, target, weight)] },
  SoftmaxCrossEntropyLoss: {
    as: (emit, { node, x: [x, target, weight] }) => {
      const logProbs = emit.LogSoftmax(x, { axis: 1 });
      return [negativeLogLikelihood(emit, node, logProbs, target, weight), logProbs];
    },
  },
};
