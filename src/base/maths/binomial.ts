import type { Random } from '../random.ts';

/** ln k! − Stirling's leading terms: (k+½)ln(k+1) − (k+1) + ½ln 2π. Exact for small k, three terms of the series above. */
const corrections = [
  0.08106146679532726, 0.0413406959554093, 0.02767792568499834, 0.02079067210376509, 0.01664469118982119, 0.01387612882307075,
  0.01189670994589177, 0.01041126526197209, 0.009255462182712733, 0.008330563433362871,
];
const correction = (k: number): number => {
  if (k < corrections.length) return corrections[k];
  const x = 1 / (k + 1);
  return (1 / 12 - (1 / 360 - x * x * (1 / 1260)) * x * x) * x;
};

/** Inversion by walking up from k = 0; for means below 10. */
const walk = (n: number, p: number, random: Random): number => {
  const odds = p / (1 - p);
  const start = Math.exp(n * Math.log1p(-p));
  for (;;) {
    let mass = start;
    let u = random.next();
    for (let k = 0; k <= n && k < 200; k++) {
      if (u < mass) return k;
      u -= mass;
      mass *= (odds * (n - k)) / (k + 1);
    }
  }
};

/** Transformed rejection with squeeze (Hörmann 1993, BTRS); for means from 10 and p ≤ ½. */
const reject = (n: number, p: number, random: Random): number => {
  const spread = Math.sqrt(n * p * (1 - p));
  const b = 1.15 + 2.53 * spread;
  const a = -0.0873 + 0.0248 * b + 0.01 * p;
  const centre = n * p + 0.5;
  const inside = 0.92 - 4.2 / b;
  for (;;) {
    const u = random.next() - 0.5;
    let v = random.next();
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + centre);
    if (us >= 0.07 && v <= inside) return k;
    if (k < 0 || k > n) continue;
    const odds = p / (1 - p);
    const mode = Math.floor((n + 1) * p);
    v = Math.log((v * (2.83 + 5.1 / b) * spread) / (a / (us * us) + b));
    const bound =
      (mode + 0.5) * Math.log((mode + 1) / (odds * (n - mode + 1))) +
      (n + 1) * Math.log((n - mode + 1) / (n - k + 1)) +
      (k + 0.5) * Math.log((odds * (n - k + 1)) / (k + 1)) +
      correction(mode) +
      correction(n - mode) -
      correction(k) -
      correction(n - k);
    if (v <= bound) return k;
  }
};

/** One draw of the number of successes in n trials of probability p. */
export const binomial = (n: number, p: number, random: Random): number => {
  if (n === 1) return random.next() < p ? 1 : 0;
  if (n <= 0 || p <= 0) return 0;
  if (p >= 1) return n;
  if (p > 0.5) return n - binomial(n, 1 - p, random);
  return n * p < 10 ? walk(n, p, random) : reject(n, p, random);
};

/** One draw of how `n` trials fall on categories with the given weights (their sum is `total`), as conditional binomials. */
export const multinomial = (n: number, weights: ArrayLike<number>, total: number, out: Int32Array, random: Random): void => {
  let left = n;
  let mass = total;
  for (let k = 0; k < weights.length; k++) {
    const draw = weights[k] === 0 ? 0 : weights[k] >= mass ? left : binomial(left, weights[k] / mass, random);
    out[k] = draw;
    left -= draw;
    mass -= weights[k];
  }
};
