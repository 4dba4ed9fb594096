import { studentQuantile } from './student.ts';

/** A size, the error there, and the weight of its logarithm in a fit. */
export interface CurvePoint {
  readonly size: number;
  readonly error: number;
  readonly weight: number;
}

/** ln ε = ln α + β·ln m, by weighted least squares, with the inverse of XᵀWX and the residual standard deviation. */
export interface PowerLaw {
  readonly alpha: number;
  readonly beta: number;
  readonly alphaError: number;
  readonly betaError: number;
  readonly r2: number;
  readonly sd: number;
  readonly n: number;
  /** Mean of ln m, 1/Σw, 1/Σw(ln m − mean)², mean weight. */
  readonly centre: number;
  readonly spread: readonly [mean: number, slope: number];
  readonly weight: number;
  readonly residuals: readonly number[];
  /** Residuals over the standard deviation that the fit without the point gives them; 0 where the fit is exact. */
  readonly studentised: readonly number[];
}

export const fitPowerLaw = (points: readonly CurvePoint[]): PowerLaw => {
  const n = points.length;
  const [x, y, w] = [points.map((p) => Math.log(p.size)), points.map((p) => Math.log(p.error)), points.map((p) => p.weight)];
  const total = w.reduce((s, v) => s + v, 0);
  const mean = (v: readonly number[]): number => v.reduce((s, u, i) => s + w[i] * u, 0) / total;
  const [mx, my] = [mean(x), mean(y)];
  const sxx = x.reduce((s, v, i) => s + w[i] * (v - mx) ** 2, 0);
  const beta = x.reduce((s, v, i) => s + w[i] * (v - mx) * (y[i] - my), 0) / sxx;
  const residuals = x.map((v, i) => y[i] - my - beta * (v - mx));
  const rss = residuals.reduce((s, r, i) => s + w[i] * r * r, 0);
  const tss = y.reduce((s, v, i) => s + w[i] * (v - my) ** 2, 0);
  const sd = Math.sqrt(rss / (n - 2));
  const exact = rss <= 1e-24 * Math.max(tss, total);
  const leverage = x.map((v, i) => w[i] * (1 / total + (v - mx) ** 2 / sxx));
  const lnAlpha = my - beta * mx;
  return {
    alpha: Math.exp(lnAlpha),
    beta,
    alphaError: Math.exp(lnAlpha) * sd * Math.sqrt(1 / total + (mx * mx) / sxx),
    betaError: sd / Math.sqrt(sxx),
    r2: tss > 0 ? 1 - rss / tss : Number.NaN,
    sd,
    n,
    centre: mx,
    spread: [1 / total, 1 / sxx],
    weight: total / n,
    residuals,
    studentised: residuals.map((r, i) => {
      if (exact || n < 4) return 0;
      const left = 1 - leverage[i];
      const without = (rss - (w[i] * r * r) / left) / (n - 3);
      return without <= 0 ? Math.sign(r) * Number.POSITIVE_INFINITY : (r * Math.sqrt(w[i])) / Math.sqrt(without * left);
    }),
  };
};

export interface Prediction {
  readonly error: number;
  readonly low: number;
  readonly high: number;
}

/** exp(xᵀb ± t·s·√(1 + xᵀ(XᵀX)⁻¹x)), the 1 over the mean weight where points weigh differently. */
export const predictPowerLaw = (fit: PowerLaw, size: number, level: number): Prediction => {
  const x = Math.log(size);
  const middle = Math.log(fit.alpha) + fit.beta * x;
  const half =
    studentQuantile((1 + level) / 2, fit.n - 2) *
    fit.sd *
    Math.sqrt(1 / fit.weight + fit.spread[0] + (x - fit.centre) ** 2 * fit.spread[1]);
  return { error: Math.exp(middle), low: Math.exp(middle - half), high: Math.exp(middle + half) };
};

/** ε = αm^β + γ: e^a m^(−e^b) + e^g, with the covariance of (a, b, g). */
export interface FlooredLaw {
  readonly alpha: number;
  readonly beta: number;
  readonly gamma: number;
  /** Standard errors of α, β and γ by the delta method. */
  readonly errors: readonly [alpha: number, beta: number, gamma: number];
  readonly covariance: readonly (readonly number[])[];
  /** Deleted residuals in the linear approximation; 0 where the fit is exact. */
  readonly studentised: readonly number[];
  readonly rss: number;
  readonly sd: number;
  readonly n: number;
  readonly weight: number;
}

type Triple = readonly [number, number, number];

const modelAt = ([a, b, g]: Triple, x: number): { readonly value: number; readonly gradient: Triple } => {
  const law = Math.exp(a - Math.exp(b) * x);
  const floor = Math.exp(g);
  const value = law + floor;
  return { value: Math.log(value), gradient: [law / value, (-Math.exp(b) * x * law) / value, floor / value] };
};

/** Solves a symmetric 3 × 3 system by elimination with pivots; undefined where it is singular. */
const solve = (matrix: readonly (readonly number[])[], right: readonly number[]): number[] | undefined => {
  const m = matrix.map((row, i) => [...row, right[i]]);
  for (let c = 0; c < 3; c++) {
    let best = c;
    for (let r = c + 1; r < 3; r++) if (Math.abs(m[r][c]) > Math.abs(m[best][c])) best = r;
    if (!(Math.abs(m[best][c]) > 1e-300)) return undefined;
    [m[c], m[best]] = [m[best], m[c]];
    for (let r = 0; r < 3; r++) {
      if (r === c) continue;
      const f = m[r][c] / m[c][c];
      for (let k = c; k < 4; k++) m[r][k] -= f * m[c][k];
    }
  }
  return m.map((row, i) => row[3] / row[i]);
};

