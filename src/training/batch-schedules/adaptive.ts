import { Fault } from '../../base/fault.ts';
import { choice, int, real } from '../../base/option.ts';
import { type BatchSchedule, defineBatchSchedule } from '../define-run.ts';

const monitor = 'gradient-noise';

/** The batch grows until its gradient is precise enough for its length; it never shrinks. */
export const adaptive: BatchSchedule = defineBatchSchedule({
  id: 'adaptive',
  source: 'arXiv:2402.11215 (AdAdaGrad: with optimizer adagrad; AdAdaGradNorm: with adagrad-norm); card 30-adadagrad',
  about:
    'Small batches while any direction helps, larger ones once noise hides the gradient. With adagrad it is AdAdaGrad, with adagrad-norm AdAdaGradNorm; any optimizer may be used. The gradients of single rows are needed, so batch normalisation has to keep its stored statistics; or set `variance` to micro-batches, which are normalised each by itself. A batch above `micro` rows is gone through in micro-batches, so memory stays as it is; for the inner-product and augmented tests a second time, once their mean gradient is known.',
  formula: [
    'norm: b ← max(b, ⌈V/(η²‖ḡ‖²)⌉), V = Σᵢ ‖gᵢ − ḡ‖²/(b − 1)',
    'inner-product: b ← max(b, ⌈Var(⟨gᵢ, ḡ⟩)/(θ²‖ḡ‖⁴)⌉)',
    'augmented: also b ≥ ⌈V⊥/(ν²‖ḡ‖²)⌉, V⊥ the variance across ḡ',
    'of m micro-batches of s rows: V = s · Σ_k ‖ḡ_k − ḡ‖²/(m − 1)',
    'from the next step on, at most `max` rows',
  ],
  baseline: 'constant',
  options: {
    test: choice({ default: 'norm', of: ['norm', 'inner-product', 'augmented'], help: 'How precise the gradient has to be.' }),
    eta: real({ default: 0.1, min: 1e-6, max: 1e6, help: 'Norm test: standard deviation of the gradient over its length.' }),
    theta: real({ default: 0.5, min: 1e-6, max: 1e6, help: 'Inner-product and augmented test: the same along the gradient.' }),
    nu: real({ default: 1, min: 1e-6, max: 1e6, help: 'Augmented test: the same across the gradient.' }),
    start: int({ default: 8, min: 2, max: 1e9, help: 'Rows of the first step.' }),
    max: int({ default: 0, min: 0, max: 1e9, help: 'Largest batch, as memory allows; 0 is all training rows.' }),
    micro: int({
      default: 0,
      min: 0,
      max: 1e9,
      help: 'Rows of a micro-batch at most, as memory allows: a larger step gathers the gradients of several; 0 for none.',
    }),
    variance: choice({
      default: 'examples',
      of: ['examples', 'micro-batches'],
      help: 'What V is told by: gradients of single rows, or of micro-batches, which also batch normalisation by the batch allows.',
    }),
    testEvery: int({ default: 1, min: 1, max: 1e9, help: 'Steps between tests.' }),
  },
  decide: {
    monitors: () => [monitor, 'batch-size'],
    every: ({ testEvery }) => testEvery,
    micro: ({ micro, variance, test }) => (micro > 0 ? { rows: micro, variance, along: test !== 'norm' } : undefined),
    most: (rows, { max }) => (max > 0 ? Math.min(max, rows) : rows),
    first(_size, rows, { start, max, micro, variance }) {
      const refuse = (reason: string): Fault => new Fault('training/micro-batches', { reason });
      if (variance === 'micro-batches' && (micro === 0 || 2 * micro > start))
        throw refuse(`compares at least two of them: set micro to at most half of start, ${start}`);
      if (max > 0 && max < start) throw new Fault('training/batch-schedule', { start, max });
      return Math.min(start, rows);
    },
    next({ size, rows, monitors }, { test, eta, theta, nu, max, micro }) {
      const most = max > 0 ? Math.min(max, rows) : rows;
      if (size >= most) return size;
      const read = (line: string): number => monitors[`${monitor}/${line}`];
      const norm = read('squared-norm');
      const needs = {
        norm: read('variance') / (eta * eta * norm),
        'inner-product': read('inner-product') / (theta * theta * norm * norm),
        augmented: Math.max(read('inner-product') / (theta * theta * norm * norm), read('orthogonal') / (nu * nu * norm)),
      };
      // A step of one row has no variance.
      if (!Number.isFinite(norm) || !Number.isFinite(read('variance'))) return size;
      if (norm === 0) return { size: most, note: `The gradient was zero on a batch of ${size} rows, so the batch grew to ${most}.` };
      const need = needs[test];
      if (Number.isNaN(need)) return size;
      const next = Math.max(size, Math.min(most, Math.ceil(need)));
      const parts = micro > 0 ? Math.ceil(next / micro) : 1;
      return Math.min(most, parts * Math.ceil(next / parts));
    },
  },
});
