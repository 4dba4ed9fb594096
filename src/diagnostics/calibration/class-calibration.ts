import { wilson } from '../../base/maths/proportion.ts';
import type { Slot } from '../metrics/ranking-slots.ts';
import { type Bin, massBins } from './bins.ts';
import { type BrierTerms, brierTerms } from './brier.ts';
import { binnedErrors } from './errors.ts';
import { collect } from './pairs.ts';
import { walkSlots } from './walks.ts';

/** Sums per class and width bin of its probability: n, Σp, Σp², Σy, Σpy. */
export const SUMS = 5;

/** Scores of all classes kept one by one (8 MiB); beyond, each class is counted in fine bins, finer the fewer classes there are. */
export const CLASS_SCORES: number = 2 ** 20;
export const classBits = (classes: number): number => Math.max(3, 8 - Math.max(0, Math.ceil(Math.log2(classes / 64))));
/** Up to this many classes the diagrams name their samples. */
export const TRACED_CLASSES = 64;

/** Probabilities below this are left out of TACE. */
const THRESHOLD = 1e-3;

/** One point of a class's or group's diagram: a width bin that is not empty. */
export interface Point {
  readonly low: number;
  readonly high: number;
  readonly n: number;
  readonly probability: number;
  readonly share: number;
  readonly interval: readonly [number, number] | null;
  readonly rows: readonly number[];
}

/** One class against the rest. */
export interface ClassCalibration {
  readonly frequency: number;
  readonly probability: number;
  /** Calibration error in bins of equal width, and in bins of equal mass that all weigh the same, of all rows and of those with p ≥ 1e-3. */
  readonly ce: number;
  readonly ace: number;
  readonly tace: number;
  readonly brier: BrierTerms;
  readonly points: readonly Point[];
}

type Sums = Pick<Bin, 'n' | 'f' | 'f2' | 'o' | 'fo'>;

const sumsOf = (perClass: Float64Array, k: number, bins: number): Sums[] =>
  Array.from({ length: bins }, (_, b) => {
    const [n, f, f2, o, fo] = perClass.subarray((k * bins + b) * SUMS, (k * bins + b + 1) * SUMS);
    return { n, f, f2, o, fo };
  });

export const pointsOf = (bins: readonly Sums[], level: number, rows: readonly (readonly number[])[] = []): Point[] =>
  bins.flatMap(({ n, f, o }, b) =>
    n === 0
      ? []
      : [
          {
            low: b / bins.length,
            high: (b + 1) / bins.length,
            n,
            probability: f / n,
            share: o / n,
            interval: wilson(o, n, level),
            rows: rows[b] ?? [],
          },
        ],
  );

/** Adaptive calibration error (Nixon et al. 2019): bins of equal mass that all weigh the same. NaN of no rows. */
const adaptive = (slot: Slot, n: number, bins: number, least: number): number => {
  const walk = walkSlots([slot]);
  let rows = 0;
  const groups = collect((visit) => {
    walk((p, hits, misses) => {
      if (p < least) return;
      rows += hits + misses;
      visit(p, hits, misses);
    });
  }, n);
  const mass = massBins(groups, bins);
  return binnedErrors(mass, rows).averageCe;
};

const runsAtMost = ({ positive, negative, bins }: Slot): number => bins?.hits.length ?? positive.length + negative.length;

export const classCalibration = (
  perClass: Float64Array,
  slots: readonly Slot[],
  first: readonly (readonly number[])[],
  bins: number,
  rows: number,
  level: number,
): ClassCalibration[] =>
  slots.map((slot, k) => {
    const own = sumsOf(perClass, k, bins);
    const most = runsAtMost(slot);
    return {
      frequency: own.reduce((sum, b) => sum + b.o, 0) / rows,
      probability: own.reduce((sum, b) => sum + b.f, 0) / rows,
      ce: binnedErrors(own, rows).ece,
      ace: adaptive(slot, most, bins, 0),
      tace: adaptive(slot, most, bins, THRESHOLD),
      brier: brierTerms(own),
      points: pointsOf(own, level, first.slice(k * bins, (k + 1) * bins)),
    };
  });
