import { normalQuantile } from '../../base/maths/normal.ts';

/** Sums over rows of a and b, their squares and product: what Σa/Σb and its interval need. */
export interface RatioSums {
  a: number;
  b: number;
  aa: number;
  ab: number;
  bb: number;
}

export const noSums = (): RatioSums => ({ a: 0, b: 0, aa: 0, ab: 0, bb: 0 });

/** Terms on a grid of 2⁻²⁶ have sums that do not depend on the order of rows, while those stay below 2²⁷. */
export const onGrid = (x: number): number => Math.round(x * 2 ** 26) / 2 ** 26;

export const addTerms = (sums: RatioSums, a: number, b: number): void => {
  sums.a += a;
  sums.b += b;
  sums.aa += onGrid(a * a);
  sums.ab += onGrid(a * b);
  sums.bb += onGrid(b * b);
};

export const mergeSums = (sums: RatioSums, other: RatioSums): void => {
  for (const key of ['a', 'b', 'aa', 'ab', 'bb'] as const) sums[key] += other[key];
};

/** Σa/Σb, with the normal interval of its logarithm (delta method): Var ln R = Σ (a/Σa − b/Σb)². */
export const ratioOf = (
  { a, b, aa, ab, bb }: RatioSums,
  level: number,
): { readonly value: number; readonly interval: readonly [number, number] | null } => {
  const value = a / b;
  if (!(a > 0 && b > 0)) return { value: b > 0 ? value : Number.NaN, interval: null };
  const deviation = Math.sqrt(Math.max(0, aa / a ** 2 - (2 * ab) / (a * b) + bb / b ** 2));
  const width = Math.exp(normalQuantile((1 + level) / 2) * deviation);
  return { value, interval: [value / width, value * width] };
};
