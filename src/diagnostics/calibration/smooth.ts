import type { CosineTransform } from '../../base/maths/cosine-transform.ts';

/** Where each confidence falls on n nodes (i + ½)/n: shared between its two neighbours, mirrored at 0 and 1. */
export interface Placing {
  readonly n: number;
  readonly at: Int32Array;
  /** Part that goes to the node after. */
  readonly share: Float64Array;
}

export const placing = (c: Float64Array, n: number): Placing => {
  const at = new Int32Array(c.length);
  const share = new Float64Array(c.length);
  for (let g = 0; g < c.length; g++) {
    const t = c[g] * n - 0.5;
    const low = Math.floor(t);
    const inside = low >= 0 && low < n - 1;
    at[g] = inside ? low : low < 0 ? 0 : n - 1;
    share[g] = inside ? t - low : 0;
  }
  return { n, at, share };
};

/** Mass of every group, laid on the nodes. */
export const spread = (
  { n, at, share }: Placing,
  mass: Float64Array | Int32Array,
  out: Float64Array = new Float64Array(n),
): Float64Array => {
  out.fill(0);
  for (let g = 0; g < at.length; g++) {
    const m = mass[g];
    const part = m * share[g];
    out[at[g]] += m - part;
    if (part !== 0) out[at[g] + 1] += part;
  }
  return out;
};

/** Nodes that resolve a kernel of this width: two to a standard deviation. */
export const nodesFor = (width: number): number => Math.min(FINEST, Math.max(64, 2 ** Math.ceil(Math.log2(2 / Math.max(width, 1e-9)))));
export const FINEST = 2_048;

/**
 * A Gaussian of standard deviation `width` reflected at 0 and 1 is diagonal among cosines: e^{−w²π²k²/2}. Sharing between two nodes
 * has spread masses by a variance of 1/(6n²) already.
 */
const damped = (coefficients: Float64Array, width: number, into: Float64Array): Float64Array => {
  const n = coefficients.length;
  const variance = Math.max(0, width * width - 1 / (6 * n * n));
  const rate = (variance * Math.PI ** 2) / 2;
  into.fill(0);
  // e^(−r(k+1)²) = e^(−rk²)·e^(−r(2k+1)), both by products, without an exponential for each k; e^−40 is below rounding.
  const turn = Math.exp(-2 * rate);
  let [factor, step] = [1, Math.exp(-rate)];
  for (let k = 0; k < n && rate * k * k < 40; k++) {
    into[k] = coefficients[k] * factor;
    factor *= step;
    step *= turn;
  }
  return into;
};

const magnitude = (mass: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < mass.length; i++) sum += Math.abs(mass[i]);
  return sum;
};

/** What a smoothing writes into; shared by draws, so that thousands of them allocate nothing. */
export interface Space {
  readonly coefficients: Float64Array;
  readonly kept: Float64Array;
  readonly masses: readonly [Float64Array, Float64Array];
}
export const spaceOf = ({ n }: Pick<CosineTransform, 'n'>): Space => ({
  coefficients: new Float64Array(n),
  kept: new Float64Array(n),
  masses: [new Float64Array(n), new Float64Array(n)],
});

/** Masses on the nodes after smoothing. */
const smoothed = (
  transform: CosineTransform,
  mass: Float64Array,
  width: number,
  { coefficients, kept }: Space,
  into: Float64Array,
): Float64Array => transform.inverse(damped(transform.forward(mass, coefficients), width, kept), into);

/**
 * Smooth calibration error (Błasiok, Nakkiran 2023, arXiv:2309.12236): smECE_σ = ∫|E[K_σ(t, c)(a − c)]|dt with the reflected Gaussian
 * K, at the one σ where smECE_σ = σ. `residual` is the mass of a − c on the nodes.
 */
export const smoothEce = (
  transform: CosineTransform,
  residual: Float64Array,
  tolerance = 1e-10,
  guess = 0.05,
  space: Space = spaceOf(transform),
): number => {
  if (magnitude(residual) === 0) return 0;
  const { kept, masses } = space;
  const [back] = masses;
  const coefficients = transform.forward(residual, space.coefficients);
  const error = (width: number): number => magnitude(transform.inverse(damped(coefficients, width, kept), back));
  // smECE_σ falls with σ, so the excess over σ has one zero: secant steps, halving where one leaves the bracket.
  let [low, high, before] = [0, 1, guess];
  let excess = error(before) - before;
  let now = Math.min(1, before + excess);
  for (let i = 0; i < 100; i++) {
    const next = error(now) - now;
    if (next > 0) low = Math.max(low, now);
    else high = Math.min(high, now);
    if (Math.abs(next) <= tolerance || high - low <= tolerance) return now;
    const step = now - (next * (now - before)) / (next - excess);
    [before, excess] = [now, next];
    now = step > low && step < high ? step : (low + high) / 2;
  }
  return now;
};

/** Nadaraya–Watson estimate of the outcome and the density of confidences, read at ascending `x`. */
export const smoothCurve = (
  transform: CosineTransform,
  outcomes: Float64Array,
  rows: Float64Array,
  width: number,
  x: Float64Array,
  space: Space = spaceOf(transform),
): { readonly share: Float64Array; readonly density: Float64Array } => {
  const { n } = transform;
  const [above, below] = space.masses;
  smoothed(transform, outcomes, width, space, above);
  smoothed(transform, rows, width, space, below);
  const total = rows.reduce((sum, v) => sum + v, 0);
  const read = (of: (i: number) => number): Float64Array =>
    x.map((at) => {
      const t = Math.min(n - 1, Math.max(0, at * n - 0.5));
      const low = Math.min(n - 2, Math.floor(t));
      return of(low) + (t - low) * (of(low + 1) - of(low));
    });
  return {
    // Far from all confidences both masses vanish: no estimate there.
    share: read((i) => (below[i] > 1e-9 * total ? Math.min(1, Math.max(0, above[i] / below[i])) : Number.NaN)),
    density: read((i) => Math.max(0, (below[i] * n) / total)),
  };
};
