/** Type-II discrete cosine transform X_k = Σ x_i cos(πk(i+½)/n) and its inverse, n a power of two. */
export interface CosineTransform {
  readonly n: number;
  forward(x: Float64Array): Float64Array;
  /** Written into `into`, where one is given. */
  inverse(x: Float64Array, into?: Float64Array): Float64Array;
}

/** In place, e^{−2πijk/n}, by decimation in time. `cos` and `sin` hold a half turn. */
const fourier = (re: Float64Array, im: Float64Array, cos: Float64Array, sin: Float64Array): void => {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j], re[i]];
      [im[i], im[j]] = [im[j], im[i]];
    }
  }
  for (let size = 2; size <= n; size *= 2) {
    const half = size >> 1;
    const step = n / size;
    for (let from = 0; from < n; from += size) {
      for (let k = 0; k < half; k++) {
        const a = from + k;
        const b = a + half;
        const c = cos[k * step];
        const s = sin[k * step];
        const x = re[b] * c + im[b] * s;
        const y = im[b] * c - re[b] * s;
        re[b] = re[a] - x;
        im[b] = im[a] - y;
        re[a] += x;
        im[a] += y;
      }
    }
  }
};

/** By one complex Fourier transform of length n (Makhoul 1980, doi:10.1109/TASSP.1980.1163351). */
const made = (n: number): CosineTransform => {
  const half = Math.max(1, n >> 1);
  const cos = Float64Array.from({ length: half }, (_, k) => Math.cos((2 * Math.PI * k) / n));
  const sin = Float64Array.from({ length: half }, (_, k) => Math.sin((2 * Math.PI * k) / n));
  const turnCos = Float64Array.from({ length: n }, (_, k) => Math.cos((Math.PI * k) / (2 * n)));
  const turnSin = Float64Array.from({ length: n }, (_, k) => Math.sin((Math.PI * k) / (2 * n)));
  const [re, im] = [new Float64Array(n), new Float64Array(n)];
  const place = (i: number): number => (i % 2 === 0 ? i >> 1 : n - 1 - (i >> 1));
  return {
    n,
    forward(x) {
      im.fill(0);
      for (let i = 0; i < n; i++) re[place(i)] = x[i];
      fourier(re, im, cos, sin);
      const out = new Float64Array(n);
      for (let k = 0; k < n; k++) out[k] = re[k] * turnCos[k] + im[k] * turnSin[k];
      return out;
    },
    inverse(x, into = new Float64Array(n)) {
      for (let k = 0; k < n; k++) {
        const other = k === 0 ? 0 : x[n - k];
        re[k] = x[k] * turnCos[k] + other * turnSin[k];
        im[k] = x[k] * turnSin[k] - other * turnCos[k];
      }
      // The inverse Fourier transform is the forward one with both parts exchanged.
      fourier(im, re, cos, sin);
      for (let i = 0; i < n; i++) into[i] = re[place(i)] / n;
      return into;
    },
  };
};

const known = new Map<number, CosineTransform>();

/** The transform of one length, its tables made once. */
export const cosineTransform = (n: number): CosineTransform => {
  const found = known.get(n) ?? made(n);
  known.set(n, found);
  return found;
};
