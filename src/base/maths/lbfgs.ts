interface Evaluated {
  readonly value: number;
  readonly gradient: Float64Array;
}
/** A smooth function with its gradient; it may be computed elsewhere. */
export type Smooth = (at: Float64Array) => Evaluated | Promise<Evaluated>;

/** Steps remembered. */
const MEMORY = 10;
/** Sufficient decrease, curvature and trials of the line search. */
const [ENOUGH, STEEP, TRIALS] = [1e-4, 0.9, 40];

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};
const largest = (a: Float64Array): number => a.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
const moved = (at: Float64Array, t: number, d: Float64Array): Float64Array => at.map((x, i) => x + t * d[i]);

interface Step {
  readonly s: Float64Array;
  readonly y: Float64Array;
  readonly rho: number;
}

/** −H·g by the two loops of Nocedal, Wright 2006, algorithm 7.4. */
const direction = (steps: readonly Step[], gradient: Float64Array): Float64Array => {
  const q = gradient.map((g) => -g);
  const alphas: number[] = [];
  for (const { s, y, rho } of steps.toReversed()) {
    const alpha = rho * dot(s, q);
    alphas.push(alpha);
    for (let i = 0; i < q.length; i++) q[i] -= alpha * y[i];
  }
  const last = steps.at(-1);
  if (last) {
    const gamma = dot(last.s, last.y) / dot(last.y, last.y);
    for (let i = 0; i < q.length; i++) q[i] *= gamma;
  }
  for (const { s, y, rho } of steps) {
    const beta = rho * dot(y, q);
    const alpha = alphas.pop() ?? 0;
    for (let i = 0; i < q.length; i++) q[i] += (alpha - beta) * s[i];
  }
  return q;
};

/**
 * L-BFGS with a line search by bisection for the weak Wolfe conditions (Lewis, Overton 2013), until no entry of the gradient exceeds
 * `tolerance`, `iterations` steps are done, the value falls by no more than `flat` of itself (or of 1), or rounding allows no further
 * descent.
 */
export const lbfgs = async (
  f: Smooth,
  start: Float64Array,
  { tolerance, iterations, flat = 0 }: { readonly tolerance: number; readonly iterations: number; readonly flat?: number },
): Promise<{ readonly at: Float64Array; readonly iterations: number; readonly converged: boolean }> => {
  let at = start;
  let here = await f(at);
  const steps: Step[] = [];
  for (let k = 0; ; k++) {
    const converged = largest(here.gradient) <= tolerance;
    if (converged || k === iterations) return { at, iterations: k, converged };
    let d = direction(steps, here.gradient);
    let slope = dot(d, here.gradient);
    if (!(slope < 0)) {
      steps.length = 0;
      d = here.gradient.map((g) => -g);
      slope = dot(d, here.gradient);
    }
    let [low, high] = [0, Number.POSITIVE_INFINITY];
    let t = steps.length === 0 ? Math.min(1, 1 / Math.sqrt(-slope)) : 1;
    let found: Evaluated | undefined;
    for (let trial = 0; trial < TRIALS && !found; trial++) {
      const there = await f(moved(at, t, d));
      if (!(there.value <= here.value + ENOUGH * t * slope)) high = t;
      else if (dot(there.gradient, d) < STEEP * slope) low = t;
      else found = there;
      if (!found) t = high === Number.POSITIVE_INFINITY ? 2 * low : (low + high) / 2;
    }
    if (!found) return { at, iterations: k, converged: false };
    const to = moved(at, t, d);
    const s = to.map((x, i) => x - at[i]);
    const y = found.gradient.map((g, i) => g - here.gradient[i]);
    const curvature = dot(s, y);
    if (curvature > 1e-300) {
      steps.push({ s, y, rho: 1 / curvature });
      if (steps.length > MEMORY) steps.shift();
    }
    const fallen = here.value - found.value;
    at = to;
    here = found;
    if (fallen < flat * Math.max(Math.abs(found.value), Math.abs(found.value + fallen), 1))
      return { at, iterations: k + 1, converged: true };
  }
};
