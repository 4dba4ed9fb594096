import { gradients } from '../../autodiff/reverse.ts';
import { real } from '../../base/option.ts';
import { defineRegularizer, type Regularizer } from '../define.ts';

/** weight · mean over rows of ‖∂ℓᵢ/∂xᵢ‖²: rows of a batch do not mix, so the gradient of Σℓ by the batch holds them all. */
export const inputGradient: Regularizer = defineRegularizer({
  id: 'input-gradient',
  source: 'Drucker and LeCun 1992, doi:10.1109/72.165600 (double backpropagation)',
  about: 'Keeps the loss flat around the rows: small changes of an input change its loss little.',
  formula: ['L + weight · (1/N) Σᵢ ‖∂ℓᵢ/∂xᵢ‖²'],
  options: { weight: real({ default: 0.01, min: 0, max: 1e6, help: 'Multiplies the mean squared length of the gradients.' }) },
  baseline: null,
  term(emit, { x, perExample }, { weight }) {
    const total = emit.ReduceSum(perExample, { keepdims: 0 });
    const slope = gradients(emit, total, [x]).get(x) ?? '';
    const rows = emit.call('CastLike', [emit.Size(perExample), perExample]);
    return emit.Mul(weight, emit.Div(emit.call('ReduceSumSquare', [slope], { keepdims: 0 }), rows));
  },
});
