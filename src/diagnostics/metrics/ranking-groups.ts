import { auroc, averagePrecision, type Estimate, totals } from '../../base/maths/auroc.ts';
import { widthBinOf } from '../calibration/bins.ts';
import type { Groups } from '../calibration/pairs.ts';
import { type Mistake, mistakesOf } from './ranking-mistakes.ts';
import { type Slots, slotRuns } from './ranking-slots.ts';

/** How one group of rows stands in the ranking. NaN where a number is undefined. */
export interface GroupRanking {
  readonly name: string;
  readonly positives: number;
  readonly negatives: number;
  readonly meanScore: number;
  /** Its positives against its negatives, and against the negatives of all other groups. */
  readonly within: Estimate;
  readonly cross: Estimate;
  readonly auprc: Estimate;
  /** Atomic mistakes whose positive is in the group, and their gains in AUPRC, summed. */
  readonly mistakes: number;
  readonly gain: number;
  /** Share of the group's rows by score, in `bins` of equal width. */
  readonly histogram: readonly number[];
}

/** The counts of a group at the runs of all rows. */
const spread = (own: Groups, all: Groups): { readonly hits: Int32Array; readonly misses: Int32Array } => {
  const [hits, misses] = [new Int32Array(all.c.length), new Int32Array(all.c.length)];
  let g = 0;
  own.c.forEach((score, i) => {
    while (all.c[g] < score) g++;
    hits[g] = own.hits[i];
    misses[g] = own.misses[i];
  });
  return { hits, misses };
};

const histogramOf = ({ c, hits, misses, n }: Groups, bins: number): number[] => {
  const out = new Array<number>(bins).fill(0);
  for (let g = 0; g < c.length; g++) out[widthBinOf(c[g], bins)] += (hits[g] + misses[g]) / n;
  return out;
};

/** Every group by name, and the mistakes of the whole ranking with the group of their positive; none where scores were counted in bins. */
export const groupRankings = (
  slots: Slots,
  all: Groups,
  bins: number,
): { readonly groups: readonly GroupRanking[]; readonly mistakes: readonly Mistake[] } => {
  const mistakes = slots.binned ? [] : mistakesOf(all);
  const names = [...slots.by.keys()].sort();
  const groups = names.flatMap((name): GroupRanking[] => {
    const slot = slots.by.get(name);
    if (!slot) return [];
    const own = slotRuns(slot);
    const at = spread(own, all);
    const outside = all.misses.map((n, g) => n - at.misses[g]);
    const mine = mistakes.filter(({ run }) => at.hits[run] > 0);
    return [
      {
        name,
        ...totals(own),
        meanScore: own.c.reduce((sum, score, g) => sum + score * (own.hits[g] + own.misses[g]), 0) / own.n,
        within: auroc(own),
        cross: auroc({ hits: at.hits, misses: outside }),
        auprc: averagePrecision(own),
        mistakes: mine.length,
        gain: mine.reduce((sum, m) => sum + m.gain, 0),
        histogram: histogramOf(own, bins),
      },
    ];
  });
  return { groups, mistakes };
};
