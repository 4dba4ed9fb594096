import { solvePositive } from './cholesky.ts';

export const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};
export const norm = (a: Float64Array): number => Math.sqrt(dot(a, a));

/** B of the norm ‖d‖ = √(dᵀBd) and its dual ‖g‖_* = √(gᵀB⁻¹g): a diagonal of positive numbers, none for the identity. */
export type Metric = Float64Array | undefined;
const measured = (a: Float64Array, weigh: (i: number) => number): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * a[i] * weigh(i);
  return Math.sqrt(sum);
};
/** ‖d‖. */
export const primal = (d: Float64Array, b: Metric): number => (b ? measured(d, (i) => b[i]) : norm(d));
/** ‖g‖_*. */
export const dual = (g: Float64Array, b: Metric): number => (b ? measured(g, (i) => 1 / b[i]) : norm(g));

type Product = (v: Float64Array) => Promise<Float64Array>;

/** Entries of a diagonal are at least this share of their mean, so that none of them is 0. */
const LEAST = 1e-3;

/**
 * The diagonal of H with mean 1: exact from products with the unit vectors for up to `most` of them, else the mean of z ∘ Hz over as
 * many vectors of signs. The identity where no entry is positive.
 */
export const diagonalMetric = async (size: number, product: Product, most: number, sign: () => number): Promise<Float64Array> => {
  const diagonal = new Float64Array(size);
  if (size <= most) for (let i = 0; i < size; i++) diagonal[i] = (await product(new Float64Array(size).fill(1, i, i + 1)))[i];
  else
    for (let k = 0; k < most; k++) {
      const z = Float64Array.from({ length: size }, sign);
      const hz = await product(z);
      for (let i = 0; i < size; i++) diagonal[i] += (z[i] * hz[i]) / most;
    }
  const mean = diagonal.reduce((s, v) => s + Math.max(0, v), 0) / size;
  return mean > 0 ? diagonal.map((v) => Math.max(v / mean, LEAST)) : diagonal.fill(1);
};

/** Largest eigenvalue of H by power iteration from v. */
export const largestEigenvalue = async (product: Product, v: Float64Array, steps: number): Promise<number> => {
  let largest = 0;
  let at = v;
  for (let k = 0; k < steps; k++) {
    const length = norm(at);
    const unit = at.map((x) => x / length);
    at = await product(unit);
    largest = dot(unit, at);
    if (!(norm(at) > 0)) break;
  }
  return largest;
};

/** Solves (H + shift·B)·d = −g to a relative residual; undefined where H + shift·B is not positive along some direction. */
export type Solve = (shift: number, residual: number) => Promise<Float64Array | undefined>;

/** H from its products with the unit vectors, made symmetric, and Cholesky for every shift. */
export const denseSolve = async (gradient: Float64Array, product: Product, b?: Metric): Promise<Solve> => {
  const n = gradient.length;
  const h = new Float64Array(n * n);
  for (let j = 0; j < n; j++) {
    const column = await product(new Float64Array(n).fill(1, j, j + 1));
    for (let i = 0; i < n; i++) {
      h[i * n + j] += column[i] / 2;
      h[j * n + i] += column[i] / 2;
    }
  }
  const right = gradient.map((g) => -g);
  return async (shift) => {
    const shifted = h.slice();
    for (let i = 0; i < n; i++) shifted[i * n + i] += b ? shift * b[i] : shift;
    return solvePositive(shifted, right);
  };
};

/** Conjugate gradients preconditioned by B, each solve going on from the last one's answer. At most `most` products a solve. */
export const conjugateSolve = (gradient: Float64Array, product: Product, b?: Metric, most = 250): Solve => {
  const n = gradient.length;
  const whole = dual(gradient, b);
  let d = new Float64Array(n);
  return async (shift, residual) => {
    const times = async (v: Float64Array): Promise<Float64Array> => {
      const hv = await product(v);
      for (let i = 0; i < n; i++) hv[i] += b ? shift * b[i] * v[i] : shift * v[i];
      return hv;
    };
    const eased = (v: Float64Array): Float64Array => (b ? v.map((x, i) => x / b[i]) : v.slice());
    const next = d.slice();
    const ahead = next.some((v) => v !== 0) ? await times(next) : new Float64Array(n);
    const r = gradient.map((g, i) => -g - ahead[i]);
    const p = eased(r);
    let rr = dual(r, b) ** 2;
    const stop = (residual * whole) ** 2;
    for (let k = 0; k < most && rr > stop; k++) {
      const hp = await times(p);
      const curvature = dot(p, hp);
      if (!(curvature > 0)) return undefined;
      const step = rr / curvature;
      for (let i = 0; i < n; i++) {
        next[i] += step * p[i];
        r[i] -= step * hp[i];
      }
      const after = dual(r, b) ** 2;
      const z = eased(r);
      for (let i = 0; i < n; i++) p[i] = z[i] + (after / rr) * p[i];
      rr = after;
    }
    d = next;
    return next.slice();
  };
};

export interface Point {
  readonly value: number;
  readonly gradient: Float64Array;
}
/** A step that was accepted, or the last one tried. */
export interface Trial extends Point {
  readonly accepted: boolean;
  /** Where H + λB had a direction without positive curvature there is no step. */
  readonly step?: Float64Array;
  readonly gamma: number;
  /** The dual norm of g over γ. */
  readonly lambda: number;
}

/** How a step is looked for. */
export interface SearchAsk {
  /** Of the norm; none for the Euclidean one. */
  readonly metric?: Metric;
  /** Relative residual of a solve. */
  readonly residual: number;
  /** Multiplies the step. */
  readonly length?: number;
}

/** One trial of radius γ: d = −(H + λB)⁻¹g, accepted where f(x) − f(x + d) ≥ ‖∇f(x + d)‖_*²/(8λ). */
export const trial = async (
  evaluate: (at: Float64Array) => Promise<Point>,
  x: Float64Array,
  { value, gradient }: Point,
  solve: Solve,
  gamma: number,
  { metric, residual, length = 1 }: SearchAsk,
): Promise<Trial> => {
  const lambda = dual(gradient, metric) / (gamma + 1e-8);
  const step = await solve(lambda, residual);
  if (!step) return { accepted: false, gamma, lambda, value: Number.NaN, gradient };
  const scaled = length === 1 ? step : step.map((d) => length * d);
  const there = await evaluate(x.map((v, i) => v + scaled[i]));
  const accepted = value - there.value >= dual(there.gradient, metric) ** 2 / (8 * lambda);
  return { accepted, step: scaled, gamma, lambda, ...there };
};

/** Semenov, Jaggi, Doikov 2025 (arXiv 2506.13710), the search of grad_norm_smooth: γ halves until a step is accepted. */
export const gradientNormalizedStep = async (
  evaluate: (at: Float64Array) => Promise<Point>,
  x: Float64Array,
  at: Point,
  solve: Solve,
  { gamma, tries, ...ask }: SearchAsk & { readonly gamma: number; readonly tries: number },
): Promise<Trial & { readonly trials: number }> => {
  let radius = gamma;
  for (let k = 1; ; k++) {
    // After two refusals the solution may be what is too coarse.
    const residual = k > 2 ? Math.min(ask.residual, 1e-3) : ask.residual;
    const found = await trial(evaluate, x, at, solve, radius, { ...ask, residual });
    if (found.accepted || k >= tries || !found.step) return { ...found, trials: k };
    radius /= 2;
  }
};
