import { normalQuantile } from '../../base/maths/normal.ts';
import { wilson } from '../../base/maths/proportion.ts';
import { type AverageIntervals, averageIntervals } from './average-intervals.ts';
import { type Averages, averages, type ClassScores, classScores } from './class-scores.ts';
import type { Costs } from './confusion-costs.ts';

type Range = readonly [number, number] | null;

export interface CostScores {
  readonly costs: Costs;
  /** Mean cost of a row. */
  readonly mean: number;
  readonly interval: Range;
  /** The class that would cost least if it were always answered, and what it would cost. */
  readonly constant: { readonly answer: number; readonly mean: number };
  /** Answering by least expected cost instead; null where it was not tried. */
  readonly decided: { readonly mean: number; readonly interval: Range; readonly changed: number } | null;
}

export interface Confusion {
  readonly classes: number;
  readonly counts: Float64Array;
  readonly first: ReadonlyMap<number, readonly number[]>;
  readonly scores: readonly ClassScores[];
  readonly mean: Averages;
  readonly averageIntervals: AverageIntervals;
  readonly rows: number;
  readonly accuracyInterval: Range;
  readonly cost: CostScores | null;
}

/** A mistake: rows of class `actual` predicted as `predicted`. */
export interface Mistake {
  readonly actual: number;
  readonly predicted: number;
  readonly count: number;
  readonly cell: number;
}

/** Cells off the diagonal, the fullest first; ties in row-major order. */
export const mistakes = ({ counts, classes, first }: Pick<Confusion, 'counts' | 'classes' | 'first'>): Mistake[] =>
  [...first.keys()]
    .map((cell) => ({ actual: Math.floor(cell / classes), predicted: cell % classes, count: counts[cell], cell }))
    .filter((m) => m.actual !== m.predicted)
    .sort((a, b) => b.count - a.count || a.cell - b.cell);

interface Counted {
  readonly classes: number;
  readonly counts: Float64Array;
  readonly first: ReadonlyMap<number, readonly number[]>;
  readonly costs: Costs | null;
}
interface Decided {
  readonly cheap: number;
  readonly cheap2: number;
  readonly changed: number;
}

const costScores = ({ counts, classes, costs }: Counted, rows: number, level: number, decided: Decided | null): CostScores | null => {
  if (!costs || rows === 0) return null;
  const z = normalQuantile((1 + level) / 2);
  const meanOf = (sum: number, squares: number): { readonly mean: number; readonly interval: Range } => {
    const mean = sum / rows;
    const half = z * Math.sqrt(Math.max(0, squares / rows - mean * mean) / Math.max(1, rows - 1));
    return { mean, interval: half > 0 ? [mean - half, mean + half] : null };
  };
  let [sum, squares] = [0, 0];
  const always = new Float64Array(classes);
  for (let actual = 0; actual < classes; actual++) {
    let of = 0;
    for (let answer = 0; answer < classes; answer++) {
      const n = counts[actual * classes + answer];
      const cost = costs.values[actual * classes + answer];
      sum += n * cost;
      squares += n * cost * cost;
      of += n;
    }
    for (let answer = 0; answer < classes; answer++) always[answer] += of * costs.values[actual * classes + answer];
  }
  const answer = always.indexOf(Math.min(...always));
  return {
    costs,
    ...meanOf(sum, squares),
    constant: { answer, mean: always[answer] / rows },
    decided: decided && { ...meanOf(decided.cheap, decided.cheap2), changed: decided.changed },
  };
};

export const confusionScores = (state: Counted, level: number, decided: Decided | null): Confusion => {
  const { counts, classes } = state;
  const scores = classScores(counts, classes, level);
  const mean = averages(scores);
  const rows = scores.reduce((n, s) => n + s.rows, 0);
  const hits = scores.reduce((n, s) => n + s.hits, 0);
  return {
    classes,
    counts,
    first: new Map([...state.first].sort(([a], [b]) => a - b)),
    scores,
    mean,
    averageIntervals: averageIntervals(counts, classes, scores, mean, level),
    rows,
    accuracyInterval: wilson(hits, rows, level),
    cost: costScores(state, rows, level, decided),
  };
};
