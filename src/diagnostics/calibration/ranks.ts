import type { Groups } from './pairs.ts';

/** Gupta et al. 2021: largest |Σ(c − a)|/N over confidences up to a value, read only where a run of equal values ends. */
export const kolmogorovSmirnov = ({ c, hits, misses, n }: Groups): number => {
  let [sum, most] = [0, 0];
  for (let g = 0; g < c.length; g++) {
    sum += (hits[g] + misses[g]) * c[g] - hits[g];
    most = Math.max(most, Math.abs(sum));
  }
  return most / n;
};

/** P(a right answer has more confidence than a wrong one), ties half. NaN where all answers are right or all wrong. */
export const aurocCorrect = ({ hits, misses, c }: Groups): number => {
  let [below, right, wins] = [0, 0, 0];
  for (let g = 0; g < c.length; g++) {
    wins += hits[g] * (below + misses[g] / 2);
    below += misses[g];
    right += hits[g];
  }
  return wins / (below * right);
};

export interface RiskCoverage {
  readonly aurc: number;
  /** Above the best order of these answers (Geifman et al. 2019). */
  readonly eAurc: number;
  /** What a calibrated model with these confidences would have on average. */
  readonly expectedAurc: number;
  /** Share of rows answered, most confident first → error rate among them (observed, expected from the confidences). */
  readonly points: readonly { readonly coverage: number; readonly risk: number; readonly expected: number; readonly threshold: number }[];
}

/** Errors of a run of equal confidence are spread evenly over it. */
export const riskCoverage = ({ c, hits, misses, n }: Groups, resolution = 200): RiskCoverage => {
  let [k, errors, doubt, area, expectedArea] = [0, 0, 0, 0, 0];
  const points: { coverage: number; risk: number; expected: number; threshold: number }[] = [];
  let due = 0;
  for (let g = c.length - 1; g >= 0; g--) {
    const size = hits[g] + misses[g];
    for (let j = 1; j <= size; j++) {
      area += (errors + (misses[g] * j) / size) / (k + j);
      expectedArea += (doubt + (1 - c[g]) * j) / (k + j);
    }
    k += size;
    errors += misses[g];
    doubt += size * (1 - c[g]);
    if (k >= due || g === 0) {
      points.push({ coverage: k / n, risk: errors / k, expected: doubt / k, threshold: c[g] });
      due = k + n / resolution;
    }
  }
  let best = 0;
  for (let j = 1; j <= errors; j++) best += j / (n - errors + j);
  return { aurc: area / n, eAurc: (area - best) / n, expectedAurc: expectedArea / n, points };
};
