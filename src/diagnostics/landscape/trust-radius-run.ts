import { Fault } from '../../base/fault.ts';
import type { Job } from '../../base/job.ts';
import {
  conjugateSolve,
  denseSolve,
  diagonalMetric,
  dot,
  dual,
  largestEigenvalue,
  type Metric,
  norm,
  type Point,
  primal,
  type Trial,
  trial,
} from '../../base/maths/gradient-normalized.ts';
import type { LossAsk, LossTool, OpenLoss } from '../../evidence/loss.ts';

export const curvatures = ['gauss-newton', 'hessian', 'fisher'] as const;
export type CurvatureKind = (typeof curvatures)[number];

export interface RadiusOptions extends LossAsk {
  readonly l2: number;
  readonly norm: 'euclidean' | 'curvature';
  readonly tries: number;
  readonly dense: number;
}

/** One adaptive search from γ = 1; nothing but the verdict where no step was accepted. */
export interface Radius {
  readonly kind: CurvatureKind;
  /** `beyond`: the radius no longer shortens the step, which is Newton's. */
  readonly verdict: 'accepted' | 'beyond' | 'not positive' | 'exhausted';
  readonly gamma: number;
  readonly lambda: number;
  readonly length: number;
  /** L(θ) − L(θ + d), and −⟨g, d⟩ − ½⟨d, Hd⟩. */
  readonly achieved: number;
  readonly predicted: number;
  /** ‖∇L(θ + d) − g − Hd‖·γ/(‖g‖‖d‖): at most 1 where the linear model may be trusted at d. */
  readonly error: number;
  readonly trials: number;
  readonly products: number;
}
export interface TrustRadius {
  readonly loss: number;
  readonly gradientNorm: number;
  readonly parameters: number;
  readonly rows: number;
  readonly of: number;
  readonly radii: readonly Radius[];
  /** Of the Gauss–Newton matrix, by power iteration; and what a step of gradient descent at its inverse brings. */
  readonly largest: number;
  readonly descent: number;
}

const powerSteps = 20;
/** Vectors of signs that estimate a diagonal, where no products with unit vectors are asked for. */
const probes = 64;
const residual = 1e-3;

const failed = (kind: CurvatureKind, verdict: Radius['verdict'], trials: number, products: number): Radius => {
  const nothing = Number.NaN;
  return {
    kind,
    verdict,
    trials,
    products,
    gamma: nothing,
    lambda: nothing,
    length: nothing,
    achieved: nothing,
    predicted: nothing,
    error: nothing,
  };
};

const radiusOf = async (
  kind: CurvatureKind,
  { theta, size, ...open }: OpenLoss,
  here: Point,
  evaluate: (at: Float64Array) => Promise<Point>,
  metric: Metric,
  { l2, tries, dense }: RadiusOptions,
): Promise<Radius> => {
  let products = 0;
  const product = async (v: Float64Array): Promise<Float64Array> => {
    products++;
    return (await open.product(kind, theta, v)).map((h, i) => h + l2 * v[i]);
  };
  const solve = size <= dense ? await denseSolve(here.gradient, product, metric) : conjugateSolve(here.gradient, product, metric);
  const attempt = (gamma: number): Promise<Trial> => trial(evaluate, theta, here, solve, gamma, { residual, metric });
  let found = await attempt(1);
  let trials = 1;
  let verdict: Radius['verdict'] = 'accepted';
  if (!found.step) return failed(kind, 'not positive', trials, products);
  if (found.accepted) {
    while (trials < tries) {
      const wider = await attempt(2 * found.gamma);
      trials++;
      if (!wider.accepted || !wider.step || !found.step) break;
      const grown = primal(wider.step, metric) > 1.01 * primal(found.step, metric);
      found = wider;
      if (grown) continue;
      verdict = 'beyond';
      break;
    }
  } else {
    while (!found.accepted && trials < tries) {
      found = await attempt(found.gamma / 2);
      trials++;
      if (!found.step) return failed(kind, 'not positive', trials, products);
    }
    if (!found.accepted) return failed(kind, 'exhausted', trials, products);
  }
  const { step = new Float64Array(size), gamma, lambda } = found;
  const hd = await product(step);
  const rest = found.gradient.map((g, i) => g - here.gradient[i] - hd[i]);
  return {
    kind,
    verdict,
    gamma,
    lambda,
    length: primal(step, metric),
    achieved: here.value - found.value,
    predicted: -dot(here.gradient, step) - dot(step, hd) / 2,
    error: (dual(rest, metric) * gamma) / (dual(here.gradient, metric) * primal(step, metric)),
    trials,
    products,
  };
};

/** No weights are kept. */
export const trustRadius = async (tool: LossTool, options: RadiusOptions, job: Job): Promise<TrustRadius> => {
  job.progress(0, 'compiling the gradient');
  const open = await tool.open(options);
  const { theta, size } = open;
  const { l2 } = options;
  const evaluate = async (at: Float64Array): Promise<Point> => {
    const { loss, gradient } = await open.gradient(at);
    return { value: loss + (l2 / 2) * dot(at, at), gradient: gradient.map((g, i) => g + l2 * at[i]) };
  };
  const here = await evaluate(theta);
  const gradientNorm = norm(here.gradient);
  if (!Number.isFinite(here.value) || !Number.isFinite(gradientNorm)) {
    const { losses } = await open.rowGradients(theta, new Float64Array(size));
    const bad = losses.findIndex((l) => !Number.isFinite(l));
    throw new Fault('diagnostic/loss-not-finite', { row: open.rows[Math.max(0, bad)] });
  }
  const product = async (v: Float64Array): Promise<Float64Array> =>
    (await open.product('gauss-newton', theta, v)).map((h, i) => h + l2 * v[i]);
  const signs = job.random('signs');
  const metric =
    options.norm === 'curvature'
      ? await diagonalMetric(size, product, options.dense || probes, () => (signs.below(2) === 0 ? -1 : 1))
      : undefined;
  const radii: Radius[] = [];
  if (gradientNorm > 0)
    for (const [i, kind] of curvatures.entries()) {
      job.progress(0.1 + 0.25 * i, `one search with ${kind}`);
      radii.push(await radiusOf(kind, open, here, evaluate, metric, options));
    }
  job.progress(0.9, 'largest eigenvalue');
  const random = job.random('power iteration');
  const largest = await largestEigenvalue(
    product,
    Float64Array.from({ length: size }, () => random.normal()),
    powerSteps,
  );
  const below = largest > 0 ? await evaluate(theta.map((x, i) => x - here.gradient[i] / largest)) : here;
  return {
    loss: here.value,
    gradientNorm,
    parameters: size,
    rows: open.rows.length,
    of: open.of,
    radii,
    largest,
    descent: here.value - below.value,
  };
};
