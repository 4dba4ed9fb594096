/** Tyurin 2025 (arXiv:2412.08424): gradient descent on logistic loss, and its limits at large steps. */
export type SeparatingMethod = 'lr-gd' | 'normalized-lr-gd' | 'batch-perceptron' | 'normalized-batch-perceptron';

/** Rows y_i·a_i with y_i = ±1, one after the other. */
export interface SignedRows {
  readonly rows: number;
  readonly width: number;
  readonly data: Float64Array;
}

/** Iterates θ₀ = 0, θ₁, …: numbers of θ_t stand at t. */
export interface SeparatingWalk {
  readonly theta: Float64Array;
  readonly updates: number;
  /** min_i Z_i·θ > 0 at the end. */
  readonly separated: boolean;
  readonly accuracy: readonly number[];
  /** (1/n) Σ log(1 + e^{−Z_i·θ}), and the length of its gradient; empty for perceptrons, whose θ has no scale. */
  readonly loss: readonly number[];
  readonly gradientNorm: readonly number[];
  /** Iterates that each row was not on the right side of. */
  readonly wrong: Uint32Array;
}

const lengthOf = (v: Float64Array): number => Math.sqrt(v.reduce((s, x) => s + x * x, 0));
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** How much a row counts, given its margin: 1/(1 + e^m), or 1 where m ≤ 0 and else 0; the first perceptron step is half of all. */
const shareOf = (method: SeparatingMethod, margin: number, first: boolean): number => {
  if (method === 'lr-gd' || method === 'normalized-lr-gd') return Math.exp(-softplus(margin));
  if (method === 'batch-perceptron' && first) return 0.5;
  return margin <= 0 ? 1 : 0;
};

/** Updates until every row is on the right side, at most `most`. `pause` is awaited from time to time. */
export const separate = async (
  { rows, width, data }: SignedRows,
  { method, rate, most }: { readonly method: SeparatingMethod; readonly rate: number; readonly most: number },
  pause: () => Promise<void> = async () => {},
): Promise<SeparatingWalk> => {
  const theta = new Float64Array(width);
  const sum = new Float64Array(width);
  const wrong = new Uint32Array(rows);
  const accuracy: number[] = [];
  const loss: number[] = [];
  const gradientNorm: number[] = [];
  const descends = method === 'lr-gd' || method === 'normalized-lr-gd';
  const normalized = method === 'normalized-lr-gd' || method === 'normalized-batch-perceptron';
  const between = Math.max(1, Math.floor(2e7 / (rows * width)));
  for (let t = 0; ; t++) {
    if (t % between === 0) await pause();
    sum.fill(0);
    let [mass, right, total] = [0, 0, 0];
    for (let i = 0, at = 0; i < rows; i++, at += width) {
      let margin = 0;
      for (let k = 0; k < width; k++) margin += data[at + k] * theta[k];
      if (margin > 0) right++;
      else wrong[i]++;
      if (descends) total += softplus(-margin);
      const s = shareOf(method, margin, t === 0);
      if (s === 0) continue;
      mass += s;
      for (let k = 0; k < width; k++) sum[k] += s * data[at + k];
    }
    accuracy.push(right / rows);
    if (descends) {
      loss.push(total / rows);
      gradientNorm.push(lengthOf(sum) / rows);
    }
    if (right === rows || t === most) return { theta, updates: t, separated: right === rows, accuracy, loss, gradientNorm, wrong };
    const step = (descends ? rate : 1) / (normalized ? mass : rows);
    for (let k = 0; k < width; k++) theta[k] += step * sum[k];
  }
};

/** max ‖Z_i‖. */
export const radiusOf = ({ rows, width, data }: SignedRows): number => {
  let most = 0;
  for (let i = 0; i < rows; i++) {
    let square = 0;
    for (let k = i * width; k < (i + 1) * width; k++) square += data[k] ** 2;
    most = Math.max(most, square);
  }
  return Math.sqrt(most);
};

/** min_i Z_i·θ/‖θ‖. */
export const marginOf = ({ rows, width, data }: SignedRows, theta: Float64Array): number => {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < rows; i++) {
    let margin = 0;
    for (let k = 0; k < width; k++) margin += data[i * width + k] * theta[k];
    least = Math.min(least, margin);
  }
  return least / lengthOf(theta);
};

/** Updates that the method needs at most, where rows are separated by a margin μ of R = max ‖Z_i‖; plain descent has no such bound here. */
export const updateBound = (method: SeparatingMethod, radius: number, margin: number, rows: number, rate: number): number => {
  const ratio = (radius / margin) ** 2;
  if (method === 'batch-perceptron') return rows * ratio;
  if (method === 'normalized-batch-perceptron') return ratio;
  if (method === 'normalized-lr-gd') return ratio + (2 * Math.log(2 * rows - 1)) / (rate * margin ** 2);
  return Number.NaN;
};
