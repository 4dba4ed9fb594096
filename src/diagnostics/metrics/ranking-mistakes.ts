import { type Tallies, totals } from '../../base/maths/auroc.ts';

/** A negative at rank k directly above a positive, and what swapping them adds to average precision; to AUROC it always adds 1/(P·N₀). */
export interface Mistake {
  readonly rank: number;
  readonly gain: number;
  /** Run of the positive. */
  readonly run: number;
}

/**
 * Atomic mistakes (arXiv:2401.06091), from the top of the ranking down: neighbours of distinct scores, each the only row with its score.
 * ΔAUPRC = (tp + 1)/(P·k·(k + 1)), with tp the positives above rank k.
 */
export const mistakesOf = (tallies: Tallies): Mistake[] => {
  const { hits, misses } = tallies;
  const { positives } = totals(tallies);
  const found: Mistake[] = [];
  let [tp, rank] = [0, 0];
  for (let g = hits.length - 1; g >= 0; g--) {
    rank += hits[g] + misses[g];
    if (g > 0 && hits[g] === 0 && misses[g] === 1 && hits[g - 1] === 1 && misses[g - 1] === 0)
      found.push({ rank, gain: (tp + 1) / (positives * rank * (rank + 1)), run: g - 1 });
    tp += hits[g];
  }
  return found;
};
