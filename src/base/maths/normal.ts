/** erf by its positive series e^{−x²}·Σ 2ᵏx^{2k+1}/(2k+1)!! (Abramowitz, Stegun 7.1.6); erfc by the continued fraction 7.1.14 from 3 on. */
const TAIL = 3;

const series = (x: number): number => {
  let term = x;
  let sum = x;
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= (2 * x * x) / (2 * k + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
};

/** √π·e^{x²}·erfc(x) = 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + …)))). */
const fraction = (x: number): number => {
  let f = x;
  for (let k = 80; k > 0; k--) f = x + k / 2 / f;
  return Math.exp(-x * x) / (f * Math.sqrt(Math.PI));
};

export const erfc = (x: number): number => (x < 0 ? 2 - erfc(-x) : x < TAIL ? 1 - series(x) : fraction(x));

export const erf = (x: number): number => (x < 0 ? -erf(-x) : x < TAIL ? series(x) : 1 - fraction(x));

export const normalCdf = (x: number): number => erfc(-x / Math.SQRT2) / 2;

/** Φ⁻¹(p): the start of Abramowitz, Stegun 26.2.23 (4.5e-4), then three steps of Newton with Halley's correction. */
export const normalQuantile = (p: number): number => {
  if (!(p > 0 && p < 1)) return p === 0 ? Number.NEGATIVE_INFINITY : p === 1 ? Number.POSITIVE_INFINITY : Number.NaN;
  if (p > 0.5) return -normalQuantile(1 - p);
  const t = Math.sqrt(-2 * Math.log(p));
  let x = -(t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))));
  for (let i = 0; i < 3; i++) {
    const e = (normalCdf(x) - p) * Math.sqrt(2 * Math.PI) * Math.exp((x * x) / 2);
    x -= e / (1 + (x * e) / 2);
  }
  return x;
};
