import { stopped } from '../../autodiff/stopped.ts';
import { real } from '../../base/option.ts';
import { defineOptimizer, type Optimizer } from '../define.ts';
import { oneHot } from '../one-hot.ts';

/** Every column of logits against the rest (which is not in the paper). w is a softmax, so that no rate divides 0 by 0. */
export const normalizedLrGd: Optimizer = defineOptimizer({
  id: 'normalized-lr-gd',
  source: 'arXiv:2412.08424, section 6',
  about:
    'For a linear head on fixed features, in full batches (batch "full", init "zeros"): gradient descent on the logistic loss of every class against the rest, divided by the mean of the weights of the rows. At large rates it becomes the normalized perceptron, so that a separating head is found in few steps. The loss that is shown may rise on the way: judge it by the accuracy. Any other model is trained along the same direction, without the bounds of the paper.',
  formula: [
    'Z_i = y_i a_i with y_i = ±1, s_i = 1/(1 + exp(Z_i·θ)), w = s / Σ s',
    'θ ← θ + γ Σ w_i Z_i, from θ = 0',
    'separates rows of margin μ and radius R in R²/μ² + 2 log(2n−1)/(γ μ²) steps at most',
  ],
  baseline: 'sgd',
  options: { lr: real({ default: 1, min: 0, max: 1e6, help: 'γ: step length. Large ones are safe.' }) },
  slots: [],
  elementwise: true,
  surrogate(emit, { logits, target, classes }) {
    const double = emit.type(logits)?.dtype === 'float64';
    const rows = emit.Reshape(logits, emit.ints([0, -1]));
    const ones = classes > 0 ? oneHot(emit, target, classes, double ? 11 : 1) : emit.Reshape(target, emit.ints([0, -1]));
    const signs = emit.Sub(emit.Mul(ones, emit.scalar(2)), emit.scalar(1));
    const margins = emit.Mul(signs, rows);
    // log s = −max(m, 0) − log(1 + e^{−|m|}): no exponential overflows.
    const m = stopped(emit, margins);
    const tail = emit.Log(emit.Add(emit.scalar(1), emit.Exp(emit.Neg(emit.Abs(m)))));
    const weights = emit.Softmax(emit.Neg(emit.Add(emit.Relu(m), tail)), { axis: 0 });
    return emit.Neg(emit.ReduceSum(emit.Mul(stopped(emit, weights), margins), { keepdims: 0 }));
  },
  step: (emit, { param, grad }, { lr }) => ({ param: emit.Sub(param, emit.Mul(lr, grad)), slots: {} }),
});
