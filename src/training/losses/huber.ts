import { real } from '../../base/option.ts';
import { defineLoss, type Loss } from '../define.ts';
import { meanOfRow } from './mse.ts';

/** ½d² where |d| ≤ δ, else δ(|d| − ½δ): with m = min(|d|, δ), m(|d| − ½m). */
export const huber: Loss = defineLoss({
  id: 'huber',
  source: 'Huber 1964, doi:10.1214/aoms/1177703732; torch.nn.HuberLoss',
  options: { delta: real({ default: 1, min: 1e-6, max: 1e6, help: 'Difference beyond which the loss grows in a straight line.' }) },
  target: 'value',
  build(emit, { logits, target }, { delta }) {
    const size = emit.Abs(emit.Sub(logits, target));
    const inner = emit.Min(size, delta);
    return { perExample: meanOfRow(emit, emit.Mul(inner, emit.Sub(size, emit.Mul(emit.scalar(0.5), inner)))) };
  },
});
