import { real } from '../../base/option.ts';
import { defineLoss, type Loss } from '../define.ts';
import { meanOfRow } from './mse.ts';

const codes = { float32: 1, float64: 11 } as const;

/**
 * −w·y·log σ(z) − (1−y)·log(1 − σ(z)) for one score or several labels, mean over all elements. Both logarithms are the
 * log-softmax of (z, 0), which is stable and has the slope σ(z) − y at 0 too. A row is right by its share of labels with (z > 0) = y.
 */
export const binaryCrossEntropy: Loss = defineLoss({
  id: 'binary-cross-entropy',
  source: 'torch.nn.BCEWithLogitsLoss',
  options: { positiveWeight: real({ default: 1, min: 0, max: 1e6, help: 'What a label of 1 weighs, where one of 0 weighs 1.' }) },
  target: 'marks',
  build(emit, { logits, target }, { positiveWeight }, chosen) {
    const dtype = emit.type(logits)?.dtype === 'float64' ? 'float64' : 'float32';
    const last = emit.ints([-1]);
    const z = emit.Unsqueeze(logits, last);
    const logs = emit.LogSoftmax(emit.Concat(z, emit.Mul(z, emit.scalar(0, dtype)), { axis: -1 }), { axis: -1 });
    const at = (i: number): string => emit.Gather(logs, emit.scalar(i, 'int64'), { axis: -1 });
    const weighted = chosen.positiveWeight === 1 ? target : emit.Mul(positiveWeight, target);
    const zero = emit.scalar(0, dtype);
    const right = emit.Equal(emit.Greater(logits, zero), emit.Greater(target, emit.scalar(0.5, dtype)));
    return {
      perExample: meanOfRow(emit, emit.Neg(emit.Add(emit.Mul(weighted, at(0)), emit.Mul(emit.Sub(emit.scalar(1), target), at(1))))),
      right: meanOfRow(emit, emit.Cast(right, { to: codes[dtype] })),
    };
  },
});