const starts = [0, 0.1, 0.3, 0.6, 0.9];

/** Levenberg–Marquardt on ln ε from five floors (card 38), the best kept. */
export const fitFlooredLaw = (points: readonly CurvePoint[]): FlooredLaw => {
  const n = points.length;
  const x = points.map((p) => Math.log(p.size));
  const y = points.map((p) => Math.log(p.error));
  const w = points.map((p) => p.weight);
  const least = Math.min(...points.map((p) => p.error));
  const cost = (t: Triple): number => x.reduce((s, v, i) => s + w[i] * (modelAt(t, v).value - y[i]) ** 2, 0);
  const normal = (t: Triple) => {
    const jj = [0, 1, 2].map(() => [0, 0, 0]);
    const jr = [0, 0, 0];
    for (const [i, v] of x.entries()) {
      const { value, gradient } = modelAt(t, v);
      for (let r = 0; r < 3; r++) {
        jr[r] += w[i] * gradient[r] * (y[i] - value);
        for (let c = 0; c < 3; c++) jj[r][c] += w[i] * gradient[r] * gradient[c];
      }
    }
    return { jj, jr };
  };
  let best: { readonly at: Triple; readonly rss: number } | undefined;
  for (const share of starts) {
    const floor = share === 0 ? 1e-9 : share * least;
    const rest = fitPowerLaw(points.map((p) => ({ ...p, error: Math.max(p.error - floor, 1e-3 * p.error) })));
    let at: Triple = [Math.log(rest.alpha), Math.log(Math.max(-rest.beta, 1e-3)), Math.log(floor)];
    let rss = cost(at);
    let damping = 1e-3;
    for (let step = 0; step < 500 && damping < 1e12; step++) {
      const { jj, jr } = normal(at);
      const move = solve(
        jj.map((row, r) => row.map((v, c) => (r === c ? v * (1 + damping) + 1e-300 : v))),
        jr,
      );
      const to = move && ([at[0] + move[0], at[1] + move[1], at[2] + move[2]] as const);
      const next = to ? cost(to) : Number.NaN;
      if (to && next <= rss) {
        const gain = rss - next;
        [at, rss] = [to, next];
        damping = Math.max(damping / 10, 1e-15);
        if (gain <= 1e-15 * rss || rss < 1e-29) break;
      } else damping *= 10;
    }
    if (!best || rss < best.rss) best = { at, rss };
  }
  const { at, rss } = best ?? { at: [0, 0, 0] as Triple, rss: Number.NaN };
  const sd = Math.sqrt(rss / (n - 3));
  const { jj } = normal(at);
  const columns = [0, 1, 2].map((k) =>
    solve(
      jj,
      [0, 1, 2].map((i) => Number(i === k)),
    ),
  );
  const covariance = [0, 1, 2].map((r) => [0, 1, 2].map((c) => (columns[c]?.[r] ?? Number.POSITIVE_INFINITY) * sd * sd));
  const [alpha, slope, gamma] = at.map(Math.exp);
  const error = (k: number, scale: number): number => scale * Math.sqrt(Math.max(0, covariance[k][k]));
  return {
    alpha,
    beta: -slope,
    gamma,
    errors: [error(0, alpha), error(1, slope), error(2, gamma)],
    covariance,
    studentised: x.map((v, i) => {
      if (rss < 1e-24 || n < 5) return 0;
      const { value, gradient } = modelAt(at, v);
      let leverage = 0;
      for (let r = 0; r < 3; r++) for (let c = 0; c < 3; c++) leverage += (w[i] * gradient[r] * gradient[c] * covariance[r][c]) / (sd * sd);
      const left = Math.max(1e-12, 1 - leverage);
      const without = (rss - (w[i] * (y[i] - value) ** 2) / left) / (n - 4);
      return without <= 0
        ? Math.sign(y[i] - value) * Number.POSITIVE_INFINITY
        : ((y[i] - value) * Math.sqrt(w[i])) / Math.sqrt(without * left);
    }),
    rss,
    sd,
    n,
    weight: w.reduce((s, v) => s + v, 0) / n,
  };
};

export const predictFloored = (fit: FlooredLaw, size: number, level: number): Prediction => {
  const { value, gradient } = modelAt([Math.log(fit.alpha), Math.log(-fit.beta), Math.log(fit.gamma)], Math.log(size));
  let variance = (fit.sd * fit.sd) / fit.weight;
  for (let r = 0; r < 3; r++) for (let c = 0; c < 3; c++) variance += gradient[r] * gradient[c] * fit.covariance[r][c];
  const half = studentQuantile((1 + level) / 2, fit.n - 3) * Math.sqrt(Math.max(0, variance));
  return { error: Math.exp(value), low: Math.exp(value - half), high: Math.exp(value + half) };
};

/** Akaike's criterion for few points; `parameters` without that of the noise. */
export const aicc = (rss: number, n: number, parameters: number): number => {
  const k = parameters + 1;
  return n * Math.log(Math.max(rss, 1e-300) / n) + 2 * k + (n - k - 1 > 0 ? (2 * k * (k + 1)) / (n - k - 1) : Number.POSITIVE_INFINITY);
};
