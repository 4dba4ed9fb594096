import { solvePositive } from './cholesky.ts';

export const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};
export const norm = (a: Float64Array): number => Math.sqrt(dot(a, a));

type Product = (v: Float64Array) => Promise<Float64Array>;
/** Solves (H + shift·I)·d = −g to a relative residual; undefined where H + shift·I is not positive along some direction. */
export type Solve = (shift: number, residual: number) => Promise<Float64Array | undefined>;

/** H from its products with the unit vectors, made symmetric, and Cholesky for every shift. */
export const denseSolve = async (gradient: Float64Array, product: Product): Promise<Solve> => {
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
    for (let i = 0; i < n; i++) shifted[i * n + i] += shift;
    return solvePositive(shifted, right);
  };
};

/** Conjugate gradients, each solve going on from the last one's answer. At most `most` products a solve. */
export const conjugateSolve = (gradient: Float64Array, product: Product, most = 250): Solve => {
  const n = gradient.length;
  let d = new Float64Array(n);
  return async (shift, residual) => {
    const times = async (v: Float64Array): Promise<Float64Array> => {
      const hv = await product(v);
      for (let i = 0; i < n; i++) hv[i] += shift * v[i];
      return hv;
    };
    const next = d.slice();
    const ahead = next.some((v) => v !== 0) ? await times(next) : new Float64Array(n);
    const r = gradient.map((g, i) => -g - ahead[i]);
    const p = r.slice();
    let rr = dot(r, r);
    const stop = (residual * norm(gradient)) ** 2;
    for (let k = 0; k < most && rr > stop; k++) {
      const hp = await times(p);
      const curvature = dot(p, hp);
      if (!(curvature > 0)) return undefined;
      const step = rr / curvature;
      for (let i = 0; i < n; i++) {
        next[i] += step * p[i];
        r[i] -= step * hp[i];
      }
      const after = dot(r, r);
      for (let i = 0; i < n; i++) p[i] = r[i] + (after / rr) * p[i];
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
  /** Where H + λI had a direction without positive curvature there is no step. */
  readonly step?: Float64Array;
  readonly gamma: number;
  /** λ = ‖g‖/γ. */
  readonly lambda: number;
}

/** One trial of radius γ: d = −(H + λI)⁻¹g, accepted where f(x) − f(x + d) ≥ ‖∇f(x + d)‖²/(8λ). */
export const trial = async (
  evaluate: (at: Float64Array) => Promise<Point>,
  x: Float64Array,
  { value, gradient }: Point,
  solve: Solve,
  gamma: number,
  residual: number,
  length = 1,
): Promise<Trial> => {
  const lambda = norm(gradient) / (gamma + 1e-8);
  const step = await solve(lambda, residual);
  if (!step) return { accepted: false, gamma, lambda, value: Number.NaN, gradient };
  const scaled = length === 1 ? step : step.map((d) => length * d);
  const there = await evaluate(x.map((v, i) => v + scaled[i]));
  const accepted = value - there.value >= dot(there.gradient, there.gradient) / (8 * lambda);
  return { accepted, step: scaled, gamma, lambda, ...there };
};

/** Semenov, Jaggi, Doikov 2025 (arXiv 2506.13710), the search of grad_norm_smooth: γ halves until a step is accepted. */
export const gradientNormalizedStep = async (
  evaluate: (at: Float64Array) => Promise<Point>,
  x: Float64Array,
  at: Point,
  solve: Solve,
  {
    gamma,
    tries,
    residual,
    length,
  }: { readonly gamma: number; readonly tries: number; readonly residual: number; readonly length?: number },
): Promise<Trial & { readonly trials: number }> => {
  let radius = gamma;
  for (let k = 1; ; k++) {
    // After two refusals the solution may be what is too coarse.
    const found = await trial(evaluate, x, at, solve, radius, k > 2 ? Math.min(residual, 1e-3) : residual, length);
    if (found.accepted || k >= tries || !found.step) return { ...found, trials: k };
    radius /= 2;
  }
};
