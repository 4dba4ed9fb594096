import { int, real } from '../../base/option.ts';
import { defineOptimizer, type Optimizer } from '../define.ts';

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, i) => sum + x * b[i], 0);
const along = (theta: Float64Array, step: number, direction: Float64Array): Float64Array => theta.map((x, i) => x + step * direction[i]);

/** −H·g by the two loops over the last `count` pairs s = Δθ, y = Δg, laid one after the other, the newest last. */
const directionOf = (gradient: Float64Array, s: Float64Array, y: Float64Array, count: number): Float64Array => {
  const n = gradient.length;
  const pair = (all: Float64Array, k: number): Float64Array => all.subarray(k * n, (k + 1) * n);
  const q = gradient.slice();
  const alphas = new Float64Array(count);
  for (let k = count - 1; k >= 0; k--) {
    alphas[k] = dot(pair(s, k), q) / dot(pair(y, k), pair(s, k));
    const yk = pair(y, k);
    for (let i = 0; i < n; i++) q[i] -= alphas[k] * yk[i];
  }
  const last = count - 1;
  const scale = count > 0 ? dot(pair(s, last), pair(y, last)) / dot(pair(y, last), pair(y, last)) : 1;
  for (let i = 0; i < n; i++) q[i] *= scale;
  for (let k = 0; k < count; k++) {
    const beta = dot(pair(y, k), q) / dot(pair(y, k), pair(s, k));
    const sk = pair(s, k);
    for (let i = 0; i < n; i++) q[i] += (alphas[k] - beta) * sk[i];
  }
  return q.map((x) => -x);
};

/** Limited-memory BFGS with backtracking (Armijo): the step halves until L falls by c₁·step·⟨g, d⟩. For full batches. */
export const lbfgs: Optimizer = defineOptimizer({
  id: 'lbfgs',
  source: 'Nocedal and Wright 2006, algorithms 7.4 and 3.1',
  about: 'Second-order steps from the last gradients. Give it the whole data in every step (batch "full"); best for small models.',
  formula: ['d = −H_k ∇L(θ), H_k from the last `memory` pairs', 'θ ← θ + s·d, s = lr, lr/2, … until L(θ + s·d) ≤ L(θ) + 1e-4·s·⟨∇L, d⟩'],
  baseline: 'sgd',
  options: {
    lr: real({ default: 1, min: 0, max: 1e6, help: 'First length that is tried along the direction.' }),
    memory: int({ default: 10, min: 1, max: 1000, help: 'Pairs of steps and gradient changes that are kept.' }),
    tolerance: real({ default: 1e-6, min: 0, max: 1e6, help: 'Ends the run when the gradient is no longer than this.' }),
    tries: int({ default: 30, min: 1, max: 1000, help: 'Lengths tried in a step at most.' }),
  },
  lines: ['step-length', 'tries'],
  start: (size, { memory }) => ({ s: new Float64Array(memory * size), y: new Float64Array(memory * size), count: Float64Array.of(0) }),
  async iterate(problem, kept, lr, { memory, tolerance, tries }) {
    const { theta, size } = problem;
    const { loss, gradient } = await problem.gradient(theta);
    const gradientNorm = Math.sqrt(dot(gradient, gradient));
    const count = kept.count[0];
    const stay = { theta, kept, loss, gradientNorm, done: gradientNorm <= tolerance };
    if (stay.done || lr === 0) return { ...stay, lines: { 'step-length': 0, tries: 0 } };
    const newton = directionOf(gradient, kept.s, kept.y, count);
    const downhill = dot(newton, gradient) < 0;
    const direction = downhill ? newton : gradient.map((g) => -g);
    const slope = dot(direction, gradient);
    // Without a memory of the curvature, the first step is no longer than lr.
    let step = count === 0 || !downhill ? lr * Math.min(1, 1 / gradientNorm) : lr;
    for (let tried = 1; tried <= tries; tried++, step /= 2) {
      const next = along(theta, step, direction);
      const there = await problem.gradient(next);
      if (!(there.loss <= loss + 1e-4 * step * slope)) continue;
      const s = next.map((x, i) => x - theta[i]);
      const y = there.gradient.map((g, i) => g - gradient[i]);
      const lines = { 'step-length': step, tries: tried };
      if (!(dot(s, y) > 1e-12 * dot(y, y))) return { ...stay, theta: next, lines };
      const full = count === memory;
      const push = (all: Float64Array, v: Float64Array): Float64Array => {
        const out = all.slice();
        if (full) out.copyWithin(0, size);
        out.set(v, (full ? memory - 1 : count) * size);
        return out;
      };
      return {
        ...stay,
        theta: next,
        kept: { s: push(kept.s, s), y: push(kept.y, y), count: Float64Array.of(Math.min(memory, count + 1)) },
        lines,
      };
    }
    return { ...stay, done: true, lines: { 'step-length': 0, tries } };
  },
});
