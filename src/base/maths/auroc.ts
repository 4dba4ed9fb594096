import { normalQuantile } from './normal.ts';

/** Positives and negatives at each distinct score, scores ascending. */
export interface Tallies {
  readonly hits: ArrayLike<number>;
  readonly misses: ArrayLike<number>;
}

/** An estimate and its variance; NaN where there are too few rows for one. */
export interface Estimate {
  readonly value: number;
  readonly variance: number;
}

export const totals = ({ hits, misses }: Tallies): { readonly positives: number; readonly negatives: number } => {
  let [positives, negatives] = [0, 0];
  for (let g = 0; g < hits.length; g++) {
    positives += hits[g];
    negatives += misses[g];
  }
  return { positives, negatives };
};

/**
 * P(a positive scores above a negative), ties half, and its variance (DeLong, DeLong, Clarke-Pearson 1988, doi:10.2307/2531595): the
 * components of each positive and negative are its mid-ranks among the others, so one walk over the scores suffices.
 */
export const auroc = (of: Tallies): Estimate => {
  const { hits, misses } = of;
  const { positives, negatives } = totals(of);
  if (positives === 0 || negatives === 0) return { value: Number.NaN, variance: Number.NaN };
  let [below, wins] = [0, 0];
  for (let g = 0; g < hits.length; g++) {
    wins += hits[g] * (below + misses[g] / 2);
    below += misses[g];
  }
  const value = wins / positives / negatives;
  let [positive, negative, left, under] = [0, 0, positives, 0];
  for (let g = 0; g < hits.length; g++) {
    left -= hits[g];
    positive += hits[g] * ((under + misses[g] / 2) / negatives - value) ** 2;
    negative += misses[g] * ((left + hits[g] / 2) / positives - value) ** 2;
    under += misses[g];
  }
  return {
    value,
    variance: positives < 2 || negatives < 2 ? Number.NaN : positive / (positives - 1) / positives + negative / (negatives - 1) / negatives,
  };
};

/**
 * Average precision Σ (R_k − R_{k−1})·Precision_k over distinct scores, highest first, and its variance under resampling of positives and
 * negatives apart by the infinitesimal jackknife (Efron 1982): the squared derivatives by the weight of each row, summed. `visit`
 * is told those of a positive and of a negative of each run.
 */
export const averagePrecision = (of: Tallies, visit?: (g: number, positive: number, negative: number) => void): Estimate => {
  const { hits, misses } = of;
  const { positives, negatives } = totals(of);
  if (positives === 0) return { value: Number.NaN, variance: Number.NaN };
  let [value, meanA, meanB] = [0, 0, 0];
  // Walking up the scores: tp, fp are the rows at or above the threshold.
  const walk = (visit: (g: number, precision: number, a: number, b: number, da: number, db: number) => void): void => {
    let [tp, fp] = [positives, negatives];
    for (let g = 0; g < hits.length; g++) {
      if (hits[g] + misses[g] > 0) {
        const square = (tp + fp) ** 2;
        const [a, b] = [tp / positives, negatives === 0 ? 0 : fp / negatives];
        visit(g, tp / (tp + fp), a, b, (positives * fp) / square, (-tp * negatives) / square);
      }
      tp -= hits[g];
      fp -= misses[g];
    }
  };
  walk((g, precision, a, b, da, db) => {
    const share = hits[g] / positives;
    value += share * precision;
    meanA += share * da * a;
    meanB += share * db * b;
  });
  let [sumA, sumB, positive, negative] = [0, 0, 0, 0];
  walk((g, precision, _a, _b, da, db) => {
    const share = hits[g] / positives;
    sumA += share * da;
    sumB += share * db;
    const [up, down] = [precision - value + sumA - meanA, sumB - meanB];
    positive += hits[g] * up ** 2;
    negative += misses[g] * down ** 2;
    visit?.(g, up / positives, down / negatives);
  });
  const few = positives < 2 || negatives < 2;
  return { value, variance: few ? Number.NaN : positive / positives ** 2 + negative / negatives ** 2 };
};

/** Of average precision, by the infinitesimal jackknife. */
export const averagePrecisionInfluence = (of: Tallies): Influence => {
  const [positive, negative] = [new Float64Array(of.hits.length), new Float64Array(of.hits.length)];
  averagePrecision(of, (g, up, down) => {
    positive[g] = up;
    negative[g] = down;
  });
  return { positive, negative };
};

/** What one row of each run adds to a number, to first order: a positive's, and a negative's. */
export interface Influence {
  readonly positive: Float64Array;
  readonly negative: Float64Array;
}

/** Of the AUROC: each row's placement among the other side's less the AUROC, over its side's rows. */
export const aurocInfluence = (of: Tallies): Influence => {
  const { hits, misses } = of;
  const { positives, negatives } = totals(of);
  const { value } = auroc(of);
  const [positive, negative] = [new Float64Array(hits.length), new Float64Array(hits.length)];
  let [left, under] = [positives, 0];
  for (let g = 0; g < hits.length; g++) {
    left -= hits[g];
    positive[g] = ((under + misses[g] / 2) / negatives - value) / positives;
    negative[g] = ((left + hits[g] / 2) / positives - value) / negatives;
    under += misses[g];
  }
  return { positive, negative };
};

/** Normal interval on the logit scale, which stays inside 0..1 (Pepe 2003, section 5.2.5); null where the variance tells nothing. */
export const logitInterval = ({ value, variance }: Estimate, level: number): readonly [number, number] | null => {
  if (!(variance > 0 && value > 0 && value < 1)) return null;
  const half = (normalQuantile((1 + level) / 2) * Math.sqrt(variance)) / (value * (1 - value));
  const centre = Math.log(value / (1 - value));
  return [1 / (1 + Math.exp(half - centre)), 1 / (1 + Math.exp(-half - centre))];
};
