/** A linear change of input rows, flattened: out_i = Σ_k weight_k[i]·x[place_k[i]] + shift[i] + mean·(mean of the row). */
export interface Perturbation {
  readonly name: string;
  readonly taps: readonly { readonly places: Int32Array; readonly weights: Float32Array }[];
  readonly shift?: Float32Array;
  readonly mean: number;
}

/** What a row of the model's input is read through besides itself, and how many of the largest logits are looked at there. */
export interface Views {
  readonly perturbations: readonly Perturbation[];
  readonly topK: number;
}

/** Changed rows of `size` numbers each. */
export const perturb = ({ taps, shift, mean }: Perturbation, x: ArrayLike<number>, size: number): Float32Array => {
  const out = new Float32Array(x.length);
  for (let from = 0; from < x.length; from += size) {
    let average = 0;
    if (mean !== 0) for (let i = 0; i < size; i++) average += x[from + i] / size;
    for (let i = 0; i < size; i++) {
      let sum = (shift?.[i] ?? 0) + mean * average;
      for (const { places, weights } of taps) sum += weights[i] * x[from + places[i]];
      out[from + i] = sum;
    }
  }
  return out;
};

/** Indices of the `count` largest of the entries from `at` on, largest first, equal ones by index. */
export const largest = (values: ArrayLike<number>, at: number, length: number, count: number): number[] =>
  Array.from({ length }, (_, j) => j)
    .sort((a, b) => values[at + b] - values[at + a] || a - b)
    .slice(0, count);
