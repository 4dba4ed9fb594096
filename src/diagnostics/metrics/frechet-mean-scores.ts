import { normalQuantile } from '../../base/maths/normal.ts';
import { wilson } from '../../base/maths/proportion.ts';
import type { Frechet } from './frechet-mean-run.ts';

export interface Score {
  readonly value: number;
  readonly interval: readonly [number, number] | null;
}
const nothing: Score = { value: Number.NaN, interval: null };

const share = (hits: number, of: number, level: number): Score =>
  of === 0 ? nothing : { value: hits / of, interval: wilson(hits, of, level) };

const mean = (values: readonly number[], z: number): Score => {
  const n = values.length;
  if (n === 0) return nothing;
  const value = values.reduce((s, v) => s + v, 0) / n;
  const half = z * Math.sqrt(values.reduce((s, v) => s + (v - value) ** 2, 0) / Math.max(1, n - 1) / n);
  return { value, interval: n > 1 ? [Math.max(0, value - half), value + half] : null };
};

/** (A − B)/A of two paired means; its standard error by the delta method on B/A. */
const saving = (a: readonly number[], b: readonly number[], z: number): Score => {
  const n = a.length;
  const [ma, mb] = [a, b].map((v) => v.reduce((s, x) => s + x, 0) / n);
  if (!(ma > 0)) return nothing;
  const ratio = mb / ma;
  const half = (z * Math.sqrt(a.reduce((s, x, i) => s + (b[i] - ratio * x) ** 2, 0) / Math.max(1, n - 1) / n)) / ma;
  return { value: 1 - ratio, interval: n > 1 ? [1 - ratio - half, Math.min(1, 1 - ratio + half)] : null };
};

/** One way to answer, on the rows with a label. */
export interface Quality {
  readonly accuracy: Score;
  /** Rows whose label is that of a class, and of none. */
  readonly observed: Score;
  readonly unobserved: Score;
  readonly distance: Score;
  readonly squared: Score;
}

export interface FrechetScores {
  readonly rows: number;
  readonly labelled: number;
  readonly unobservedRows: number;
  readonly changed: number;
  readonly plain: Quality;
  readonly mean: Quality;
  readonly distanceSaved: Score;
  readonly squaredSaved: Score;
  readonly reachable: number;
}

export const frechetScores = ({ truth, answers, distance, observed, locus }: Frechet, level: number): FrechetScores => {
  const z = normalQuantile((1 + level) / 2);
  const rows = answers.plain.length;
  const labelled = Array.from({ length: rows }, (_, i) => i).filter((i) => (truth?.[i] ?? -1) >= 0);
  const known = new Set(observed);
  const [seen, unseen] = [labelled.filter((i) => known.has(truth?.[i] ?? -1)), labelled.filter((i) => !known.has(truth?.[i] ?? -1))];
  const quality = (answer: Int32Array, far: Float64Array): Quality => {
    const right = (of: readonly number[]): Score => share(of.filter((i) => answer[i] === truth?.[i]).length, of.length, level);
    return {
      accuracy: right(labelled),
      observed: right(seen),
      unobserved: right(unseen),
      distance: mean(
        labelled.map((i) => far[i]),
        z,
      ),
      squared: mean(
        labelled.map((i) => far[i] ** 2),
        z,
      ),
    };
  };
  const [before, after] = [labelled.map((i) => distance.plain[i]), labelled.map((i) => distance.mean[i])];
  const square = (v: readonly number[]): number[] => v.map((x) => x * x);
  return {
    rows,
    labelled: labelled.length,
    unobservedRows: unseen.length,
    changed: answers.plain.reduce((n, v, i) => n + Number(v !== answers.mean[i]), 0),
    plain: quality(answers.plain, distance.plain),
    mean: quality(answers.mean, distance.mean),
    distanceSaved: saving(before, after, z),
    squaredSaved: saving(square(before), square(after), z),
    reachable: locus.reachable.reduce((n, r) => n + r, 0),
  };
};
