import type { Random } from '../random.ts';

/** No n unit vectors in d dimensions have a largest |cosine| below this (Welch 1974). */
export const welchBound = (n: number, d: number): number => (n <= d ? 0 : Math.sqrt((n - d) / (d * (n - 1))));

/** Slack in the largest |cosine| at which vectors count as found. */
export const SLACK = 1e-4;

/** Unit rows [n, d] with their largest |cosine|; `steps` of descent were taken. */
export interface Spread {
  readonly vectors: Float64Array;
  readonly worst: number;
  readonly steps: number;
}

const normalise = (w: Float64Array, n: number, d: number): void => {
  for (let i = 0; i < n; i++) {
    let square = 0;
    for (let k = 0; k < d; k++) square += w[i * d + k] ** 2;
    const scale = 1 / Math.sqrt(square);
    for (let k = 0; k < d; k++) w[i * d + k] *= scale;
  }
};

/** Largest |cosine| of two rows of unit length. */
export const largestCosine = (w: ArrayLike<number>, n: number, d: number): number => {
  let worst = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < i; j++) {
      let dot = 0;
      for (let k = 0; k < d; k++) dot += w[i * d + k] * w[j * d + k];
      worst = Math.max(worst, Math.abs(dot));
    }
  return worst;
};

/** Multiplications between two yields. */
const BREATH = 2e7;

/** Where a descent stands. */
export interface Standing {
  readonly step: number;
  /** Least largest |cosine| so far. */
  readonly best: number;
}

/**
 * Shen, Sun, Wei 2023: descends Σ_{i≠j} relu(|w_i·w_j| − α), whose gradient is 2·K·W with K = 1[|W Wᵀ| > α]∘sign(W Wᵀ), and brings the
 * rows back to length 1 after each step. Gives the best rows seen.
 */
export function* descent(
  start: ArrayLike<number>,
  [n, d]: readonly [number, number],
  alpha: number,
  rate: (step: number) => number,
  most: number,
): Generator<Standing, Spread, void> {
  const w = Float64Array.from(start);
  const pull = new Float64Array(n * d);
  const between = Math.max(1, Math.floor(BREATH / (n * n * d)));
  let best: Spread = { vectors: w, worst: Infinity, steps: 0 };
  for (let step = 0; ; step++) {
    if (step % between === 0) yield { step, best: best.worst };
    normalise(w, n, d);
    pull.fill(0);
    let worst = 0;
    for (let i = 0; i < n; i++)
      for (let j = 0; j < i; j++) {
        let dot = 0;
        for (let k = 0; k < d; k++) dot += w[i * d + k] * w[j * d + k];
        const size = Math.abs(dot);
        if (size > worst) worst = size;
        if (size <= alpha) continue;
        const sign = Math.sign(dot);
        for (let k = 0; k < d; k++) {
          pull[i * d + k] += sign * w[j * d + k];
          pull[j * d + k] += sign * w[i * d + k];
        }
      }
    if (worst < best.worst) best = { vectors: w.slice(), worst, steps: step };
    if (worst <= alpha + SLACK || step === most) return { ...best, steps: step };
    const size = 2 * rate(step);
    for (let k = 0; k < w.length; k++) w[k] -= size * pull[k];
  }
}

/** The whole descent at once. */
export const spreadApart = (...of: Parameters<typeof descent>): Spread => {
  const steps = descent(...of);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
};

/** n ≤ d orthonormal rows: Gram–Schmidt of a random matrix, each row twice. */
const orthonormal = (n: number, d: number, random: Random): Float64Array => {
  const w = Float64Array.from({ length: n * d }, () => random.normal());
  for (let i = 0; i < n; i++) {
    const row = w.subarray(i * d, (i + 1) * d);
    for (let twice = 0; twice < 2; twice++)
      for (let j = 0; j < i; j++) {
        let dot = 0;
        for (let k = 0; k < d; k++) dot += row[k] * w[j * d + k];
        for (let k = 0; k < d; k++) row[k] -= dot * w[j * d + k];
      }
    normalise(row, 1, d);
  }
  return w;
};

/** d + 1 rows with cosines −1/d: the corners of a regular simplex, turned at random. */
const simplex = (d: number, random: Random): Float64Array => {
  const n = d + 1;
  // Corners e_i − 1/n in an orthonormal basis of the plane Σ = 0 (Helmert), then another basis of the d dimensions.
  const turn = orthonormal(d, d, random);
  const w = new Float64Array(n * d);
  for (let i = 0; i < n; i++)
    for (let k = 0; k < d; k++) {
      const at = i <= k ? 1 / Math.sqrt((k + 1) * (k + 2)) : i === k + 1 ? -(k + 1) / Math.sqrt((k + 1) * (k + 2)) : 0;
      for (let c = 0; c < d; c++) w[i * d + c] += at * turn[k * d + c];
    }
  normalise(w, n, d);
  return w;
};

/** Rows that need no search: orthonormal ones, or a simplex. */
export const exactVectors = (n: number, d: number, random: Random): Spread | undefined => {
  const exact = n <= d ? orthonormal(n, d, random) : n === d + 1 ? simplex(d, random) : undefined;
  return exact && { vectors: exact, worst: largestCosine(exact, n, d), steps: 0 };
};

/** Where a search begins. */
export const firstVectors = (n: number, d: number, random: Random): Float64Array =>
  Float64Array.from({ length: n * d }, () => random.normal());

/** Rates by which the search is tried, one after the other. */
export const searchRates = (most: number): readonly ((step: number) => number)[] => [(k) => 0.05 * (1e-4 / 0.05) ** (k / most), () => 1e-3];

/** The angle asked for; below 0, 1.25 times the Welch bound rounded up. */
export const goalOf = (n: number, d: number, alpha: number): number =>
  alpha >= 0 ? alpha : Math.ceil(1.25 * welchBound(n, d) * 1e6) / 1e6;

/** The fewest dimensions in which n vectors may have a largest |cosine| of α. */
export const enoughDimensions = (n: number, alpha: number): number => {
  let d = 1;
  while (welchBound(n, d) > alpha) d++;
  return d;
};

export const STEPS = 20000;
/** Multiplications that the descent may spend. */
const WORK = 2e10;

/** n unit vectors in d dimensions whose largest |cosine| is α + 1e-4 at most where that was found, else the best that was. */
export const equiangularVectors = (n: number, d: number, alpha: number, random: Random): Spread => {
  const exact = exactVectors(n, d, random);
  if (exact) return exact;
  const start = firstVectors(n, d, random);
  const most = Math.max(10, Math.min(STEPS, Math.floor(WORK / (n * n * d))));
  let best: Spread | undefined;
  for (const rate of searchRates(most)) {
    const found = spreadApart(start, [n, d], alpha, rate, most);
    if (!best || found.worst < best.worst) best = found;
    if (best.worst <= alpha + SLACK) break;
  }
  return best ?? { vectors: start, worst: Number.POSITIVE_INFINITY, steps: 0 };
};
