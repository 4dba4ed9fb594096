import { Fault } from '../../base/fault.ts';
import type { Job } from '../../base/job.ts';
import { argmax } from '../../base/maths/argmax.ts';
import { normalQuantile } from '../../base/maths/normal.ts';
import { wilson } from '../../base/maths/proportion.ts';
import type { Tools } from '../../evidence/evidence.ts';
import { keepFirst } from '../selection.ts';
import { type EmbeddingOptions, type Embeddings, readEmbeddings } from './prompt-embeddings.ts';
import {
  type Aggregate,
  type Combine,
  type Debias,
  debiases,
  foldedTexts,
  predictedWith,
  type Scored,
  scorePrompts,
  type Weighted,
  weigh,
} from './prompt-scores.ts';

export interface PromptOptions extends EmbeddingOptions {
  readonly debias: 'auto' | Debias;
  readonly aggregate: Aggregate;
  readonly selectThreshold: number;
  readonly selectWeights: Combine;
  readonly perExample: boolean;
  readonly save: string;
  readonly confidenceLevel: number;
}

type Range = readonly [number, number] | null;
export interface Score {
  readonly value: number;
  readonly interval: Range;
}

/** One way to answer: accuracy where labels are known, and rows that it answers otherwise than the equal average. */
export interface Way {
  readonly name: string;
  readonly accuracy: Score;
  readonly changed: number;
}

/** Of one debiasing: accuracy with weights from it. */
export interface Term {
  readonly debias: Debias;
  readonly ways: readonly Way[];
}

export interface PromptEnsemble {
  readonly e: Embeddings;
  readonly debias: Debias;
  readonly scored: Scored;
  readonly chosen: Weighted;
  readonly labelled: number;
  readonly equal: Way;
  readonly answer: Way;
  /** Accuracy of the answer less that of the equal average. */
  readonly gain: Score;
  readonly ways: readonly Way[];
  readonly terms: readonly Term[];
  /** Effective number of prompts, 1/Σw². */
  readonly effective: number;
  /** Rows answered otherwise than by the equal average: dataset rows, and class before and after. */
  readonly changes: readonly { readonly row: number; readonly from: number; readonly to: number; readonly label: number }[];
  readonly changedRows: readonly number[];
  readonly saved: readonly string[];
}

const CHANGES = 50;

/** A template that is the name of the class and nothing else. */
const isBare = (template: string): boolean => /^\s*(\{[^}]*\}|%s|)\s*\.?\s*$/.test(template);

