import { erfc, normalQuantile } from './normal.ts';
import { signTest } from './proportion.ts';

/** Of rows that two answer differently well, `b` are right for the first alone and `c` for the second alone. */
export interface McNemar {
  /** Two-sided binomial test of b against c under equal chances. */
  readonly exact: number;
  /** The same with half the weight of what was seen (Fagerland, Lydersen, Laake 2013). */
  readonly midP: number;
  /** (|b − c| − 1)²/(b + c): with continuity correction (Edwards 1948). */
  readonly chi2: number;
  readonly chi2P: number;
  /** The one to read: exact below `FEW` such rows, mid-p up to `MANY`, χ² above. */
  readonly p: number;
  readonly method: string;
}

const FEW = 25;
const MANY = 1000;

/** C(n, k)/2ⁿ for n ≤ MANY. */
const mass = (n: number, k: number): number => {
  let term = 0.5 ** n;
  for (let i = 1; i <= k; i++) term *= (n - i + 1) / i;
  return term;
};

export const mcNemar = (b: number, c: number): McNemar => {
  const n = b + c;
  const chi2 = n === 0 ? 0 : Math.max(0, Math.abs(b - c) - 1) ** 2 / n;
  const chi2P = erfc(Math.sqrt(chi2 / 2));
  const exact = signTest(b, c);
  // At b = c the two tails share the middle, so that mid-p is 1.
  const midP = n === 0 || b === c ? 1 : n > MANY ? erfc(Math.abs(b - c) / Math.sqrt(2 * n)) : exact - mass(n, Math.min(b, c));
  const common = { exact, midP, chi2, chi2P };
  if (n < FEW) return { ...common, p: exact, method: 'exact binomial' };
  if (n <= MANY) return { ...common, p: midP, method: 'mid-p binomial' };
  return { ...common, p: chi2P, method: 'χ² with continuity correction' };
};

/** Interval of (b − c)/n over n pairs: Wald's, one pair added to b and one to c (Bonett, Price 2012). */
export const pairedDifference = (b: number, c: number, n: number, level: number): readonly [number, number] | null => {
  if (n === 0) return null;
  const [p, q] = [(b + 1) / (n + 2), (c + 1) / (n + 2)];
  const half = normalQuantile((1 + level) / 2) * Math.sqrt((p + q - (p - q) ** 2) / (n + 2));
  return [Math.max(-1, p - q - half), Math.min(1, p - q + half)];
};
