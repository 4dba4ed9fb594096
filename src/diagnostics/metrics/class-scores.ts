import { wilson } from '../../base/maths/proportion.ts';

type Range = readonly [number, number] | null;

/** One class against the rest. A ratio whose denominator is zero is null. */
export interface ClassScores {
  /** Rows labelled with the class, and rows predicted as it. */
  readonly rows: number;
  readonly predicted: number;
  readonly hits: number;
  readonly precision: number | null;
  readonly recall: number | null;
  readonly f1: number | null;
  readonly precisionInterval: Range;
  readonly recallInterval: Range;
  readonly f1Interval: Range;
}

const ratio = (hits: number, of: number): number | null => (of === 0 ? null : hits / of);

/**
 * F1 = 2J/(1+J) rises with J = TP/(TP+FP+FN), and TP is binomial given TP+FP+FN, so Wilson's interval of J carries over
 * (the indirect Wilson interval of arXiv:2309.14621).
 */
const f1Interval = (hits: number, touched: number, level: number): Range => {
  const j = wilson(hits, touched, level);
  return j && [(2 * j[0]) / (1 + j[0]), (2 * j[1]) / (1 + j[1])];
};

/** Scores of every class from a row-major matrix of counts: actual × predicted. */
export const classScores = (counts: Float64Array, classes: number, level: number): ClassScores[] =>
  Array.from({ length: classes }, (_, k) => {
    let rows = 0;
    let predicted = 0;
    for (let j = 0; j < classes; j++) {
      rows += counts[k * classes + j];
      predicted += counts[j * classes + k];
    }
    const hits = counts[k * classes + k];
    return {
      rows,
      predicted,
      hits,
      precision: ratio(hits, predicted),
      recall: ratio(hits, rows),
      f1: ratio(2 * hits, rows + predicted),
      precisionInterval: wilson(hits, predicted, level),
      recallInterval: wilson(hits, rows, level),
      f1Interval: f1Interval(hits, rows + predicted - hits, level),
    };
  });

export interface Averages {
  readonly accuracy: number;
  readonly macroPrecision: number;
  readonly macroRecall: number;
  readonly macroF1: number;
  readonly weightedPrecision: number;
  readonly weightedRecall: number;
  readonly weightedF1: number;
  readonly microF1: number;
  readonly balancedAccuracy: number;
  readonly cohenKappa: number;
  readonly mcc: number;
  /** Accuracy of always answering the most frequent class. */
  readonly majority: number;
}

/**
 * Averages over the classes that occur as a label or a prediction; there an undefined ratio counts as 0 (scikit-learn's convention).
 * `balancedAccuracy` averages recall over labelled classes only; `mcc` is the multiclass coefficient of Gorodkin 2004, 0 where a margin is constant.
 */
export const averages = (scores: readonly ClassScores[]): Averages => {
  const seen = scores.filter((s) => s.rows + s.predicted > 0);
  const labelled = seen.filter((s) => s.rows > 0);
  const n = seen.reduce((sum, s) => sum + s.rows, 0);
  const hits = seen.reduce((sum, s) => sum + s.hits, 0);
  const macro = (of: (s: ClassScores) => number | null): number => seen.reduce((sum, s) => sum + (of(s) ?? 0), 0) / seen.length;
  const weighted = (of: (s: ClassScores) => number | null): number => seen.reduce((sum, s) => sum + s.rows * (of(s) ?? 0), 0) / n;
  const chance = seen.reduce((sum, s) => sum + s.rows * s.predicted, 0);
  const rows2 = seen.reduce((sum, s) => sum + s.rows ** 2, 0);
  const predicted2 = seen.reduce((sum, s) => sum + s.predicted ** 2, 0);
  const spread = Math.sqrt((n * n - rows2) * (n * n - predicted2));
  const accuracy = hits / n;
  return {
    accuracy,
    macroPrecision: macro((s) => s.precision),
    macroRecall: macro((s) => s.recall),
    macroF1: macro((s) => s.f1),
    weightedPrecision: weighted((s) => s.precision),
    weightedRecall: weighted((s) => s.recall),
    weightedF1: weighted((s) => s.f1),
    microF1: accuracy,
    balancedAccuracy: labelled.reduce((sum, s) => sum + s.hits / s.rows, 0) / labelled.length,
    cohenKappa: (hits * n - chance) / (n * n - chance),
    mcc: spread === 0 ? 0 : (hits * n - chance) / spread,
    majority: Math.max(...seen.map((s) => s.rows), 0) / n,
  };
};
