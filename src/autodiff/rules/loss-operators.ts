import { intOf, stringOf } from '../../graph/attribute.ts';
import { constantOf } from '../../graph/constant.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Node } from '../../graph/types.ts';
import type { Back, Rules } from '../rule.ts';
import { castLike, dimsOf, dtypeOf, num } from '../shapes.ts';

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

/** −log p[t] of every row of [N, C], nothing else asked. */
const isPlainRows = (emit: Emit, node: Node): boolean => {
  const [x, , weight] = node.inputs;
  const dims = dimsOf(emit, x);
  const bare = !node.attributes.ignore_index && !weight && !node.outputs[1];
  return bare && stringOf(node, 'reduction', 'mean') === 'none' && dims?.length === 2 && typeof dims[1] === 'number';
};

/** g·(p − 1[t]) of each row; one g for all rows stays one number. */
const surpriseBack: Back = (emit, g, { x: [x, target] }) => {
  const spread = emit.producer(g);
  const axis = emit.ints([1]);
  const single = spread?.op === 'Expand' && dimsOf(emit, spread.inputs[0])?.every((d) => d === 1);
  const classes = Number(dimsOf(emit, x)?.[1]);
  const order = constantOf(
    dtypeOf(emit, target),
    [1, classes],
    Array.from({ length: classes }, (_, k) => k),
  );
  const own = castLike(emit, emit.Equal(emit.Unsqueeze(target, axis), emit.constant(order)), x);
  const slope = emit.Sub(emit.Exp(emit.LogSoftmax(x, { axis: 1 })), own);
  return emit.Mul(single ? spread.inputs[0] : emit.Unsqueeze(g, axis), slope);
};

export const lossOperators: Rules = {
  NegativeLogLikelihoodLoss: { as: (emit, { node, x: [x, target, weight] }) => [negativeLogLikelihood(emit, node, x, target, weight)] },
  SoftmaxCrossEntropyLoss: (node, emit) =>
    isPlainRows(emit, node)
      ? { back: [surpriseBack, null] }
      : {
          as: (emit, { node, x: [x, target, weight] }) => {
            const logProbs = emit.LogSoftmax(x, { axis: 1 });
            return [negativeLogLikelihood(emit, node, logProbs, target, weight), logProbs];
          },
        },
};
