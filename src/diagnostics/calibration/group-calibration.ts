import { normalQuantile } from '../../base/maths/normal.ts';
import { wilson } from '../../base/maths/proportion.ts';
import type { Random } from '../../base/random.ts';
import type { Slot, Slots } from '../metrics/ranking-slots.ts';
import { massBins, widthBins } from './bins.ts';
import { cells } from './cells.ts';
import { type Point, pointsOf } from './class-calibration.ts';
import { binnedErrors, debiasedEce } from './errors.ts';
import { noiseFloor, nullDraws, pValueOf } from './null-draws.ts';
import { collect, type Groups } from './pairs.ts';
import { bootstrapDebiased, eceInterval } from './resample.ts';
import { walkSlots } from './walks.ts';

/** Draws of a group are fewer, and beyond `GROUP_ROWS` rows taken on `GROUP_CELLS` cells: there may be 200 groups. */
export const GROUP_DRAWS = 200;
const GROUP_ROWS = 2_000;
const GROUP_CELLS = 256;

type Range = readonly [number, number] | null;

/** How one group of rows is calibrated; NaN where a number is undefined. */
export interface GroupCalibration {
  readonly name: string;
  readonly rows: number;
  readonly accuracy: number;
  readonly accuracyInterval: Range;
  readonly confidence: number;
  /** Mean of confidence − outcome, with the normal interval of a mean. */
  readonly gap: number;
  readonly gapInterval: Range;
  readonly ece: number;
  readonly floor: { readonly mean: number; readonly sd: number };
  readonly p: number;
  readonly eceDebiased: number;
  readonly eceInterval: Range;
  readonly points: readonly Point[];
}

const groupsOf = (slot: Slot, bins: number): Groups => {
  const walk = walkSlots([slot]);
  let n = 0;
  walk((_, hits, misses) => {
    n += hits + misses;
  });
  return n > GROUP_ROWS ? cells(walk, n, bins, GROUP_CELLS) : collect(walk, n);
};

const oneGroup = async (
  name: string,
  slot: Slot,
  { bins, level, random }: { readonly bins: number; readonly level: number; readonly random: (name: string) => Random },
): Promise<GroupCalibration> => {
  const groups = groupsOf(slot, bins);
  const { n } = groups;
  const width = widthBins(groups, bins);
  const pairs = massBins(groups, bins, 2);
  const enough = 2 * bins <= n;
  const quiet = async (): Promise<void> => {};
  const errors = binnedErrors(width, n);
  const nulls = await nullDraws(groups, bins, GROUP_DRAWS, random(`null-draws/${name}`), quiet);
  const p = pValueOf(nulls.ece, errors.ece);
  const debiased = debiasedEce(pairs, n);
  const draws = enough
    ? await bootstrapDebiased(groups, groups.sums === undefined, bins, GROUP_DRAWS, random(`bootstrap/${name}`), quiet)
    : undefined;
  const total = (of: (b: (typeof width)[number]) => number): number => width.reduce((sum, b) => sum + of(b), 0);
  const [f, o] = [total((b) => b.f), total((b) => b.o)];
  const gap = (f - o) / n;
  const spread = Math.max(0, total((b) => b.f2 - 2 * b.fo + b.o) / n - gap * gap);
  const half = n > 1 ? normalQuantile((1 + level) / 2) * Math.sqrt(spread / (n - 1)) : Number.NaN;
  return {
    name,
    rows: n,
    accuracy: o / n,
    accuracyInterval: wilson(o, n, level),
    confidence: f / n,
    gap,
    gapInterval: n > 1 ? [gap - half, gap + half] : null,
    ece: errors.ece,
    floor: noiseFloor(groups, width),
    p,
    eceDebiased: enough ? debiased.value : Number.NaN,
    eceInterval: draws ? eceInterval(draws, debiased, p, level) : null,
    points: pointsOf(width, level),
  };
};

/** Every group by name. */
export const groupCalibrations = async (
  { by }: Slots,
  settings: { readonly bins: number; readonly level: number; readonly random: (name: string) => Random },
  pause: (done: number, of: number) => Promise<void>,
): Promise<GroupCalibration[]> => {
  const found: GroupCalibration[] = [];
  const sorted = [...by].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [i, [name, slot]] of sorted.entries()) {
    await pause(i, sorted.length);
    found.push(await oneGroup(name, slot, settings));
  }
  return found;
};
