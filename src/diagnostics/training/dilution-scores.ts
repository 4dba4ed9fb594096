import { wilson } from '../../base/maths/proportion.ts';
import type { Random } from '../../base/random.ts';
import { keepFirst } from '../selection.ts';
import { type ClassSums, type DilutionOptions, type DilutionState, masses, probabilities } from './dilution-state.ts';
import { ratioOf } from './ratio-of-sums.ts';

export interface DilutionAsk extends DilutionOptions {
  readonly rare: number;
  readonly common: number;
  readonly confidenceLevel: number;
}
/** Classes with similarly many rows. */
export interface FrequencyBin {
  readonly name: 'rare' | 'common' | 'frequent';
  readonly classes: number;
  readonly rows: number;
  readonly positive: number;
  readonly negative: number;
  readonly right: number;
  readonly recall: readonly [number, number] | null;
  readonly first: readonly number[];
}
/** Means over random subsets of so many classes. */
export interface SubsetPoint {
  readonly classes: number;
  readonly rows: number;
  readonly positive: number;
  readonly hard: number;
}
export interface Dilution {
  readonly classes: number;
  readonly rows: number;
  readonly sums: ClassSums;
  readonly positive: ReturnType<typeof ratioOf>;
  readonly hard: ReturnType<typeof ratioOf>;
  readonly bins: readonly FrequencyBin[];
  readonly subsets: readonly SubsetPoint[];
  /** Of ln R_pos over ln(C′ − 1): −1 where other classes are exchangeable. */
  readonly slope: number;
}

const names = ['rare', 'common', 'frequent'] as const;
const SHOWN = 24;

const binsOf = ({ sums, first }: DilutionState, { rare, common, confidenceLevel }: DilutionAsk): FrequencyBin[] => {
  const made = names.map((name) => ({ name, classes: 0, rows: 0, positive: 0, negative: 0, right: 0, first: [] as number[] }));
  sums.rows.forEach((n, c) => {
    if (n === 0) return;
    const bin = made[n <= rare ? 0 : n <= common ? 1 : 2];
    bin.classes++;
    bin.rows += n;
    bin.right += sums.right[c];
    bin.positive += sums.positive[c];
    bin.negative += sums.negative[c];
    for (const row of first[c]) keepFirst(bin.first, row, SHOWN);
  });
  return made.map((bin) => ({ ...bin, recall: wilson(bin.right, bin.rows, confidenceLevel) }));
};

/** 2, 5, 10, 20, 50, … below the number of classes, and that. */
const sizes = (classes: number): number[] => {
  const out: number[] = [];
  for (let decade = 1; decade < classes; decade *= 10)
    for (const m of [1, 2, 5]) if (m * decade >= 2 && m * decade < classes) out.push(m * decade);
  return classes >= 2 ? [...out, classes] : out;
};
const DRAWS = 8;

const subsetsOf = ({ classes, kept, given }: DilutionState, chosen: DilutionAsk, random: Random): SubsetPoint[] => {
  const rows = [...kept].sort(([a], [b]) => a - b).map(([, row]) => row);
  const all = Array.from({ length: classes }, (_, c) => c);
  return sizes(classes).flatMap((size) => {
    let [positive, negative, hard, used] = [0, 0, 0, 0];
    for (let draw = 0; draw < (size === classes ? 1 : DRAWS); draw++) {
      const subset = size === classes ? all : random.shuffle([...all]).slice(0, size);
      const place = new Map(subset.map((c, i) => [c, i]));
      for (const { label, logits } of rows) {
        const at = place.get(label);
        if (at === undefined) continue;
        const found = masses(
          probabilities(
            subset.map((c) => logits[c]),
            chosen.activation,
            given,
          ),
          at,
          chosen,
        );
        positive += found.positive;
        negative += found.negative;
        hard += found.hard;
        used++;
      }
    }
    return negative > 0 ? [{ classes: size, rows: used, positive: positive / negative, hard: hard / negative }] : [];
  });
};

/** Least squares of ln R_pos over ln(C′ − 1). */
const slopeOf = (points: readonly SubsetPoint[]): number => {
  const at = points.flatMap(({ classes, positive }) =>
    positive > 0 && classes > 1 ? [[Math.log(classes - 1), Math.log(positive)] as const] : [],
  );
  if (at.length < 3) return Number.NaN;
  const mean = (of: 0 | 1): number => at.reduce((s, p) => s + p[of], 0) / at.length;
  const [x, y] = [mean(0), mean(1)];
  return at.reduce((s, p) => s + (p[0] - x) * (p[1] - y), 0) / at.reduce((s, p) => s + (p[0] - x) ** 2, 0);
};

export const dilutionScores = (state: DilutionState, chosen: DilutionAsk, random: Random): Dilution => {
  const subsets = subsetsOf(state, chosen, random);
  return {
    classes: state.classes,
    rows: state.rows,
    sums: state.sums,
    positive: ratioOf(state.balance, chosen.confidenceLevel),
    hard: ratioOf(state.hardness, chosen.confidenceLevel),
    bins: binsOf(state, chosen),
    subsets,
    slope: chosen.activation === 'sigmoid' ? slopeOf(subsets) : Number.NaN,
  };
};
