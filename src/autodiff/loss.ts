import type { Emit } from '../graph/emit.ts';
import { precise } from './half.ts';
import { castLike, dimsOf, rankOf } from './shapes.ts';

/** A loss as values: the scalar, its parts per row, and its formula in words. */
export interface Loss {
  readonly loss: string;
  /** One number per row, [N]; '' where the loss has no rows. */
  readonly perExample: string;
  readonly formula: string;
}

const squashing = new Set(['Softmax', 'LogSoftmax', 'Sigmoid']);
/** The value that a final Softmax, LogSoftmax or Sigmoid is computed from (through Identity nodes), else the output itself. */
export const logitsOf = (
  emit: Emit,
  output: string,
): { readonly logits: string; readonly by: 'Softmax' | 'LogSoftmax' | 'Sigmoid' | 'none' } => {
  const made = precise(emit, output);
  let node = emit.producer(made);
  while (node?.op === 'Identity') node = emit.producer(node.inputs[0]);
  if (node?.domain !== '' || !squashing.has(node.op)) return { logits: made, by: 'none' };
  return { logits: node.inputs[0], by: node.op === 'Softmax' ? 'Softmax' : node.op === 'LogSoftmax' ? 'LogSoftmax' : 'Sigmoid' };
};

const rowMeans = (emit: Emit, each: string): string =>
  rankOf(emit, each) === 1 ? each : emit.ReduceMean(emit.Reshape(each, emit.ints([0, -1])), emit.ints([1]), { keepdims: 0 });
const mean = (emit: Emit, each: string): string => emit.ReduceMean(each, { keepdims: 0 });

/**
 * −log softmax(z)[target] = log Σ exp z − z[target], classes on axis 1; with a single logit z and target t in {0, 1} the
 * binary form log(1 + e^z) − t·z.
 */
export const crossEntropy = (emit: Emit, output: string, target: string): Loss => {
  const { logits, by } = logitsOf(emit, output);
  const dims = dimsOf(emit, logits);
  const from = by === 'none' ? `'${output}'` : `'${logits}', the input of ${by}`;
  if (dims && (dims.length === 1 || (dims.length === 2 && dims[1] === 1))) {
    const z = emit.Reshape(logits, emit.ints([-1]));
    const each = emit.Sub(emit.Softplus(z), emit.Mul(castLike(emit, target, z), z));
    return {
      loss: mean(emit, each),
      perExample: each,
      formula: `binary cross-entropy: mean over the batch of log(1 + exp(z)) - target*z, z from ${from}`,
    };
  }
  const axis = emit.ints([1]);
  const own = emit.Squeeze(emit.GatherElements(logits, emit.Unsqueeze(target, axis), { axis: 1 }), axis);
  const each = emit.Sub(emit.call('ReduceLogSumExp', [logits, axis], { keepdims: 0 }), own);
  return {
    loss: mean(emit, each),
    perExample: rowMeans(emit, each),
    formula: `cross-entropy: mean over the batch of -log softmax(z)[target], z from ${from}`,
  };
};

/** Mean of squares over all elements. */
export const meanSquare = (emit: Emit, output: string, target: string): Loss => {
  const made = precise(emit, output);
  const difference = emit.Sub(made, castLike(emit, target, made));
  const each = emit.Mul(difference, difference);
  return { loss: mean(emit, each), perExample: rowMeans(emit, each), formula: `mean of (${output} - target)^2 over all elements` };
};

/** Sum of all elements of all the outputs named. */
export const total = (emit: Emit, outputs: readonly string[]): Loss => {
  const made = outputs.map((o) => precise(emit, o));
  const sums = made.map((o) => (rankOf(emit, o) === 0 ? o : emit.ReduceSum(o, { keepdims: 0 })));
  const loss = sums.reduce((a, b) => emit.Add(a, b));
  return { loss, perExample: '', formula: `sum of all elements of ${outputs.join(', ')}` };
};
