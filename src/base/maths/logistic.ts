export const sigmoid = (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));

/** Solves the symmetric positive definite system a·x = b (row-major) by Cholesky factors. */
const solve = (a: Float64Array, b: Float64Array): Float64Array => {
  const n = b.length;
  const l = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j];
      for (let k = 0; k < j; k++) sum -= l[i * n + k] * l[j * n + k];
      l[i * n + j] = i === j ? Math.sqrt(Math.max(sum, 1e-300)) : sum / l[j * n + j];
    }
  }
  const x = b.slice();
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i] -= l[i * n + k] * x[k];
    x[i] /= l[i * n + i];
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i] -= l[k * n + i] * x[k];
    x[i] /= l[i * n + i];
  }
  return x;
};

/**
 * Logistic regression of targets in [0, 1] on a few features and a constant, whose coefficient stands last: minimises
 * Σ softplus(s) − t·s + ridge/2·Σw² (the constant is free) by Newton steps with backtracking (Lin, Lin, Weng 2007), until the
 * gradient of the mean loss is below 1e-10.
 */
export const logistic = (
  features: readonly Float64Array[],
  targets: Float64Array,
  { start, ridge = 0 }: { readonly start: readonly number[]; readonly ridge?: number },
): Float64Array => {
  const [rows, d] = [targets.length, features.length + 1];
  const row = new Float64Array(d).fill(1);
  const at = (w: Float64Array): { readonly loss: number; readonly g: Float64Array; readonly h: Float64Array } => {
    const g = new Float64Array(d);
    const h = new Float64Array(d * d);
    let loss = 0;
    for (let i = 0; i < rows; i++) {
      let s = w[d - 1];
      for (let k = 0; k < d - 1; k++) {
        row[k] = features[k][i];
        s += w[k] * row[k];
      }
      const e = Math.exp(-Math.abs(s));
      loss += Math.max(s, 0) + Math.log1p(e) - targets[i] * s;
      const excess = (s >= 0 ? 1 : e) / (1 + e) - targets[i];
      const slope = e / ((1 + e) * (1 + e));
      for (let a = 0; a < d; a++) {
        g[a] += excess * row[a];
        for (let b = 0; b <= a; b++) h[a * d + b] += slope * row[a] * row[b];
      }
    }
    for (let a = 0; a < d; a++) {
      if (a < d - 1) {
        loss += (ridge / 2) * w[a] * w[a];
        g[a] += ridge * w[a];
      }
      // Lin, Lin and Weng's 1e-12 keeps the matrix regular.
      h[a * d + a] += ridge + 1e-12;
    }
    return { loss, g, h };
  };
  let w = Float64Array.from(start);
  let here = at(w);
  for (let step = 0; step < 100 && here.g.some((x) => Math.abs(x) >= 1e-10 * rows); step++) {
    const move = solve(here.h, here.g);
    const fall = here.g.reduce((sum, x, k) => sum + x * move[k], 0);
    let found = false;
    for (let t = 1; t > 1e-10 && !found; t /= 2) {
      const to = w.map((x, k) => x - t * move[k]);
      const next = at(to);
      found = next.loss <= here.loss - 1e-4 * t * fall + 1e-14 * here.loss;
      if (found) [w, here] = [to, next];
    }
    if (!found) break;
  }
  return w;
};

/** Targets of Platt 1999, which keep the fit finite where the two classes can be told apart without error. */
const plattTargets = (hits: ArrayLike<number>): Float64Array => {
  let positive = 0;
  for (let i = 0; i < hits.length; i++) positive += hits[i];
  const [yes, no] = [(positive + 1) / (positive + 2), 1 / (hits.length - positive + 2)];
  return Float64Array.from(hits, (t) => (t ? yes : no));
};

/** P(hit) = σ(slope·score + offset) by Platt's method; his A and B are −slope and −offset. `start` may be a fit on nearly the same rows. */
export const platt = (
  scores: Float64Array,
  hits: ArrayLike<number>,
  start?: readonly [slope: number, offset: number],
): readonly [slope: number, offset: number] => {
  let positive = 0;
  for (let i = 0; i < hits.length; i++) positive += hits[i];
  const [slope, offset] = logistic([scores], plattTargets(hits), {
    start: start ?? [0, Math.log((positive + 1) / (hits.length - positive + 1))],
  });
  return [slope, offset];
};