export const promptRun = async (
  tools: Pick<Tools, 'columns' | 'outputs' | 'outputHead'>,
  options: PromptOptions,
  job: Job,
  model: boolean,
): Promise<PromptEnsemble> => {
  if (options.save !== '' && options.perExample) throw new Fault('diagnostic/no-folding', {});
  const save = options.save === '' ? undefined : await tools.outputHead.open(options.save);
  const e = await readEmbeddings(tools, options, model, job.signal);
  const debias = options.debias === 'auto' ? (e.reference ? 'both' : 'test') : options.debias;
  if (!e.reference && (debias === 'both' || debias === 'pretrain')) throw new Fault('diagnostic/no-reference', { debias });
  const scored = await scorePrompts(e, options.perExample ? debias : undefined, job);
  const scoresOf = (d: Debias): Float64Array => scored.of.get(d)?.scores ?? new Float64Array(e.prompts);
  const level = options.confidenceLevel;
  const { labels } = e;
  const judged = Array.from({ length: e.images.rows }, (_, i) => i).filter((i) => (labels?.[i] ?? -1) >= 0);
  const share = (hits: number): Score =>
    judged.length === 0
      ? { value: Number.NaN, interval: null }
      : { value: hits / judged.length, interval: wilson(hits, judged.length, level) };
  const even = predictedWith(e, new Float64Array(e.prompts).fill(1 / e.prompts));
  const wayOf = (name: string, predicted: Int32Array): Way => ({
    name,
    accuracy: share(judged.filter((i) => predicted[i] === labels?.[i]).length),
    changed: predicted.reduce((n, v, i) => n + Number(v !== even[i]), 0),
  });
  const weighted = (d: Debias, aggregate: Aggregate): Weighted =>
    weigh(scoresOf(d), aggregate, options.selectThreshold, options.selectWeights);
  const chosen = weighted(debias, options.aggregate);
  const predicted = scored.predicted ?? predictedWith(e, chosen.weights);
  const one = (p: number): Int32Array =>
    predictedWith(
      e,
      Float64Array.from({ length: e.prompts }, (_, q) => Number(q === p)),
    );
  const bare = e.templates.findIndex(isBare);
  const best = argmax(scoresOf(debias), 0, e.prompts);
  const equal = wayOf('Equal average', even);
  const answer = wayOf(options.perExample ? 'Weights of every image' : 'As chosen', predicted);
  const changed = Array.from(predicted, (_, i) => i).filter((i) => predicted[i] !== even[i]);
  const changedRows: number[] = [];
  for (const i of changed) keepFirst(changedRows, e.rows[i]);
  const saved =
    (await save?.(
      {
        kind: 'linear',
        inputs: e.images.width,
        outputs: e.classes,
        weights: foldedTexts(e, chosen.weights).data.map((v) => v * e.scale),
        normalise: true,
      },
      { diagnostic: 'prompt-ensemble', debias, aggregate: options.aggregate, prompts: e.prompts, classes: e.classNames.join(',') },
    )) ?? [];
  return {
    e,
    debias,
    scored,
    chosen,
    labelled: judged.length,
    equal,
    answer,
    gain: gainOf(judged, even, predicted, labels, level),
    ways: [
      ...(bare >= 0 ? [wayOf('Name of the class alone', one(bare))] : []),
      wayOf('Prompt of highest score alone', one(best)),
      equal,
      ...(['softmax-weights', 'scores', 'select'] as const).map((a) => wayOf(ways[a], predictedWith(e, weighted(debias, a).weights))),
      ...(scored.predicted ? [answer] : []),
    ],
    terms: debiases
      .filter((d) => scored.of.has(d))
      .map((d) => ({
        debias: d,
        ways: (['softmax-weights', 'scores', 'select'] as const).map((a) => wayOf(ways[a], predictedWith(e, weighted(d, a).weights))),
      })),
    effective: 1 / chosen.weights.reduce((s, w) => s + w * w, 0),
    changes: changed.slice(0, CHANGES).map((i) => ({ row: e.rows[i], from: even[i], to: predicted[i], label: labels?.[i] ?? -1 })),
    changedRows,
    saved,
  };
};

export const ways: Readonly<Record<Aggregate, string>> = {
  'softmax-weights': 'Softmax of the scores as weights',
  scores: 'Scores as weights',
  select: 'Prompts selected by score',
};

/** Difference of two accuracies on the same rows; its standard error from the rows on which just one is right (Agresti, Min 2005). */
const gainOf = (judged: readonly number[], before: Int32Array, after: Int32Array, labels: Int32Array | undefined, level: number): Score => {
  const n = judged.length;
  if (n === 0 || !labels) return { value: Number.NaN, interval: null };
  const won = judged.filter((i) => after[i] === labels[i] && before[i] !== labels[i]).length;
  const lost = judged.filter((i) => after[i] !== labels[i] && before[i] === labels[i]).length;
  // Half a row is added to each of the four cells, so that no discordant row does not mean certainty.
  const [a, b, m] = [won + 0.5, lost + 0.5, n + 2];
  const middle = (a - b) / m;
  const half = normalQuantile((1 + level) / 2) * Math.sqrt((a + b - (a - b) ** 2 / m) / (m * m));
  return { value: (won - lost) / n, interval: [Math.max(-1, middle - half), Math.min(1, middle + half)] };
};
