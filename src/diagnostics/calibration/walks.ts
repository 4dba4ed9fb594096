import { leastOf, pourSketch, type Sketch, sketch } from '../metrics/ranking-sketch.ts';
import type { Slot } from '../metrics/ranking-slots.ts';
import { sumOfPile, type Walk, walkPiles } from './pairs.ts';

/** Occupied bins of a sketch, each at its middle. */
const walkSketch =
  ({ bits, hits, misses }: Sketch): Walk =>
  (visit) => {
    for (let k = 0; k < hits.length; k++)
      if (hits[k] + misses[k] > 0) visit(k + 1 < hits.length ? (leastOf(k, bits) + leastOf(k + 1, bits)) / 2 : 1, hits[k], misses[k]);
  };

/** Runs over the scores of several slots: exact, or by the bins in which they were counted. */
export const walkSlots = (slots: readonly Slot[]): Walk => {
  const counted = slots.flatMap(({ bins }) => bins ?? []);
  if (counted.length === 0)
    return walkPiles(
      slots.map((s) => s.positive),
      slots.map((s) => s.negative),
    );
  const all = sketch(counted[0].bits);
  for (const one of counted) pourSketch(all, one);
  return walkSketch(all);
};

/** Σ of the scores of several slots; where they are counted, of the middles of their bins. */
export const sumOfSlots = (slots: readonly Slot[]): number =>
  slots.reduce((total, { positive, negative, bins }) => {
    let counted = 0;
    if (bins)
      walkSketch(bins)((c, hits, misses) => {
        counted += c * (hits + misses);
      });
    return total + sumOfPile(positive) + sumOfPile(negative) + counted;
  }, 0);
