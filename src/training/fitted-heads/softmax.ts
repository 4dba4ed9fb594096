import { constantOf } from '../../graph/constant.ts';
import { emitter } from '../../graph/emit.ts';
import { dtypes } from '../../graph/schema.ts';
import type { Model, TensorType, ValueInfo } from '../../graph/types.ts';
import { modelOf } from '../plan.ts';

const OPSET = 18;
/** The IR version that came with this opset. */
const IR = 8;

/**
 * Log loss of softmax(Wx + b), rows weighted by their shares, and its gradient by [W, b] in one array, in float64: inputs `theta`
 * [classes·(width + 1)], `x` [N, width], `labels` [N, 1] and `shares` [N, 1], outputs `loss` [1] and `gradient`.
 */
export const softmaxObjective = (classes: number, width: number): Model => {
  const type = (dtype: 'float64' | 'int64', ...dims: (number | string)[]): TensorType => ({ kind: 'tensor', dtype, dims });
  const size = classes * (width + 1);
  const info = (name: string, of: TensorType): ValueInfo => ({ name, type: of });
  const inputs = [
    info('theta', type('float64', size)),
    info('x', type('float64', 'N', width)),
    info('labels', type('int64', 'N', 1)),
    info('shares', type('float64', 'N', 1)),
  ];
  const emit = emitter({ taken: [...inputs.map((i) => i.name), 'loss', 'gradient'] });
  const part = (from: number, to: number, dims: readonly number[]): string =>
    emit.Reshape(emit.Slice('theta', emit.ints([from]), emit.ints([to]), emit.ints([0])), emit.ints(dims));
  const weights = part(0, classes * width, [classes, width]);
  const biases = part(classes * width, size, [1, classes]);
  const logs = emit.LogSoftmax(emit.Add(emit.MatMul('x', emit.Transpose(weights, { perm: [1, 0] })), biases), { axis: 1 });
  const order = emit.constant(
    constantOf(
      'int64',
      [1, classes],
      Array.from({ length: classes }, (_, k) => k),
    ),
  );
  const wanted = emit.Mul(emit.Cast(emit.Equal('labels', order), { to: dtypes.indexOf('float64') }), 'shares');
  const loss = emit.Neg(emit.Reshape(emit.ReduceSum(emit.Mul(wanted, logs), { keepdims: 0 }), emit.ints([1])));
  const excess = emit.Sub(emit.Mul(emit.Exp(logs), 'shares'), wanted);
  const byWeights = emit.Reshape(emit.MatMul(emit.Transpose(excess, { perm: [1, 0] }), 'x'), emit.ints([-1]));
  const gradient = emit.Concat(byWeights, emit.ReduceSum(excess, emit.ints([0]), { keepdims: 0 }), { axis: 0 });
  const named = (value: string): string => (value === loss ? 'loss' : value === gradient ? 'gradient' : value);
  const graph = emit.graph('softmax', inputs, [info(loss, type('float64', 1)), info(gradient, type('float64', size))]);
  return modelOf(
    { irVersion: IR, opsets: new Map([['', OPSET]]) },
    {
      ...graph,
      nodes: graph.nodes.map((node) => ({ ...node, outputs: node.outputs.map(named) })),
      outputs: graph.outputs.map((o) => ({ ...o, name: named(o.name) })),
    },
  );
};
