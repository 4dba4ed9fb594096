import { type Tallies, totals } from '../../base/maths/auroc.ts';

/** Predicting positive from a score on: how many rows are found and raised; `threshold` is null where none are. */
export interface Operating {
  readonly threshold: number | null;
  readonly tp: number;
  readonly fp: number;
}

export interface Ranked extends Tallies {
  /** Score of each run, ascending. */
  readonly c: Float64Array;
}

/** Every operating point, from raising nothing to raising every row. */
export const operatingPoints = ({ c, hits, misses }: Ranked): Operating[] => {
  const out: Operating[] = [{ threshold: null, tp: 0, fp: 0 }];
  let [tp, fp] = [0, 0];
  for (let g = c.length - 1; g >= 0; g--) {
    tp += hits[g];
    fp += misses[g];
    out.push({ threshold: c[g], tp, fp });
  }
  return out;
};

/** Points drawn of a curve: those that moved by 1/400 of either axis since the last one drawn, and the two ends. */
const STEP = 1 / 400;
export const thin = <T>(points: readonly T[], place: (point: T) => readonly [number, number]): T[] => {
  if (points.length <= 1 / STEP) return [...points];
  const kept: T[] = [];
  let [x, y] = [Number.NaN, Number.NaN];
  points.forEach((point, i) => {
    const [px, py] = place(point);
    if (i > 0 && i < points.length - 1 && Math.abs(px - x) < STEP && Math.abs(py - y) < STEP) return;
    kept.push(point);
    [x, y] = [px, py];
  });
  return kept;
};

/**
 * Area under the ROC curve up to a false-positive rate, standardised to ½ at chance and 1 at best (McClish 1989); trapezoids, the last one cut.
 */
export const partialAuroc = (tallies: Tallies, most: number): number => {
  const { hits, misses } = tallies;
  const { positives, negatives } = totals(tallies);
  let [area, x, y] = [0, 0, 0];
  for (let g = hits.length - 1; g >= 0 && x < most; g--) {
    const [nx, ny] = [x + misses[g] / negatives, y + hits[g] / positives];
    const share = nx > most ? (most - x) / (nx - x) : 1;
    area += share * (nx - x) * (y + (share * (ny - y)) / 2);
    [x, y] = [nx, ny];
  }
  const chance = (most * most) / 2;
  return (1 + (area - chance) / (most - chance)) / 2;
};

/** Precision among the k rows scored highest; of a run of equal scores that k cuts, the expected share. */
export const precisionAt = ({ hits, misses }: Tallies, k: number): number => {
  let [seen, found] = [0, 0];
  for (let g = hits.length - 1; g >= 0 && seen < k; g--) {
    const size = hits[g] + misses[g];
    const part = Math.min(1, (k - seen) / size);
    seen += part * size;
    found += part * hits[g];
  }
  return found / seen;
};

export interface Costs {
  readonly falsePositive: number;
  readonly falseNegative: number;
}

/** A named threshold, chosen on these rows. */
export interface Chosen extends Operating {
  readonly name: string;
}

/** The threshold of least cost, of highest F1, of highest Youden J, of equal error rates, and ½; of equally good ones the highest. */
export const thresholds = (points: readonly Operating[], costs: Costs): Chosen[] => {
  const { tp: positives, fp: negatives } = points[points.length - 1];
  const least = (loss: (p: Operating) => number): Operating => {
    let [best, at] = [Number.POSITIVE_INFINITY, points[0]];
    for (const p of points) {
      const value = loss(p);
      if (value < best) [best, at] = [value, p];
    }
    return at;
  };
  const half = points.findLast((p) => p.threshold === null || p.threshold >= 0.5) ?? points[0];
  return [
    { name: 'Least cost', ...least((p) => costOf(p, costs, positives)) },
    { name: 'Highest F1', ...least((p) => -p.tp / (p.tp + p.fp + positives)) },
    { name: 'Highest TPR − FPR (Youden)', ...least((p) => p.fp / negatives - p.tp / positives) },
    { name: 'Equal error rates', ...least((p) => Math.abs(p.fp / negatives - (positives - p.tp) / positives)) },
    { name: 'One half', ...half },
  ];
};

export const costOf = ({ tp, fp }: Operating, { falsePositive, falseNegative }: Costs, positives: number): number =>
  falsePositive * fp + falseNegative * (positives - tp);
