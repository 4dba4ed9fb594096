import { conjugateSolve, denseSolve, gradientNormalizedStep, norm, type Point } from '../../base/maths/gradient-normalized.ts';
import { choice, int, real } from '../../base/option.ts';
import { defineOptimizer, type Optimizer } from '../define.ts';

const kinds = { ggn: 'gauss-newton', hessian: 'hessian', 'empirical-fisher': 'fisher' } as const;

/** Newton's method whose shift follows the gradient: λ = ‖g‖/γ, γ doubled after each step and halved until one is accepted. For full batches. */
export const gnsNewton: Optimizer = defineOptimizer({
  id: 'gns-newton',
  source: 'arXiv:2506.13710 (grad_norm_smooth of epfml/grad-norm-smooth); card 13-gradient-normalized-newton',
  about:
    'Second-order steps with one number to adapt, γ: how far the linear model of the gradient can be trusted. Give it the whole data in every step (batch "full") and as many epochs as it may take steps; for linear heads and small networks. γ that keeps doubling is Newton’s fast end; γ that stays small says that the curvature model is what holds it back.',
  formula: [
    'λ = ‖g‖/γ, d = −(H + λI)⁻¹ g, so that ‖d‖ ≤ γ',
    'accepted where L(θ) − L(θ + d) ≥ ‖∇L(θ + d)‖²/(8λ): γ ← 2γ; else γ ← γ/2 and again',
    'H: Gauss–Newton (1/N) Σ JᵢᵀSᵢJᵢ, the Hessian, or (1/N) Σ gᵢgᵢᵀ; with l2: L + ½·l2·‖θ‖², H + l2·I',
  ],
  baseline: 'lbfgs',
  options: {
    lr: real({ default: 1, min: 0, max: 1e6, help: 'Multiplies the step; 1 is the method’s own.' }),
    curvature: choice({
      default: 'ggn',
      of: ['ggn', 'hessian', 'empirical-fisher'],
      help: 'Gauss–Newton; the Hessian, which gives way to it where it is not positive; or the mean of gᵢgᵢᵀ.',
    }),
    start: real({ default: 1, min: 1e-9, max: 1e9, help: 'First γ.' }),
    tolerance: real({ default: 1e-6, min: 0, max: 1e6, help: 'Ends the run when the gradient is no longer than this.' }),
    tries: int({ default: 40, min: 1, max: 1000, help: 'Radii tried in a step at most.' }),
    l2: real({ default: 0, min: 0, max: 1e6, help: 'Weight of ½‖θ‖² in the loss.' }),
    dense: int({ default: 300, min: 0, max: 3000, help: 'Up to so many parameters H is formed and factored; above, conjugate gradients.' }),
  },
  whole: true,
  lines: ['gamma', 'lambda', 'step-length', 'solves', 'products', 'gauss-newton-instead'],
  start: (_size, { start }) => ({ gamma: Float64Array.of(start), first: Float64Array.of(0) }),
  async iterate(problem, kept, lr, { curvature, tolerance, tries, l2, dense }) {
    const { theta, size } = problem;
    let products = 0;
    let solves = 0;
    const evaluate = async (at: Float64Array): Promise<Point> => {
      const { loss, gradient } = await problem.gradient(at);
      return { value: loss + (l2 / 2) * at.reduce((s, v) => s + v * v, 0), gradient: gradient.map((g, i) => g + l2 * at[i]) };
    };
    const here = await evaluate(theta);
    const gradientNorm = norm(here.gradient);
    const stay = { theta, kept, loss: here.value, gradientNorm, done: gradientNorm <= tolerance };
    if (stay.done || lr === 0 || !Number.isFinite(gradientNorm)) return stay;
    const first = kept.first[0] || gradientNorm;
    const solveBy = async (kind: (typeof kinds)[keyof typeof kinds]) => {
      const product = async (v: Float64Array): Promise<Float64Array> => {
        products++;
        return (await problem.product(kind, theta, v)).map((h, i) => h + l2 * v[i]);
      };
      const solve = size <= dense ? await denseSolve(here.gradient, product) : conjugateSolve(here.gradient, product);
      return (shift: number, residual: number) => {
        solves++;
        return solve(shift, residual);
      };
    };
    const ask = { gamma: kept.gamma[0], tries, residual: Math.min(0.1, Math.sqrt(gradientNorm / first)), length: lr };
    let found = await gradientNormalizedStep(evaluate, theta, here, await solveBy(kinds[curvature]), ask);
    const instead = curvature === 'hessian' && !found.step;
    if (instead) found = await gradientNormalizedStep(evaluate, theta, here, await solveBy('gauss-newton'), ask);
    const { accepted, step, gamma, lambda } = found;
    const lines = {
      gamma,
      lambda,
      'step-length': step && accepted ? norm(step) : 0,
      solves,
      products,
      'gauss-newton-instead': Number(instead),
    };
    if (!accepted || !step) {
      const note = `No step was accepted after ${found.trials} ${found.trials === 1 ? 'try' : 'tries'} at gradient norm ${gradientNorm.toPrecision(3)} (line search exhausted): the loss is as low as its rounding lets be seen, or the curvature does not fit.`;
      return { ...stay, done: true, lines, note };
    }
    return {
      ...stay,
      theta: theta.map((v, i) => v + step[i]),
      kept: { gamma: Float64Array.of(Math.max(2 * gamma, 1e-9)), first: Float64Array.of(first) },
      lines,
    };
  },
});
