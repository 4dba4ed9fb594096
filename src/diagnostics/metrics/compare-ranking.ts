import { auroc, averagePrecision, type Estimate, type Tallies } from '../../base/maths/auroc.ts';
import { multinomial } from '../../base/maths/binomial.ts';
import type { Random } from '../../base/random.ts';
import { addScore, pooledRuns, type Slots, slotOf, slots } from './ranking-slots.ts';

/** Scores of one model kept one by one (8 bytes each); beyond this they are counted in fine bins. */
const KEPT = 2 ** 20;
/** Cells of the log-odds of one model's score, from −16 to 16, behind resamples of many rows. */
const SIDE = 96;
const REACH = 16;

/** How both rank class 1 of two. */
export interface RankingPair {
  readonly slots: readonly [Slots, Slots];
  /** [label, cell of the first, cell of the other] → rows. */
  readonly joint: Float64Array;
}

export const rankingPair = (): RankingPair => ({ slots: [slots(KEPT, 8), slots(KEPT, 8)], joint: new Float64Array(2 * SIDE * SIDE) });

const cellOf = (score: number): number => {
  const odds = Math.log(score) - Math.log1p(-score);
  return Math.max(0, Math.min(SIDE - 1, Math.floor(((odds + REACH) / (2 * REACH)) * SIDE)));
};

export const addRankingPair = ({ slots: of, joint }: RankingPair, label: number, scores: readonly [number, number]): void => {
  for (const s of [0, 1] as const) addScore(of[s], slotOf(of[s], ''), scores[s], label === 1);
  joint[(label * SIDE + cellOf(scores[0])) * SIDE + cellOf(scores[1])]++;
};

interface Ranked {
  readonly auroc: Estimate;
  readonly auprc: Estimate;
}
const both = (of: Tallies): Ranked => ({ auroc: auroc(of), auprc: averagePrecision(of) });
/** Of each model, on all rows. */
export const rankingEstimates = ({ slots: of }: RankingPair): readonly [Ranked, Ranked] => [
  both(pooledRuns(of[0])),
  both(pooledRuns(of[1])),
];

/** Rows, or cells of rows, by the place of their score in either ranking. */
interface Units {
  readonly positive: Uint8Array;
  readonly place: readonly [Int32Array, Int32Array];
  readonly places: readonly [number, number];
  readonly counts: Float64Array;
}

export interface Scored {
  readonly label: number;
  readonly scores: readonly [number, number];
}

const ofRows = (rows: readonly Scored[]): Units => {
  const distinct = ([0, 1] as const).map((s) => [...new Set(rows.map((r) => r.scores[s]))].sort((a, b) => a - b));
  const places = distinct.map((values) => new Map(values.map((v, i) => [v, i])));
  const place = (s: 0 | 1): Int32Array => Int32Array.from(rows, (r) => places[s].get(r.scores[s]) ?? 0);
  return {
    positive: Uint8Array.from(rows, (r) => r.label),
    place: [place(0), place(1)],
    places: [distinct[0].length, distinct[1].length],
    counts: new Float64Array(rows.length).fill(1),
  };
};

const ofCells = ({ joint }: RankingPair): Units => {
  const full = Array.from(joint, (_, i) => i).filter((i) => joint[i] > 0);
  return {
    positive: Uint8Array.from(full, (i) => Math.floor(i / SIDE / SIDE)),
    place: [Int32Array.from(full, (i) => Math.floor(i / SIDE) % SIDE), Int32Array.from(full, (i) => i % SIDE)],
    places: [SIDE, SIDE],
    counts: Float64Array.from(full, (i) => joint[i]),
  };
};

/** Differences of AUROC and AUPRC on resamples of the rows, both models on the same ones. A resample of one class alone is drawn anew. */
export const rankingDraws = async (
  pair: RankingPair,
  kept: readonly Scored[] | null,
  draws: number,
  random: Random,
  pause: (done: number) => Promise<void>,
): Promise<Readonly<Record<keyof Ranked, Float64Array>>> => {
  const { positive, place, places, counts } = kept ? ofRows(kept) : ofCells(pair);
  const n = counts.reduce((sum, c) => sum + c, 0);
  const drawn = new Int32Array(counts.length);
  const tallies = ([0, 1] as const).map((s) => ({ hits: new Int32Array(places[s]), misses: new Int32Array(places[s]) }));
  const out = { auroc: new Float64Array(draws), auprc: new Float64Array(draws) };
  for (let d = 0; d < draws; d++) {
    if (d % 20 === 0) await pause(d);
    if (kept) {
      drawn.fill(0);
      for (let i = 0; i < n; i++) drawn[random.below(n)]++;
    } else multinomial(n, counts, n, drawn, random);
    for (const s of [0, 1] as const) {
      const { hits, misses } = tallies[s];
      hits.fill(0);
      misses.fill(0);
      for (let u = 0; u < drawn.length; u++) (positive[u] ? hits : misses)[place[s][u]] += drawn[u];
    }
    const [a, b] = [both(tallies[0]), both(tallies[1])];
    out.auroc[d] = a.auroc.value - b.auroc.value;
    out.auprc[d] = a.auprc.value - b.auprc.value;
    if (Number.isNaN(out.auroc[d] + out.auprc[d])) d--;
  }
  return out;
};
