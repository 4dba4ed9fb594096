import { logitInterval } from '../../base/maths/auroc.ts';
import { type McNemar, mcNemar, pairedDifference } from '../../base/maths/mcnemar.ts';
import { normalQuantile } from '../../base/maths/normal.ts';
import { wilson } from '../../base/maths/proportion.ts';
import { quantile } from '../../base/maths/quantile.ts';
import type { Random } from '../../base/random.ts';
import type { ValueDifferences } from '../../evidence/pair.ts';
import { type ClassDelta, classDeltas, macroF1Error } from './compare-classes.ts';
import { type Measure, measured, measures, triplesOf } from './compare-measures.ts';
import { rankingDraws, rankingEstimates } from './compare-ranking.ts';
import { resamplePairs } from './compare-resample.ts';
import { BINS, binOfSide, type CompareState, rightOfSide, SIDES } from './compare-state.ts';
import type { Extreme } from './extreme-rows.ts';

export interface CompareOptions {
  readonly confidenceLevel: number;
  readonly bootstrap: number;
  readonly probeRows: number;
  readonly deviation: number;
}

export type Range = readonly [number, number] | null;

/** A measure of both models, and the first's less the other's. */
export interface Compared {
  readonly name: Measure | 'auroc' | 'auprc';
  readonly of: readonly [number, number];
  readonly intervals: readonly [Range, Range];
  readonly value: number;
  readonly interval: Range;
  /** Two-sided, of no difference; null where resamples do not vary. */
  readonly p: number | null;
}

/** One bin of confidence of one model. */
export interface SureBin {
  readonly n: number;
  readonly confidence: number;
  readonly right: number;
}

/** Rows that the first answers with one class and the other with another. */
export interface Disagreement {
  readonly said: readonly [number, number];
  readonly rows: number;
  /** How many of them each gets right. */
  readonly right: readonly [number, number];
  readonly first: readonly number[];
}

export interface Comparison {
  readonly names: readonly [string, string];
  readonly classNames: readonly string[];
  readonly rows: number;
  readonly byCells: boolean;
  readonly compared: readonly Compared[];
  /** Rows by who is right: both, the first alone, the other alone, neither. */
  readonly right: readonly number[];
  readonly rightRows: readonly (readonly number[])[];
  readonly mcNemar: McNemar;
  readonly different: number;
  readonly disagreements: readonly Disagreement[];
  /** Rows that both answer with the class. */
  readonly agreed: Float64Array;
  readonly classes: readonly ClassDelta[];
  readonly bins: readonly [readonly SureBin[], readonly SureBin[]];
  readonly lost: readonly Extreme[];
  readonly won: readonly Extreme[];
  readonly values: ValueDifferences | undefined;
}

/** Share of centred draws at least as far from 0 as the difference, which counts itself among them. */
const pOf = (draws: Float64Array, value: number): number | null => {
  if (draws.every((d) => d === draws[0])) return null;
  const mean = draws.reduce((sum, d) => sum + d, 0) / draws.length;
  let far = 1;
  for (const d of draws) if (Math.abs(d - mean) >= Math.abs(value)) far++;
  return far / (draws.length + 1);
};

/** Percentiles of the draws, both ends moved by what resampling adds to the estimate. */
const intervalOf = (draws: Float64Array, value: number, level: number): Range => {
  if (draws.every((d) => d === draws[0])) return null;
  const moved = value - draws.reduce((sum, d) => sum + d, 0) / draws.length;
  const sorted = Float64Array.from(draws).sort();
  return [quantile(sorted, (1 - level) / 2) + moved, quantile(sorted, (1 + level) / 2) + moved];
};

const sureBins = ({ sure }: CompareState, s: 0 | 1): SureBin[] => {
  const bins = Array.from({ length: BINS }, () => ({ n: 0, confidence: 0, right: 0 }));
  for (let cell = 0; cell < sure.count.length; cell++) {
    if (sure.count[cell] === 0) continue;
    const own = s === 0 ? Math.floor(cell / SIDES) : cell % SIDES;
    const bin = bins[binOfSide(own)];
    bin.n += sure.count[cell];
    bin.confidence += sure.sums[s][cell];
    if (rightOfSide(own)) bin.right += sure.count[cell];
  }
  return bins;
};

