import { pairedDifference } from '../../base/maths/mcnemar.ts';
import { normalQuantile } from '../../base/maths/normal.ts';
import type { Tally, Triple } from './compare-measures.ts';

type Range = readonly [number, number] | null;

/** A ratio of both models and the first's less the other's; null where it is undefined. */
export interface Delta {
  readonly of: readonly [number | null, number | null];
  readonly value: number | null;
  readonly interval: Range;
}

export interface ClassDelta {
  readonly rows: number;
  /** Its rows that the first alone, and the other alone, gets right. */
  readonly alone: readonly [number, number];
  readonly recall: Delta;
  readonly precision: Delta;
  readonly f1: Delta;
}

const ratio = (hits: number, of: number): number | null => (of === 0 ? null : hits / of);

/** What one row adds to the linearised F1 and precision of class k, by its label and answer. */
const parts = (all: Tally, s: 0 | 1, k: number, label: number, said: number): { readonly f1: number; readonly precision: number } => {
  const [rows, answers, hits] = [all.labels[k], all.said[s][k], all.hits[s][k]];
  const hit = Number(label === k && said === k);
  const touched = Number(label === k) + Number(said === k);
  return {
    f1: rows + answers === 0 ? 0 : (2 * hit - ((2 * hits) / (rows + answers)) * touched) / (rows + answers),
    precision: answers === 0 || said !== k ? 0 : (hit - hits / answers) / answers,
  };
};

/**
 * Differences class by class. Recall: Bonett–Price over the rows of the class. Precision and F1: delta method over rows, which are the
 * same for both, so that what both get right or wrong cancels.
 */
export const classDeltas = (all: Tally, triples: readonly Triple[], level: number): ClassDelta[] => {
  const classes = all.labels.length;
  const [f1, precision, first, other] = Array.from({ length: 4 }, () => new Float64Array(classes));
  for (const { label, said, n } of triples) {
    if (said[0] !== said[1]) {
      if (said[0] === label) first[label] += n;
      if (said[1] === label) other[label] += n;
    }
    for (const k of new Set([label, said[0], said[1]])) {
      const [a, b] = [parts(all, 0, k, label, said[0]), parts(all, 1, k, label, said[1])];
      f1[k] += n * (a.f1 - b.f1) ** 2;
      precision[k] += n * (a.precision - b.precision) ** 2;
    }
  }
  const z = normalQuantile((1 + level) / 2);
  const delta = (a: number | null, b: number | null, interval: (value: number) => Range): Delta => {
    const value = a === null || b === null ? null : a - b;
    return { of: [a, b], value, interval: value === null ? null : interval(value) };
  };
  const around =
    (variance: number) =>
    (value: number): Range =>
      variance > 0 ? [Math.max(-1, value - z * Math.sqrt(variance)), Math.min(1, value + z * Math.sqrt(variance))] : null;
  return Array.from({ length: classes }, (_, k) => {
    const rows = all.labels[k];
    const of = (s: 0 | 1) => ({
      recall: ratio(all.hits[s][k], rows),
      precision: ratio(all.hits[s][k], all.said[s][k]),
      f1: ratio(2 * all.hits[s][k], rows + all.said[s][k]),
    });
    const [a, b] = [of(0), of(1)];
    return {
      rows,
      alone: [first[k], other[k]],
      recall: delta(a.recall, b.recall, () => pairedDifference(first[k], other[k], rows, level)),
      precision: delta(a.precision, b.precision, around(precision[k])),
      f1: delta(a.f1, b.f1, around(f1[k])),
    };
  });
};

/** Standard error of a model's macro F1, by the delta method over rows. */
export const macroF1Error = (all: Tally, s: 0 | 1, triples: readonly Triple[]): number => {
  let [seen, variance] = [0, 0];
  for (let k = 0; k < all.labels.length; k++) if (all.labels[k] + all.said[s][k] > 0) seen++;
  for (const { label, said, n } of triples) {
    let own = parts(all, s, label, label, said[s]).f1;
    if (said[s] !== label) own += parts(all, s, said[s], label, said[s]).f1;
    variance += n * (own / seen) ** 2;
  }
  return Math.sqrt(variance);
};
