import type { Emit } from '../../graph/emit.ts';
import { defineLoss, type Loss } from '../define.ts';

/** Mean over the elements of each example, [N]. */
export const meanOfRow = (emit: Emit, elements: string): string =>
  emit.ReduceMean(emit.Reshape(elements, emit.ints([0, -1])), emit.ints([1]), { keepdims: 0 });

/** Mean of squares over all elements: the mean over examples of each example's own mean. */
export const mse: Loss = defineLoss({
  id: 'mse',
  source: 'torch.nn.MSELoss',
  options: {},
  target: 'value',
  build(emit, { logits, target }) {
    const difference = emit.Sub(logits, target);
    return { perExample: meanOfRow(emit, emit.Mul(difference, difference)) };
  },
});
