import { normalQuantile } from '../../base/maths/normal.ts';
import { quantile } from '../../base/maths/quantile.ts';
import type { RowGradients, TrainedTensor } from '../../evidence/loss.ts';
import type { Interval } from '../../report/report.ts';

/** Variances over rows are unbiased; ḡ is the gradient of the mean loss of `rows` rows. */
export interface Noise {
  readonly rows: number;
  /** ‖ḡ‖². */
  readonly squaredNorm: number;
  /** V = Σⱼ Varᵢ(gᵢⱼ) = V⊥ + Var(⟨gᵢ, ḡ⟩)/‖ḡ‖². */
  readonly variance: number;
  readonly innerProduct: number;
  readonly orthogonal: number;
  /** V/‖ḡ‖²; NaN where the gradient is zero. */
  readonly scale: number;
  /** By the jackknife over rows, on the log scale. */
  readonly interval?: Interval;
  /** ‖ḡ‖² − V/rows: of the whole population, without bias; not above 0 where the sample's gradient is no more than noise. */
  readonly unbiasedNorm: number;
  readonly tensors: readonly { readonly name: string; readonly size: number; readonly variance: number; readonly squaredNorm: number }[];
  /** Varᵢ(gᵢⱼ)/ḡⱼ² over the coordinates that move: median and 90 %. */
  readonly coordinates: { readonly median: number; readonly ninety: number; readonly moving: number };
  /** ‖gᵢ‖ of every row. */
  readonly norms: Float64Array;
}

const total = (values: Float64Array): number => values.reduce((s, v) => s + v, 0);

/** Of the logarithm of V/‖ḡ‖²: leaving row i out changes both through ‖gᵢ‖² and ⟨gᵢ, ḡ⟩ alone. */
const jackknife = (squares: Float64Array, along: Float64Array, q: number, level: number): Interval | undefined => {
  const n = squares.length;
  if (n < 3 || !(q > 0)) return undefined;
  const sum = total(squares);
  const logs = squares.map((s, i) => {
    const left = (n * n * q - 2 * n * along[i] + s) / (n - 1) ** 2;
    return Math.log((sum - s - (n - 1) * left) / (n - 2) / left);
  });
  const middle = total(logs) / n;
  const error = Math.sqrt(((n - 1) / n) * logs.reduce((e, l) => e + (l - middle) ** 2, 0));
  const half = normalQuantile((1 + level) / 2) * error;
  const scale = (sum - n * q) / (n - 1) / q;
  if (!Number.isFinite(half) || !(scale > 0)) return undefined;
  return { low: scale * Math.exp(-half), high: scale * Math.exp(half), level, method: 'jackknife over rows, on the log scale' };
};

const perCoordinate = (second: Float64Array, gradient: Float64Array, n: number): Noise['coordinates'] => {
  const moving = Array.from(second.keys()).filter((j) => second[j] > 0);
  const ratios = Float64Array.from(moving, (j) => Math.max(0, second[j] - n * gradient[j] ** 2) / (n - 1) / gradient[j] ** 2).sort();
  const at = (p: number): number => (ratios.length === 0 ? Number.NaN : quantile(ratios, p));
  return { median: at(0.5), ninety: at(0.9), moving: ratios.length };
};

export const noiseOf = (
  { squares: squaresBy, along: alongBy, second }: RowGradients,
  gradient: Float64Array,
  tensors: readonly TrainedTensor[],
  level: number,
): Noise => {
  const width = tensors.length;
  const n = squaresBy.length / width;
  const byRow = (table: Float64Array): Float64Array =>
    Float64Array.from({ length: n }, (_, i) => total(table.subarray(i * width, (i + 1) * width)));
  const squares = byRow(squaresBy);
  const along = byRow(alongBy);
  let offset = 0;
  const parts = tensors.map(({ name, size }, t) => {
    const q = gradient.subarray(offset, offset + size).reduce((s, g) => s + g * g, 0);
    offset += size;
    let sum = 0;
    for (let i = 0; i < n; i++) sum += squaresBy[i * width + t];
    return { name, size, squaredNorm: q, variance: Math.max(0, sum - n * q) / (n - 1) };
  });
  const q = parts.reduce((s, p) => s + p.squaredNorm, 0);
  const innerProduct = along.reduce((s, t) => s + (t - q) ** 2, 0) / (n - 1);
  const orthogonal = squares.reduce((s, v, i) => s + Math.max(0, v - (q > 0 ? along[i] ** 2 / q : 0)), 0) / (n - 1);
  const variance = orthogonal + (q > 0 ? innerProduct / q : 0);
  const interval = jackknife(squares, along, q, level);
  return {
    rows: n,
    squaredNorm: q,
    variance,
    innerProduct,
    orthogonal,
    scale: q > 0 ? variance / q : Number.NaN,
    ...(interval ? { interval } : {}),
    unbiasedNorm: q - variance / n,
    tensors: parts,
    coordinates: perCoordinate(second, gradient, n),
    norms: squares.map(Math.sqrt),
  };
};
