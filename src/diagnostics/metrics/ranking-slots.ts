import { type Groups, type Pile, pile, pour, put, runs, values } from '../calibration/pairs.ts';
import { binOf, leastOf, pourSketch, type Sketch, sketch } from './ranking-sketch.ts';

/** Scores of one group, or of one class against the rest: kept one by one (8 bytes each), or counted in bins. */
export interface Slot {
  positive: Pile;
  negative: Pile;
  bins?: Sketch;
}

/** Scores by group or class. Beyond `most` scores every slot is turned into counts: what is kept depends on how many there are alone. */
export interface Slots {
  readonly by: Map<string, Slot>;
  readonly most: number;
  /** Mantissa bits of the bins. */
  readonly bits: number;
  binned: boolean;
  count: number;
}

export const slots = (most: number, bits: number): Slots => ({ by: new Map(), most, bits, binned: most === 0, count: 0 });

export const slotOf = (of: Slots, name: string): Slot => {
  const known = of.by.get(name);
  if (known) return known;
  const made: Slot = { positive: pile(), negative: pile(), ...(of.binned ? { bins: sketch(of.bits) } : {}) };
  of.by.set(name, made);
  return made;
};

const count = (bins: Sketch, score: number, positive: boolean): void => {
  (positive ? bins.hits : bins.misses)[binOf(score, bins.bits)]++;
};

const toBins = (of: Slots): void => {
  of.binned = true;
  for (const slot of of.by.values()) {
    if (slot.bins) continue;
    const bins = sketch(of.bits);
    for (const score of values(slot.positive)) count(bins, score, true);
    for (const score of values(slot.negative)) count(bins, score, false);
    slot.bins = bins;
    slot.positive = pile();
    slot.negative = pile();
  }
};

export const addScore = (of: Slots, slot: Slot, score: number, positive: boolean): void => {
  of.count++;
  if (slot.bins) count(slot.bins, score, positive);
  else {
    put(positive ? slot.positive : slot.negative, score);
    if (of.count > of.most) toBins(of);
  }
};

export const mergeSlots = (to: Slots, from: Slots): void => {
  to.count += from.count;
  if (to.count > to.most && !to.binned) toBins(to);
  for (const [name, slot] of from.by) {
    const own = slotOf(to, name);
    if (!own.bins) {
      pour(own.positive, slot.positive);
      pour(own.negative, slot.negative);
    } else if (slot.bins) pourSketch(own.bins, slot.bins);
    else {
      for (const score of values(slot.positive)) count(own.bins, score, true);
      for (const score of values(slot.negative)) count(own.bins, score, false);
    }
  }
};

/** Occupied bins as runs of equal score, each named by its least score. */
const runsOf = ({ bits, hits, misses }: Sketch): Groups => {
  const full: number[] = [];
  for (let k = 0; k < hits.length; k++) if (hits[k] + misses[k] > 0) full.push(k);
  const own = { hits: Int32Array.from(full, (k) => hits[k]), misses: Int32Array.from(full, (k) => misses[k]) };
  return {
    c: Float64Array.from(full, (k) => leastOf(k, bits)),
    ...own,
    n: full.reduce((n, k) => n + hits[k] + misses[k], 0),
  };
};

export const slotRuns = ({ positive, negative, bins }: Slot): Groups => (bins ? runsOf(bins) : runs(positive, negative));

/** Runs over all slots together. */
export const pooledRuns = ({ by, binned, bits }: Slots): Groups => {
  const all: Slot = { positive: pile(), negative: pile(), ...(binned ? { bins: sketch(bits) } : {}) };
  const single = by.size === 1 ? [...by.values()][0] : undefined;
  if (single) return slotRuns(single);
  for (const slot of by.values()) {
    if (all.bins && slot.bins) pourSketch(all.bins, slot.bins);
    pour(all.positive, slot.positive);
    pour(all.negative, slot.negative);
  }
  return slotRuns(all);
};
