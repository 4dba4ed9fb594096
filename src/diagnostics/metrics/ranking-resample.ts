import { averagePrecision, type Tallies, totals } from '../../base/maths/auroc.ts';
import { multinomial } from '../../base/maths/binomial.ts';
import { quantile } from '../../base/maths/quantile.ts';
import type { Random } from '../../base/random.ts';
import { partialAuroc, precisionAt } from './ranking-curves.ts';

/** Up to this many rows resamples are drawn row by row; above, on counts in at least `CELLS` cells of neighbouring scores. */
export const ROW_DRAWS = 20_000;
const CELLS = 2048;
/** Towards the top of the ranking cells shrink to this share of their rank, since there every row weighs on the precision. */
const RELATIVE = 1 / 256;

/** Neighbouring runs joined, from the top of the ranking down (the result ascends again). */
export const rankCells = ({ hits, misses }: Tallies): Tallies => {
  const { positives, negatives } = totals({ hits, misses });
  const widest = (positives + negatives) / CELLS;
  const cells: [number, number][] = [];
  let [rank, right, wrong] = [0, 0, 0];
  for (let g = hits.length - 1; g >= 0; g--) {
    right += hits[g];
    wrong += misses[g];
    if (g > 0 && right + wrong + hits[g - 1] + misses[g - 1] > Math.min(widest, rank * RELATIVE)) {
      cells.push([right, wrong]);
      rank += right + wrong;
      [right, wrong] = [0, 0];
    }
  }
  cells.push([right, wrong]);
  cells.reverse();
  return { hits: Int32Array.from(cells, ([n]) => n), misses: Int32Array.from(cells, ([, n]) => n) };
};

/** How `total` rows of one sort fall on the runs in one resample of them. */
const sampler = (counts: ArrayLike<number>, total: number, random: Random): ((out: Int32Array) => void) => {
  if (total > ROW_DRAWS) return (out) => multinomial(total, counts, total, out, random);
  const runOf = new Int32Array(total);
  let at = 0;
  for (let g = 0; g < counts.length; g++) {
    runOf.fill(g, at, at + counts[g]);
    at += counts[g];
  }
  return (out) => {
    out.fill(0);
    for (let i = 0; i < total; i++) out[runOf[random.below(total)]]++;
  };
};

export interface RankingDraws {
  readonly auprc: Float64Array;
  readonly partial: Float64Array;
  readonly precisionAtK: Float64Array;
}

/** Average precision, partial AUROC and precision at k of stratified resamples of the rows: positives and negatives are each drawn anew. */
export const resampleRanking = async (
  of: Tallies,
  draws: number,
  { most, k }: { readonly most: number; readonly k: number },
  random: Random,
  pause: (done: number) => Promise<void>,
): Promise<RankingDraws> => {
  const { positives, negatives } = totals(of);
  const [hits, misses] = [new Int32Array(of.hits.length), new Int32Array(of.hits.length)];
  const [drawHits, drawMisses] = [sampler(of.hits, positives, random), sampler(of.misses, negatives, random)];
  const out: RankingDraws = { auprc: new Float64Array(draws), partial: new Float64Array(draws), precisionAtK: new Float64Array(draws) };
  for (let d = 0; d < draws; d++) {
    if (d % 25 === 0) await pause(d);
    drawHits(hits);
    drawMisses(misses);
    const drawn = { hits, misses };
    out.auprc[d] = averagePrecision(drawn).value;
    out.partial[d] = partialAuroc(drawn, most);
    out.precisionAtK[d] = precisionAt(drawn, k);
  }
  for (const values of Object.values(out)) values.sort();
  return out;
};

/**
 * Percentile interval of ascending draws, moved by what joining runs into cells has changed in the estimate, within 0..1; null where all
 * draws agree, which says nothing about other rows.
 */
export const percentileInterval = (draws: Float64Array, moved: number, level: number): readonly [number, number] | null => {
  if (draws[0] === draws[draws.length - 1]) return null;
  const end = (q: number): number => Math.min(1, Math.max(0, quantile(draws, q) + moved));
  return [end((1 - level) / 2), end((1 + level) / 2)];
};