/** AUROC and AUPRC of class 1, where there are two classes and rows of both. */
const comparedRankings = async (
  { ranking, kept, triples, classes }: CompareState,
  { confidenceLevel: level, bootstrap }: CompareOptions,
  random: Random,
  pause: (done: number) => Promise<void>,
): Promise<Compared[]> => {
  const labels = new Set([...triples.keys()].map((key) => Math.floor(key / classes ** 2)));
  if (!ranking || labels.size < 2) return [];
  const [a, b] = rankingEstimates(ranking);
  const draws = await rankingDraws(ranking, kept, bootstrap, random, pause);
  return (['auroc', 'auprc'] as const).map((name) => {
    const value = a[name].value - b[name].value;
    return {
      name,
      of: [a[name].value, b[name].value],
      intervals: [logitInterval(a[name], level), logitInterval(b[name], level)],
      value,
      interval: intervalOf(draws[name], value, level),
      p: pOf(draws[name], value),
    };
  });
};

export const compareScores = async (
  state: CompareState,
  about: Pick<Comparison, 'names' | 'classNames' | 'values'>,
  options: CompareOptions,
  random: Random,
  pause: (done: number) => Promise<void>,
): Promise<Comparison> => {
  const { confidenceLevel: level, bootstrap } = options;
  const { rows: n, losses, classes: K } = state;
  const triples = triplesOf(state);
  const { all, of } = measured(state, triples);
  const draws = await resamplePairs(state, bootstrap, random, pause);
  const rankings = await comparedRankings(state, options, random, pause);
  const z = normalQuantile((1 + level) / 2);
  const around = (value: number, error: number, most: number): Range =>
    error > 0 ? [Math.max(0, value - z * error), Math.min(most, value + z * error)] : null;
  const meanError = (sum: number, squares: number): number => Math.sqrt(Math.max(0, squares / n - (sum / n) ** 2) / Math.max(1, n - 1));
  const own = (name: Measure, s: 0 | 1): Range => {
    const l = losses[s];
    switch (name) {
      case 'accuracy':
        return wilson(Math.round(of[s].accuracy * n), n, level);
      case 'nll':
        return around(of[s].nll, meanError(l.nll, l.nll2), Number.POSITIVE_INFINITY);
      case 'brier':
        return around(of[s].brier, meanError(l.brier, l.brier2), 2);
      case 'macro_f1':
        return around(of[s].macro_f1, macroF1Error(all, s, triples), 1);
      case 'ece':
        return null;
    }
  };

  const right = [0, 0, 0, 0];
  const agreed = new Float64Array(K);
  const pairs = new Map<number, { rows: number; right: [number, number] }>();
  for (const { label, said, n: count } of triples) {
    const [a, b] = [said[0] === label, said[1] === label];
    right[a ? (b ? 0 : 1) : b ? 2 : 3] += count;
    const key = said[0] * K + said[1];
    if (said[0] === said[1]) {
      agreed[said[0]] += count;
      continue;
    }
    const known = pairs.get(key) ?? { rows: 0, right: [0, 0] };
    known.rows += count;
    if (a) known.right[0] += count;
    if (b) known.right[1] += count;
    pairs.set(key, known);
  }
  return {
    ...about,
    rows: n,
    byCells: state.kept === null,
    compared: [
      ...measures.map((name): Compared => {
        const value = of[0][name] - of[1][name];
        return {
          name,
          of: [of[0][name], of[1][name]],
          intervals: [own(name, 0), own(name, 1)],
          value,
          interval: name === 'accuracy' ? pairedDifference(right[1], right[2], n, level) : intervalOf(draws[name], value, level),
          p: pOf(draws[name], value),
        };
      }),
      ...rankings,
    ],
    right,
    rightRows: state.right,
    mcNemar: mcNemar(right[1], right[2]),
    different: [...pairs.values()].reduce((sum, { rows }) => sum + rows, 0),
    disagreements: [...pairs]
      .map(([key, found]) => ({ said: [Math.floor(key / K), key % K] as const, ...found, first: state.answers.get(key) ?? [] }))
      .sort((a, b) => b.rows - a.rows || a.said[0] - b.said[0] || a.said[1] - b.said[1]),
    agreed,
    classes: classDeltas(all, triples, level),
    bins: [sureBins(state, 0), sureBins(state, 1)],
    lost: state.lost,
    won: state.won,
  };
};
