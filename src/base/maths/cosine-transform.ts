/** Type-II discrete cosine transform X_k = Σ x_i cos(πk(i+½)/n) and its inverse, n a power of two from 2 on. */
export interface CosineTransform {
  readonly n: number;
  /** Both are written into `into`, where one is given; it may not be `x`. */
  forward(x: Float64Array, into?: Float64Array): Float64Array;
  inverse(x: Float64Array, into?: Float64Array): Float64Array;
}

/** In place, e^{−2πijk/n}, by decimation in time. `cos` and `sin` hold a half turn, in `turn` steps for each of n. */
const fourier = (re: Float64Array, im: Float64Array, cos: Float64Array, sin: Float64Array, turn: number): void => {
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
    const step = (turn * n) / size;
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

/**
 * Makhoul 1980, doi:10.1109/TASSP.1980.1163351: a Fourier transform of the values, even places ahead and odd ones back. Those are real,
 * so one complex transform of half the length holds it: even places in the real part, odd ones in the imaginary.
 */
const made = (n: number): CosineTransform => {
  const half = n >> 1;
  const table = (length: number, of: (x: number) => number, period: number): Float64Array =>
    Float64Array.from({ length }, (_, k) => of((2 * Math.PI * k) / period));
  const [cos, sin] = [table(half, Math.cos, n), table(half, Math.sin, n)];
  const [turnCos, turnSin] = [table(n, Math.cos, 4 * n), table(n, Math.sin, 4 * n)];
  const [re, im] = [new Float64Array(half), new Float64Array(half)];
  /** Where the values of places 2k and 2k + 1 of the transform stand. */
  const place = Int32Array.from({ length: n }, (_, i) => (i < half ? 2 * i : 2 * (n - i) - 1));
  return {
    n,
    forward(x, out = new Float64Array(n)) {
      for (let k = 0; k < half; k++) {
        re[k] = x[place[2 * k]];
        im[k] = x[place[2 * k + 1]];
      }
      fourier(re, im, cos, sin, 2);
      out[0] = re[0] + im[0];
      out[half] = (re[0] - im[0]) * turnCos[half];
      for (let k = 1; k < half; k++) {
        const other = half - k;
        // Transforms of the even and of the odd places, and from them of all at k; at n − k it is the conjugate.
        const [evenRe, evenIm] = [(re[k] + re[other]) / 2, (im[k] - im[other]) / 2];
        const [oddRe, oddIm] = [(im[k] + im[other]) / 2, (re[other] - re[k]) / 2];
        const real = evenRe + oddRe * cos[k] + oddIm * sin[k];
        const imaginary = evenIm + oddIm * cos[k] - oddRe * sin[k];
        out[k] = real * turnCos[k] + imaginary * turnSin[k];
        out[n - k] = real * turnCos[n - k] - imaginary * turnSin[n - k];
      }
      return out;
    },
    inverse(x, into = new Float64Array(n)) {
      const middle = 2 * x[half] * turnCos[half];
      re[0] = (x[0] + middle) / 2;
      im[0] = (x[0] - middle) / 2;
      for (let k = 1; k < half; k++) {
        const [l, c, s] = [k + half, cos[k], sin[k]];
        const a = x[k] * turnCos[k] + x[n - k] * turnSin[k];
        const b = x[k] * turnSin[k] - x[n - k] * turnCos[k];
        const e = x[l] * turnCos[l] + x[n - l] * turnSin[l];
        const f = x[l] * turnSin[l] - x[n - l] * turnCos[l];
        re[k] = (a + e - (a - e) * s - (b - f) * c) / 2;
        im[k] = (b + f + (a - e) * c - (b - f) * s) / 2;
      }
      // The inverse Fourier transform is the forward one with both parts exchanged.
      fourier(im, re, cos, sin, 2);
      for (let k = 0; k < half; k++) {
        into[place[2 * k]] = re[k] / half;
        into[place[2 * k + 1]] = im[k] / half;
      }
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
