/** The five terms of an exactly decomposed Brier score: reliability − resolution + uncertainty + within variance − within covariance. */
export interface BrierTerms {
  readonly score: number;
  readonly reliability: number;
  readonly resolution: number;
  readonly uncertainty: number;
  readonly withinVariance: number;
  readonly withinCovariance: number;
}

/** Stephenson, Coelho, Jolliffe 2008, over bins with sums of f, f², o, f·o (o is 0 or 1). */
export const brierTerms = (
  bins: readonly { readonly n: number; readonly f: number; readonly f2: number; readonly o: number; readonly fo: number }[],
): BrierTerms => {
  let [n, o, squares, reliability, variance, covariance] = [0, 0, 0, 0, 0, 0];
  for (const bin of bins) {
    if (bin.n === 0) continue;
    n += bin.n;
    o += bin.o;
    squares += bin.f2 - 2 * bin.fo + bin.o;
    reliability += (bin.f - bin.o) ** 2 / bin.n;
    variance += bin.f2 - bin.f ** 2 / bin.n;
    covariance += bin.fo - (bin.f * bin.o) / bin.n;
  }
  const mean = o / n;
  const resolution = bins.reduce((sum, bin) => (bin.n === 0 ? sum : sum + bin.n * (bin.o / bin.n - mean) ** 2), 0);
  return {
    score: squares / n,
    reliability: reliability / n,
    resolution: resolution / n,
    uncertainty: mean * (1 - mean),
    withinVariance: variance / n,
    withinCovariance: (2 * covariance) / n,
  };
};

/** One-vs-rest terms of several classes added up. */
export const addTerms = (terms: readonly BrierTerms[]): BrierTerms => {
  const total = (of: (t: BrierTerms) => number): number => terms.reduce((sum, t) => sum + of(t), 0);
  return {
    score: total((t) => t.score),
    reliability: total((t) => t.reliability),
    resolution: total((t) => t.resolution),
    uncertainty: total((t) => t.uncertainty),
    withinVariance: total((t) => t.withinVariance),
    withinCovariance: total((t) => t.withinCovariance),
  };
};
