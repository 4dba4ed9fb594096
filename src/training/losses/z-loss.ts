import { real } from '../../base/option.ts';
import { defineLoss, type Loss } from '../define.ts';
import { softplus } from './softplus.ts';
import { standardised } from './standardised.ts';

/** (1/a)·softplus(a(b − z_y)), z the logits of a row standardised over its classes. */
export const zLoss: Loss = defineLoss({
  id: 'z-loss',
  source: 'arXiv:1604.08859; card 27-z-loss',
  about:
    'Only how far the own logit stands out from the others of its row counts, not their size: where the first few or the order of classes matter. It is not the squared log-normaliser that large language models add to their loss under the same name.',
  formula: ['μ = (1/C) Σ_k o_k,  σ² = (1/C) Σ_k (o_k − μ)²', 'z_y = (o_y − μ)/σ ≤ √(C − 1)', 'L = (1/a) log(1 + exp(a (b − z_y)))'],
  options: {
    a: real({
      default: 1,
      min: 1e-4,
      max: 1e4,
      help: 'Scale: how sharply the loss turns at b. This is not the log-normaliser term of language models.',
    }),
    b: real({
      default: 0,
      min: -1e4,
      max: 1e4,
      help: 'Position: the standardised logit that the own class should reach; at most √(C−1) can be.',
    }),
  },
  baseline: 'cross-entropy',
  target: 'class',
  sizeless: true,
  refuses({ outputs }) {
    if (outputs < 2) return 'needs at least 2 logits';
    return outputs > 2
      ? undefined
      : 'needs more than 2 classes: of two standardised logits one is always 1 and the other -1, so nothing would be learnt';
  },
  remarks: ({ outputs }, { b }) => [
    'Scores trained by z-loss have no natural size, so their softmax is no probability: fit a calibration (recalibration) before confidences are read.',
    ...(b > Math.sqrt(outputs - 1)
      ? [
          `Option b of z-loss is ${b}, but no standardised logit of ${outputs} classes exceeds ${Math.sqrt(outputs - 1).toPrecision(4)}: the margin cannot be reached, and every row keeps pulling.`,
        ]
      : []),
  ],
  build(emit, { logits, target }, { a, b }) {
    const axis = emit.ints([1]);
    const own = emit.Squeeze(emit.GatherElements(standardised(emit, logits).z, emit.Unsqueeze(target, axis), { axis: 1 }), axis);
    return { perExample: emit.Div(softplus(emit, emit.Mul(a, emit.Sub(b, own))), a) };
  },
});
