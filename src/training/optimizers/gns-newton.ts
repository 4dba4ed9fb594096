import {
  conjugateSolve,
  denseSolve,
  diagonalMetric,
  gradientNormalizedStep,
  largestEigenvalue,
  norm,
  type Point,
  primal,
} from '../../base/maths/gradient-normalized.ts';
import { choice, flag, int, real } from '../../base/option.ts';
import { random } from '../../base/random.ts';
import { defineOptimizer, type Optimizer } from '../define.ts';

const kinds = { ggn: 'gauss-newton', hessian: 'hessian', 'empirical-fisher': 'fisher' } as const;

/** Vectors of signs that estimate a diagonal, and steps of power iteration. */
const PROBES = 64;
const POWER = 20;

/** Newton's method whose shift follows the gradient: λ = ‖g‖/γ, γ doubled after each step and halved until one is accepted. For full batches. */
export const gnsNewton: Optimizer = defineOptimizer({
  id: 'gns-newton',
  source: 'arXiv:2506.13710 (grad_norm_smooth of epfml/grad-norm-smooth); card 13-gradient-normalized-newton',
  about:
    'Second-order steps with one number to adapt, γ: how far the linear model of the gradient can be trusted. Give it the whole data in every step (batch "full") and as many epochs as it may take steps; for linear heads and small networks. γ that keeps doubling is Newton’s fast end; γ that stays small says that the curvature model is what holds it back.',
  formula: [
    'λ = ‖g‖_*/γ, d = −(H + λB)⁻¹ g, so that ‖d‖ ≤ γ;  ‖d‖² = dᵀBd, ‖g‖_*² = gᵀB⁻¹g',
    'accepted where L(θ) − L(θ + d) ≥ ‖∇L(θ + d)‖_*²/(8λ): γ ← 2γ; else γ ← γ/2 and again',
    'B = I, or the diagonal of the Gauss–Newton matrix at the first step, its mean 1',
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
    norm: choice({
      default: 'euclidean',
      of: ['euclidean', 'curvature'],
      help: 'How steps are measured: all parameters alike, or each by the diagonal of Gauss–Newton at the first step, so that the units of the features do not matter.',
    }),
    start: real({ default: 1, min: 1e-9, max: 1e9, help: 'First γ.' }),
    tolerance: real({ default: 1e-6, min: 0, max: 1e6, help: 'Ends the run when the gradient is no longer than this.' }),
    target: real({
      default: -1e30,
      min: -1e30,
      max: 1e30,
      help: 'Ends the run when the loss is no higher than this, as f* + ε where f* is known.',
    }),
    tries: int({ default: 40, min: 1, max: 1000, help: 'Radii tried in a step at most.' }),
    l2: real({ default: 0, min: 0, max: 1e6, help: 'Weight of ½‖θ‖² in the loss.' }),
    dense: int({ default: 300, min: 0, max: 3000, help: 'Up to so many parameters H is formed and factored; above, conjugate gradients.' }),
    descent: flag({
      default: true,
      help: 'Takes a step of gradient descent at the inverse of the first largest eigenvalue beside each step, as a line to compare with.',
    }),
  },
  whole: true,
  lines: ['gamma', 'lambda', 'step-length', 'solves', 'products', 'gauss-newton-instead', 'descent-loss', 'descent-gradient'],
  start: (size, { start, norm: by, descent }) => ({
    gamma: Float64Array.of(start),
    first: Float64Array.of(0),
    metric: new Float64Array(by === 'curvature' ? size : 0),
    // Where gradient descent stands, and the largest eigenvalue at the start.
    descent: new Float64Array(descent ? size : 0),
    largest: Float64Array.of(0),
  }),
  async iterate(problem, kept, lr, { curvature, tolerance, target, tries, l2, dense, norm: by, descent }) {
    const { theta, size } = problem;
    let products = 0;
    let solves = 0;
    const evaluate = async (at: Float64Array): Promise<Point> => {
      const { loss, gradient } = await problem.gradient(at);
      return { value: loss + (l2 / 2) * at.reduce((s, v) => s + v * v, 0), gradient: gradient.map((g, i) => g + l2 * at[i]) };
    };
    const here = await evaluate(theta);
    const gradientNorm = norm(here.gradient);
    const stay = { theta, kept, loss: here.value, gradientNorm, done: gradientNorm <= tolerance || here.value <= target };
    if (stay.done || lr === 0 || !Number.isFinite(gradientNorm)) return stay;
    const first = kept.first[0] || gradientNorm;
    const begins = kept.first[0] === 0;
    const productBy =
      (kind: (typeof kinds)[keyof typeof kinds]) =>
      async (v: Float64Array): Promise<Float64Array> => {
        products++;
        return (await problem.product(kind, theta, v)).map((h, i) => h + l2 * v[i]);
      };
    const chance = random(0, 'gns-newton');
    const sign = (): number => (chance.below(2) === 0 ? -1 : 1);
    const metric =
      by === 'euclidean' ? undefined : begins ? await diagonalMetric(size, productBy('gauss-newton'), dense || PROBES, sign) : kept.metric;
    const largest = !descent
      ? 0
      : begins
        ? await largestEigenvalue(productBy('gauss-newton'), Float64Array.from({ length: size }, sign), POWER)
        : kept.largest[0];
    const beside = descent ? (begins ? { at: theta, ...here } : { at: kept.descent, ...(await evaluate(kept.descent)) }) : undefined;
    const solveBy = async (kind: (typeof kinds)[keyof typeof kinds]) => {
      const product = productBy(kind);
      const solve = size <= dense ? await denseSolve(here.gradient, product, metric) : conjugateSolve(here.gradient, product, metric);
      return (shift: number, residual: number) => {
        solves++;
        return solve(shift, residual);
      };
    };
    const ask = { gamma: kept.gamma[0], tries, residual: Math.min(0.1, Math.sqrt(gradientNorm / first)), length: lr, metric };
    let found = await gradientNormalizedStep(evaluate, theta, here, await solveBy(kinds[curvature]), ask);
    const instead = curvature === 'hessian' && !found.step;
    if (instead) found = await gradientNormalizedStep(evaluate, theta, here, await solveBy('gauss-newton'), ask);
    const { accepted, step, gamma, lambda } = found;
    const lines = {
      gamma,
      lambda,
      'step-length': step && accepted ? primal(step, metric) : 0,
      solves,
      products,
      'gauss-newton-instead': Number(instead),
      ...(beside ? { 'descent-loss': beside.value, 'descent-gradient': norm(beside.gradient) } : {}),
    };
    if (!accepted || !step) {
      const note = `No step was accepted after ${found.trials} ${found.trials === 1 ? 'try' : 'tries'} at gradient norm ${gradientNorm.toPrecision(3)} (line search exhausted): the loss is as low as its rounding lets be seen, or the curvature does not fit.`;
      return { ...stay, done: true, lines, note };
    }
    return {
      ...stay,
      theta: theta.map((v, i) => v + step[i]),
      kept: {
        gamma: Float64Array.of(Math.max(2 * gamma, 1e-9)),
        first: Float64Array.of(first),
        metric: metric ?? kept.metric,
        descent: beside ? beside.at.map((v, i) => (largest > 0 ? v - beside.gradient[i] / largest : v)) : kept.descent,
        largest: Float64Array.of(largest),
      },
      lines,
    };
  },
});
