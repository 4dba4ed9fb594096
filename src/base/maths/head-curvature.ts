/** Rows of one domain as its last layer sees them: φ̃ = [φ; 1] [n, width], probabilities and one-hot labels [n, outputs]. */
export interface HeadBatch {
  readonly count: number;
  readonly width: number;
  readonly outputs: number;
  readonly inputs: Float64Array;
  readonly probs: Float64Array;
  readonly marks: Float64Array;
  /** One score stands for two classes: S = σ(1 − σ) in the place of diag p − ppᵀ. */
  readonly single: boolean;
}

/** (1/n) Σ rᵢ φ̃ᵢᵀ with `row` filling rᵢ; rows of the result are outputs. */
const outer = ({ count, width, outputs, inputs }: HeadBatch, row: (i: number, r: Float64Array) => void, square = false): Float64Array => {
  const out = new Float64Array(outputs * width);
  const r = new Float64Array(outputs);
  for (let i = 0; i < count; i++) {
    row(i, r);
    for (let c = 0; c < outputs; c++) {
      const scale = r[c] / count;
      if (scale === 0) continue;
      for (let d = 0; d < width; d++) {
        const v = inputs[i * width + d];
        out[c * width + d] += scale * (square ? v * v : v);
      }
    }
  }
  return out;
};

/** g = (1/n) Σ (p − y) φ̃ᵀ. */
export const headGradient = (batch: HeadBatch): Float64Array =>
  outer(batch, (i, r) => {
    for (let c = 0; c < r.length; c++) r[c] = batch.probs[i * r.length + c] - batch.marks[i * r.length + c];
  });

/** H V = (1/n) Σ (p ∘ u − p (p·u)) φ̃ᵀ, u = V φ̃. */
export const headProduct = (batch: HeadBatch, v: Float64Array): Float64Array => {
  const { width, inputs, probs, single } = batch;
  return outer(batch, (i, r) => {
    let along = 0;
    for (let c = 0; c < r.length; c++) {
      let u = 0;
      for (let d = 0; d < width; d++) u += v[c * width + d] * inputs[i * width + d];
      r[c] = probs[i * r.length + c] * u;
      along += r[c];
    }
    for (let c = 0; c < r.length; c++) r[c] -= probs[i * r.length + c] * (single ? r[c] : along);
  });
};

/** diag H = (1/n) Σ (p ∘ (1 − p)) (φ̃ ∘ φ̃)ᵀ. */
export const headDiagonal = (batch: HeadBatch): Float64Array =>
  outer(
    batch,
    (i, r) => {
      for (let c = 0; c < r.length; c++) r[c] = batch.probs[i * r.length + c] * (1 - batch.probs[i * r.length + c]);
    },
    true,
  );

/** What ‖g − E g‖² is by chance: the variance of a row's gradient, over the rows. */
export const headGradientNoise = ({ count, width, outputs, inputs, probs, marks }: HeadBatch, gradient: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    let [r, phi] = [0, 0];
    for (let c = 0; c < outputs; c++) r += (probs[i * outputs + c] - marks[i * outputs + c]) ** 2;
    for (let d = 0; d < width; d++) phi += inputs[i * width + d] ** 2;
    sum += r * phi;
  }
  const squared = gradient.reduce((s, g) => s + g * g, 0);
  return count > 1 ? Math.max(0, sum / count - squared) / (count - 1) : Number.NaN;
};

/**
 * The largest |eigenvalue| of a symmetric operator from `start` on: ‖A v‖ of the unit vector v ← A v/‖A v‖, which does not mind
 * eigenvalues of both signs. Ends where it changes by less than a share of `tolerance`.
 */
export const spectralNorm = (
  times: (v: Float64Array) => Float64Array,
  start: Float64Array,
  iterations: number,
  tolerance: number,
): { readonly value: number; readonly settled: boolean } => {
  const length = (v: Float64Array): number => Math.sqrt(v.reduce((s, x) => s + x * x, 0));
  const first = length(start);
  let v = start.map((x) => x / first);
  let value = 0;
  for (let k = 0; k < iterations; k++) {
    const next = times(v);
    const norm = length(next);
    if (norm === 0) return { value: 0, settled: true };
    if (Math.abs(norm - value) <= tolerance * norm) return { value: norm, settled: true };
    value = norm;
    v = next.map((x) => x / norm);
  }
  return { value, settled: false };
};
