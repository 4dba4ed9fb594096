/** q(x) = β₂ + (β₁ − β₂)/(1 + exp(−(x − β₃)/|β₄|)): the four-parameter curve of image-quality studies (VQEG). */
export type LogisticCurve = readonly [number, number, number, number];

/** The exponent is cut at ±500. */
const rise = (x: number, [, , b3, b4]: LogisticCurve): number =>
  1 / (1 + Math.exp(-Math.max(-500, Math.min(500, (x - b3) / Math.abs(b4)))));

export const logisticAt = (x: number, b: LogisticCurve): number => b[1] + (b[0] - b[1]) * rise(x, b);

const squares = (x: Float64Array, m: Float64Array, b: LogisticCurve): number => {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (logisticAt(x[i], b) - m[i]) ** 2;
  return sum;
};

/** Solves the 4×4 system by elimination with pivoting; null where it is singular. */
const solve = (a: readonly (readonly number[])[], y: readonly number[]): number[] | null => {
  const n = y.length;
  const w = a.map((row, i) => [...row, y[i]]);
  for (let k = 0; k < n; k++) {
    let best = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(w[i][k]) > Math.abs(w[best][k])) best = i;
    if (!(Math.abs(w[best][k]) > 0)) return null;
    [w[k], w[best]] = [w[best], w[k]];
    for (let i = k + 1; i < n; i++) {
      const f = w[i][k] / w[k][k];
      for (let j = k; j <= n; j++) w[i][j] -= f * w[k][j];
    }
  }
  const out = new Array<number>(n).fill(0);
  for (let i = n - 1; i >= 0; i--) {
    let sum = w[i][n];
    for (let j = i + 1; j < n; j++) sum -= w[i][j] * out[j];
    out[i] = sum / w[i][i];
  }
  return out;
};

const STEPS = 300;
const TOLERANCE = 1e-14;

/** Levenberg–Marquardt with Marquardt's scaling. */
const descend = (x: Float64Array, m: Float64Array, start: LogisticCurve): { readonly curve: LogisticCurve; readonly loss: number } => {
  let curve = start;
  let loss = squares(x, m, curve);
  let damping = 1e-3;
  for (let step = 0; step < STEPS && damping < 1e12; step++) {
    const a = Array.from({ length: 4 }, () => [0, 0, 0, 0]);
    const g = [0, 0, 0, 0];
    const [b1, b2, b3, b4] = curve;
    for (let i = 0; i < x.length; i++) {
      const s = rise(x[i], curve);
      const slope = ((b1 - b2) * s * (1 - s)) / Math.abs(b4);
      const d = [s, 1 - s, -slope, (-slope * (x[i] - b3)) / b4];
      const e = m[i] - (b2 + (b1 - b2) * s);
      for (let p = 0; p < 4; p++) {
        g[p] += d[p] * e;
        for (let q = 0; q < 4; q++) a[p][q] += d[p] * d[q];
      }
    }
    let gain = 0;
    while (damping < 1e12) {
      const move = solve(
        a.map((row, p) => row.map((v, q) => (p === q ? v * (1 + damping) + 1e-300 : v))),
        g,
      );
      const next: LogisticCurve | null = move && [b1 + move[0], b2 + move[1], b3 + move[2], b4 + move[3]];
      const found = next && next[3] !== 0 ? squares(x, m, next) : Number.NaN;
      if (next && found < loss) {
        gain = loss - found;
        [curve, loss] = [next, found];
        damping /= 10;
        break;
      }
      damping *= 10;
    }
    if (gain <= TOLERANCE * loss) break;
  }
  return { curve, loss };
};

/** Least squares from the customary start, β₄ = ½, and from ½·sd(x); the better of the two. */
export const fitLogistic = (x: Float64Array, m: Float64Array): LogisticCurve => {
  const n = x.length;
  const mean = x.reduce((sum, v) => sum + v, 0) / n;
  const sd = Math.sqrt(x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / n);
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const v of m) [low, high] = [Math.min(low, v), Math.max(high, v)];
  const [a, b] = [0.5, 0.5 * sd].map((width) => descend(x, m, [high, low, mean, width]));
  return a.loss <= b.loss ? a.curve : b.curve;
};
