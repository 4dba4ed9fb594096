/** Statistics of ranks, filled by one walk over runs of equal confidence, ascending. */
export interface Along<T> {
  visit(c: number, hits: number, misses: number): void;
  value(): T;
}

/** Gupta et al. 2021: largest |Σ(c − a)|/N over confidences up to a value, read only where a run of equal values ends. */
export const kolmogorovSmirnov = (): Along<number> => {
  let [sum, most, n] = [0, 0, 0];
  return {
    visit(c, hits, misses) {
      n += hits + misses;
      sum += (hits + misses) * c - hits;
      most = Math.max(most, Math.abs(sum));
    },
    value: () => most / n,
  };
};

/** P(a right answer has more confidence than a wrong one), ties half. NaN where all answers are right or all wrong. */
export const aurocCorrect = (): Along<number> => {
  let [below, right, wins] = [0, 0, 0];
  return {
    visit(_, hits, misses) {
      wins += hits * (below + misses / 2);
      below += misses;
      right += hits;
    },
    value: () => wins / (below * right),
  };
};

const HARMONIC = new Float64Array(33);
for (let k = 1; k < HARMONIC.length; k++) HARMONIC[k] = HARMONIC[k - 1] + 1 / k;

/** Σ 1/j, j = 1..n: by its asymptotic series from 33 on (the next term, 1/(252 n⁶), is below 1e-11). */
const harmonic = (n: number): number => {
  if (n < HARMONIC.length) return HARMONIC[n];
  const square = 1 / (n * n);
  return Math.log(n) + 0.5772156649015329 + 1 / (2 * n) - square * (1 / 12 - square * (1 / 120 - square / 252));
};

/** Σ_{j=1..s} (e + m·j/s)/(k + j): the errors of a run of equal confidence are spread evenly over it. */
const areaOfRun = (k: number, s: number, e: number, m: number): number =>
  s === 1 ? (e + m) / (k + 1) : m + (e - (m * k) / s) * (harmonic(k + s) - harmonic(k));

/** The best order of n answers with this many errors: Σ_{j=1..R} j/(N − R + j). */
const bestArea = (n: number, errors: number): number => errors - (n - errors) * (harmonic(n) - harmonic(n - errors));

export interface RiskCoverage {
  readonly aurc: number;
  /** Above the best order of these answers (Geifman et al. 2019). */
  readonly eAurc: number;
  /** What a calibrated model with these confidences would have on average. */
  readonly expectedAurc: number;
  /** Share of rows answered, most confident first → error rate among them (observed, expected from the confidences). */
  readonly points: readonly RiskPoint[];
}

export interface RiskPoint {
  readonly coverage: number;
  readonly risk: number;
  readonly expected: number;
  /** Least confidence answered. */
  readonly threshold: number;
  readonly answered: number;
  readonly errors: number;
}

/** `errors` and `doubt` are the totals Σ(1 − a) and Σ(1 − c) of all n rows. Walking up the confidences, what stands above is known from them. */
export const riskCoverage = (n: number, errors: number, doubt: number, resolution = 200): Along<RiskCoverage> => {
  let [below, wrongBelow, doubtBelow, area, expectedArea, due] = [0, 0, 0, 0, 0, n];
  const points: RiskPoint[] = [];
  return {
    visit(c, hits, misses) {
      const size = hits + misses;
      const own = size * (1 - c);
      const k = n - below - size;
      const above = errors - wrongBelow - misses;
      const doubtAbove = k === 0 ? 0 : doubt - doubtBelow - own;
      area += areaOfRun(k, size, above, misses);
      expectedArea += areaOfRun(k, size, doubtAbove, own);
      const answered = k + size;
      if (answered <= due || k === 0) {
        points.push({
          coverage: answered / n,
          risk: (above + misses) / answered,
          expected: (doubtAbove + own) / answered,
          threshold: c,
          answered,
          errors: above + misses,
        });
        due = answered - n / resolution;
      }
      below += size;
      wrongBelow += misses;
      doubtBelow += own;
    },
    value: () => ({
      aurc: area / n,
      eAurc: (area - bestArea(n, errors)) / n,
      expectedAurc: expectedArea / n,
      points: points.toReversed(),
    }),
  };
};

/** The same area of counts: what a resample needs. */
export const aurcOf = (hits: ArrayLike<number>, misses: ArrayLike<number>, n: number): number => {
  let [k, errors, area, before] = [0, 0, 0, 0];
  for (let g = hits.length - 1; g >= 0; g--) {
    const size = hits[g] + misses[g];
    if (size === 0) continue;
    const after = harmonic(k + size);
    area += misses[g] + (errors - (misses[g] * k) / size) * (after - before);
    before = after;
    k += size;
    errors += misses[g];
  }
  return area / n;
};
