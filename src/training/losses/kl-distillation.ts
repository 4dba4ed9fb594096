import { real } from '../../base/option.ts';
import { defineLoss, type Loss } from '../define.ts';

/** T²·KL(softmax(t/T) ‖ softmax(z/T)) with the logits t of a teacher, stored in the data: T² keeps the gradient's size as T grows. */
export const klDistillation: Loss = defineLoss({
  id: 'kl-distillation',
  source: 'arXiv:1503.02531, section 2; torch.nn.KLDivLoss, batchmean',
  options: { temperature: real({ default: 2, min: 0.01, max: 1000, help: 'Divides the logits of both, teacher and student.' }) },
  target: 'scores',
  scores: "the teacher's logits, one for each class",
  build(emit, { logits, target }, { temperature }) {
    const logProbs = (z: string): string => emit.LogSoftmax(emit.Div(z, temperature), { axis: 1 });
    const teacher = logProbs(target);
    const divergence = emit.ReduceSum(emit.Mul(emit.Exp(teacher), emit.Sub(teacher, logProbs(logits))), emit.ints([1]), { keepdims: 0 });
    return { perExample: emit.Mul(emit.Mul(temperature, temperature), divergence) };
  },
});
