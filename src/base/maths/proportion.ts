import { normalCdf, normalQuantile } from './normal.ts';

/** Wilson's score interval (1927) for `hits` of `n`; undefined without trials. Its ends are exactly 0 and 1 where no or all trials hit. */
export const wilson = (hits: number, n: number, level: number): readonly [number, number] | null => {
  if (n === 0) return null;
  const z2 = normalQuantile((1 + level) / 2) ** 2;
  const p = hits / n;
  const centre = (p + z2 / (2 * n)) / (1 + z2 / n);
  const half = (Math.sqrt(z2) * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n))) / (1 + z2 / n);
  return [hits === 0 ? 0 : Math.max(0, centre - half), hits === n ? 1 : Math.min(1, centre + half)];
};

/** Two-sided sign test of `a` against `b` events under equal chances: exact up to 1000 in all, then normal with continuity correction. */
export const signTest = (a: number, b: number): number => {
  const n = a + b;
  const most = Math.max(a, b);
  if (n > 1000) return Math.min(1, 2 * normalCdf(-(most - 0.5 - n / 2) / (Math.sqrt(n) / 2)));
  let term = 0.5 ** n;
  let tail = 0;
  for (let k = n; k >= most; k--) {
    tail += term;
    term *= k / (n - k + 1);
  }
  return Math.min(1, 2 * tail);
};
