import { Fault } from '../../base/fault.ts';
import { real, text } from '../../base/option.ts';
import { constantOf } from '../../graph/constant.ts';
import { defineLoss, type Loss } from '../define.ts';

const weightsOf = (given: string, classes: number): number[] => {
  const weights = given.split(',').map(Number);
  if (weights.length !== classes || !weights.every((w) => w >= 0 && Number.isFinite(w)) || !weights.some((w) => w > 0))
    throw new Fault('option/value', { name: 'classWeights', value: given, expected: `${classes} numbers, none negative, not all zero` });
  return weights;
};

/** (1−s)·(−log p_y) + (s/C)·Σ_k −log p_k, with log p by log-sum-exp; class weights w: Σ w_y·ℓ / Σ w_y. */
export const crossEntropy: Loss = defineLoss({
  id: 'cross-entropy',
  source: 'torch.nn.CrossEntropyLoss; label smoothing arXiv:1512.00567',
  options: {
    labelSmoothing: real({ default: 0, min: 0, max: 1, help: 'Share of the target spread evenly over all classes.' }),
    classWeights: text({ default: '', help: 'One weight per class, separated by commas; empty for equal weights.' }),
  },
  target: 'class',
  build(emit, { logits, target, classes }, { labelSmoothing }, chosen) {
    const axis = emit.ints([1]);
    const logProbs = emit.LogSoftmax(logits, { axis: 1 });
    const own = emit.Squeeze(emit.GatherElements(logProbs, emit.Unsqueeze(target, axis), { axis: 1 }), axis);
    const nll = emit.Neg(own);
    const spread = (): string => emit.Neg(emit.ReduceMean(logProbs, axis, { keepdims: 0 }));
    const smoothed =
      chosen.labelSmoothing === 0
        ? nll
        : emit.Add(emit.Mul(emit.Sub(emit.scalar(1), labelSmoothing), nll), emit.Mul(labelSmoothing, spread()));
    if (chosen.classWeights === '') return { perExample: smoothed };
    const table = emit.constant(constantOf(emit.type(logits)?.dtype ?? 'float32', [classes], weightsOf(chosen.classWeights, classes)));
    const weights = emit.Gather(table, target);
    return { perExample: emit.Mul(weights, smoothed), weights };
  },
});
