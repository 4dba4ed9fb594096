import type { Random } from '../base/random.ts';

/** One place in this many of each stratum is held out where no split to fit on is named. */
const SHARE = 3;

/** Every third place of each stratum, shuffled, is shown and the others are fitted on; both in ascending order. */
export const heldOutThird = (
  strata: ArrayLike<string | number>,
  random: Random,
): { readonly fit: readonly number[]; readonly shown: readonly number[] } => {
  const seen = new Map<string | number, number>();
  const fit: number[] = [];
  const shown: number[] = [];
  for (const p of random.shuffle(Array.from({ length: strata.length }, (_, i) => i))) {
    const n = (seen.get(strata[p]) ?? 0) + 1;
    seen.set(strata[p], n);
    (n % SHARE === 0 ? shown : fit).push(p);
  }
  const ascending = (a: number, b: number): number => a - b;
  return { fit: fit.sort(ascending), shown: shown.sort(ascending) };
};
