import { defineLoss, type Loss } from '../define.ts';
import { meanOfRow } from './mse.ts';

/** Mean of absolute differences over all elements; the derivative at 0 is 0. */
export const mae: Loss = defineLoss({
  id: 'mae',
  source: 'torch.nn.L1Loss',
  options: {},
  target: 'value',
  build: (emit, { logits, target }) => ({ perExample: meanOfRow(emit, emit.Abs(emit.Sub(logits, target))) }),
});
