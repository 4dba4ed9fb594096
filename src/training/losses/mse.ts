import { defineLoss, type Loss } from '../define.ts';

/** Mean of squares over all elements: the mean over examples of each example's own mean. */
export const mse: Loss = defineLoss({
  id: 'mse',
  source: 'torch.nn.MSELoss',
  options: {},
  target: 'value',
  build(emit, { logits, target }) {
    const difference = emit.Sub(logits, target);
    const rows = emit.Reshape(emit.Mul(difference, difference), emit.ints([0, -1]));
    return { perExample: emit.ReduceMean(rows, emit.ints([1]), { keepdims: 0 }) };
  },
});
