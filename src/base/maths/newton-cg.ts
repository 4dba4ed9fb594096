/** A smooth convex function: value and gradient at a point, and products of the Hessian there with vectors. */
export interface Convex {
  evaluate(at: Float64Array): { readonly value: number; readonly gradient: Float64Array };
  /** At the point evaluated last. */
  times(v: Float64Array): Float64Array;
}

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};
const largest = (a: Float64Array): number => a.reduce((most, x) => Math.max(most, Math.abs(x)), 0);

/** Solves H d = −g by conjugate gradients up to a residual of min(½, √‖g‖)·‖g‖, or until a direction has no curvature. */
const direction = (f: Convex, g: Float64Array): Float64Array => {
  const d = new Float64Array(g.length);
  const r = g.map((x) => -x);
  const p = r.slice();
  let rr = dot(r, r);
  const stop = Math.min(0.5, Math.sqrt(Math.sqrt(rr))) ** 2 * rr;
  for (let k = 0; k < 10 * g.length && rr > stop; k++) {
    const hp = f.times(p);
    const curvature = dot(p, hp);
    if (!(curvature > 1e-18 * dot(p, p))) return k === 0 ? p : d;
    const step = rr / curvature;
    for (let i = 0; i < d.length; i++) {
      d[i] += step * p[i];
      r[i] -= step * hp[i];
    }
    const next = dot(r, r);
    for (let i = 0; i < p.length; i++) p[i] = r[i] + (next / rr) * p[i];
    rr = next;
  }
  return d;
};

/**
 * Newton's method with inexact steps and backtracking (Nocedal, Wright 2006, algorithm 7.1), until no entry of the gradient exceeds
 * `tolerance`, rounding allows no further descent, or 100 steps are done.
 */
export const newtonCg = (f: Convex, start: Float64Array, tolerance = 1e-10): Float64Array => {
  let at = start;
  let { value, gradient } = f.evaluate(at);
  for (let step = 0; step < 100 && largest(gradient) > tolerance; step++) {
    const d = direction(f, gradient);
    const slope = dot(gradient, d);
    if (!(slope < 0)) return at;
    let moved = false;
    for (let t = 1; t > 1e-8; t /= 2) {
      const to = at.map((x, i) => x + t * d[i]);
      const found = f.evaluate(to);
      // Where the descent left is below rounding, a smaller gradient decides.
      const level = Math.abs(found.value - value) <= 1e-14 * (1 + Math.abs(value)) && largest(found.gradient) < largest(gradient);
      if (found.value <= value + 1e-4 * t * slope || level) {
        at = to;
        value = found.value;
        gradient = found.gradient;
        moved = true;
        break;
      }
    }
    if (!moved) return at;
  }
  return at;
};
