import { Fault } from '../../base/fault.ts';
import { real, type TextOption, text } from '../../base/option.ts';
import { constantOf } from '../../graph/constant.ts';
import type { Emit } from '../../graph/emit.ts';
import { defineLoss, type Loss, type LossInput } from '../define.ts';

const weightsOf = (given: string, classes: number): number[] => {
  const weights = given.split(',').map(Number);
  if (weights.length !== classes || !weights.every((w) => w >= 0 && Number.isFinite(w)) || !weights.some((w) => w > 0))
    throw new Fault('option/value', { name: 'classWeights', value: given, expected: `${classes} numbers, none negative, not all zero` });
  return weights;
};

/** Of a loss per example [N], each multiplied by the weight of its class. */
export const classWeighted = (
  emit: Emit,
  { logits, target, classes }: LossInput,
  given: string,
  perExample: string,
): { readonly perExample: string; readonly weights?: string } => {
  if (given === '') return { perExample };
  const table = emit.constant(constantOf(emit.type(logits)?.dtype ?? 'float32', [classes], weightsOf(given, classes)));
  const weights = emit.Gather(table, target);
  return { perExample: emit.Mul(weights, perExample), weights };
};

/** log p_y, [N]. */
export const ownLogProb = (emit: Emit, logProbs: string, target: string): string => {
  const axis = emit.ints([1]);
  return emit.Squeeze(emit.GatherElements(logProbs, emit.Unsqueeze(target, axis), { axis: 1 }), axis);
};

export const classWeights: TextOption = text({
  default: '',
  help: "One weight per class, separated by commas; 'inverse-frequency' for N/(C·N_k) of the training rows; empty for equal weights.",
});

/** With shares q of classes in the place of labels, −Σ_k q_k log p_k in the place of −log p_y. (1−s)·(−log p_y) + (s/C)·Σ_k −log p_k, with log p by log-sum-exp; class weights w: Σ w_y·ℓ / Σ w_y. */
export const crossEntropy: Loss = defineLoss({
  id: 'cross-entropy',
  source: 'torch.nn.CrossEntropyLoss; label smoothing arXiv:1512.00567',
  options: {
    labelSmoothing: real({ default: 0, min: 0, max: 1, help: 'Share of the target spread evenly over all classes.' }),
    classWeights,
  },
  target: 'class',
  soft: true,
  build(emit, input, { labelSmoothing }, chosen) {
    const axis = emit.ints([1]);
    const logProbs = emit.LogSoftmax(input.logits, { axis: 1 });
    const shared = (soft: string): string => emit.ReduceSum(emit.Mul(soft, logProbs), axis, { keepdims: 0 });
    const { logits, target } = input;
    const nll =
      input.soft === undefined
        ? emit.means(emit.Neg(ownLogProb(emit, logProbs, target)), 'SoftmaxCrossEntropyLoss', [logits, target], { reduction: 'none' })
        : emit.Neg(shared(input.soft));
    const spread = (): string => emit.Neg(emit.ReduceMean(logProbs, axis, { keepdims: 0 }));
    const smoothed =
      chosen.labelSmoothing === 0
        ? nll
        : emit.Add(emit.Mul(emit.Sub(emit.scalar(1), labelSmoothing), nll), emit.Mul(labelSmoothing, spread()));
    return classWeighted(emit, input, chosen.classWeights, smoothed);
  },
});
