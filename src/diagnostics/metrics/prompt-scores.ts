import { breathe, type Job } from '../../base/job.ts';
import { argmax } from '../../base/maths/argmax.ts';
import { median } from '../../base/maths/quantile.ts';
import { softmaxInPlace } from '../../base/maths/softmax-regression.ts';
import type { Embeddings, Vectors } from './prompt-embeddings.ts';

export const debiases = ['none', 'test', 'pretrain', 'both'] as const;
export type Debias = (typeof debiases)[number];

/** Mean vector. */
const meanOf = ({ rows, width, data }: Vectors): Float64Array => {
  const mean = new Float64Array(width);
  for (let i = 0; i < rows; i++) for (let d = 0; d < width; d++) mean[d] += data[i * width + d];
  return mean.map((v) => v / rows);
};

/** scale · z·t of one vector with every row. */
const products = (z: Float64Array, at: number, { rows, width, data }: Vectors, scale: number, out: Float64Array): Float64Array => {
  for (let r = 0, k = 0; r < rows; r++) {
    let sum = 0;
    for (let d = at; d < at + width; d++, k++) sum += z[d] * data[k];
    out[r] = scale * sum;
  }
  return out;
};

/** Mean logit of every prompt and class over images: b_pc = s·z̄·t_pc. */
const biasOf = (images: Vectors, texts: Vectors, scale: number): Float64Array =>
  products(meanOf(images), 0, texts, scale, new Float64Array(texts.rows));

/** What is taken off the logits before their largest is looked for. */
const biases = ({ images, reference, texts, scale }: Embeddings): ReadonlyMap<Debias, Float64Array> => {
  const test = biasOf(images, texts, scale);
  const pretrain = reference && biasOf(reference, texts, scale);
  return new Map<Debias, Float64Array>([
    ['none', new Float64Array(texts.rows)],
    ['test', test],
    ...(pretrain
      ? ([
          ['pretrain', pretrain],
          ['both', test.map((v, i) => (v + pretrain[i]) / 2)],
        ] as const)
      : []),
  ]);
};

/** Scores of the prompts under one debiasing: mean over images of the largest debiased logit, with its standard error. */
export interface PromptScores {
  readonly scores: Float64Array;
  readonly errors: Float64Array;
}

export interface Scored {
  readonly of: ReadonlyMap<Debias, PromptScores>;
  /** Rows that each prompt alone answers right; empty without labels. */
  readonly hits: Float64Array;
  /** With per-example weights: predicted class of every image. */
  readonly predicted?: Int32Array;
}

/** One pass over images; `each` also answers every image with weights softmax_p(max_c) of its own. */
export const scorePrompts = async (e: Embeddings, each: Debias | undefined, job: Job): Promise<Scored> => {
  const { images, texts, prompts, classes, scale, labels } = e;
  const taken = biases(e);
  const sums = new Map([...taken.keys()].map((d) => [d, { sum: new Float64Array(prompts), square: new Float64Array(prompts) }] as const));
  const logits = new Float64Array(texts.rows);
  const hits = new Float64Array(prompts);
  const predicted = each && new Int32Array(images.rows);
  const own = new Float64Array(prompts);
  const total = new Float64Array(classes);
  for (let i = 0; i < images.rows; i++) {
    if (i % 32 === 0) {
      await breathe(job);
      job.progress(0.5 + (0.4 * i) / images.rows, `${i} of ${images.rows} images`);
    }
    products(images.data, i * images.width, texts, scale, logits);
    for (const [debias, bias] of taken) {
      const { sum, square } = sums.get(debias) ?? { sum: own, square: own };
      for (let p = 0; p < prompts; p++) {
        let most = Number.NEGATIVE_INFINITY;
        for (let k = p * classes; k < (p + 1) * classes; k++) if (logits[k] - bias[k] > most) most = logits[k] - bias[k];
        sum[p] += most;
        square[p] += most * most;
        if (debias === each) own[p] = most;
      }
    }
    if (labels && labels[i] >= 0) for (let p = 0; p < prompts; p++) if (argmax(logits, p * classes, classes) === labels[i]) hits[p]++;
    if (!predicted) continue;
    softmaxInPlace(own);
    total.fill(0);
    for (let p = 0; p < prompts; p++) for (let c = 0; c < classes; c++) total[c] += own[p] * logits[p * classes + c];
    predicted[i] = argmax(total, 0, classes);
  }
  const n = images.rows;
  return {
    hits,
    ...(predicted ? { predicted } : {}),
    of: new Map(
      [...sums].map(([debias, { sum, square }]) => [
        debias,
        {
          scores: sum.map((s) => s / n),
          errors: square.map((s, p) => Math.sqrt(Math.max(0, s / n - (sum[p] / n) ** 2) / Math.max(1, n - 1))),
        },
      ]),
    ),
  };
};

export const softmaxWeights = (scores: Float64Array): Float64Array => {
  const w = scores.slice();
  softmaxInPlace(w);
  return w;
};

const normalised = (w: Float64Array): Float64Array | undefined => {
  const sum = w.reduce((s, v) => s + v, 0);
  return sum > 0 ? w.map((v) => v / sum) : undefined;
};

/** Scores as weights, those below 0 as 0; undefined where none is above. */
export const scoreWeights = (scores: Float64Array): Float64Array | undefined => normalised(scores.map((s) => Math.max(0, s)));

/** (s − median)/MAD, MAD without the factor that makes it a standard deviation; undefined where it is 0. */
export const zScores = (scores: Float64Array): Float64Array | undefined => {
  const middle = median(scores);
  const mad = median(scores.map((s) => Math.abs(s - middle)));
  return mad > 0 ? scores.map((s) => (s - middle) / mad) : undefined;
};

export type Aggregate = 'softmax-weights' | 'scores' | 'select';
export type Combine = 'equal' | 'scores' | 'softmax-weights';

export interface Weighted {
  readonly weights: Float64Array;
  readonly z: Float64Array | undefined;
  /** Prompts above the threshold. */
  readonly kept: readonly number[];
  /** Why the pool was not selected from, or scores not used. */
  readonly fallback?: 'mad' | 'empty' | 'negative';
}

const pool = (scores: Float64Array, how: Combine): { readonly weights: Float64Array; readonly fallback?: 'negative' } => {
  const equal = new Float64Array(scores.length).fill(1 / scores.length);
  if (how === 'equal') return { weights: equal };
  if (how === 'softmax-weights') return { weights: softmaxWeights(scores) };
  const weights = scoreWeights(scores);
  return weights ? { weights } : { weights: equal, fallback: 'negative' };
};

/** Weights of the prompts, summing to 1. Those selected keep the share that they have of the whole pool. */
export const weigh = (scores: Float64Array, aggregate: Aggregate, threshold: number, combine: Combine): Weighted => {
  const z = zScores(scores);
  const kept = Array.from(scores, (_, p) => p).filter((p) => z !== undefined && z[p] > threshold);
  if (aggregate !== 'select') return { ...pool(scores, aggregate), z, kept };
  const whole = pool(scores, combine);
  const chosen = new Set(kept);
  const weights = normalised(whole.weights.map((w, p) => (chosen.has(p) ? w : 0)));
  if (kept.length > 0 && weights) return { ...whole, weights, z, kept };
  return { weights: softmaxWeights(scores), z, kept, fallback: z ? 'empty' : 'mad' };
};

/** Σ_p w_p t_pc, [classes, width], not made unit vectors: one product with it gives the weighted sum of all logits. */
export const foldedTexts = ({ texts: { width, data }, prompts, classes }: Embeddings, weights: ArrayLike<number>): Vectors => {
  const out = new Float64Array(classes * width);
  for (let p = 0; p < prompts; p++) for (let k = 0; k < out.length; k++) out[k] += weights[p] * data[p * out.length + k];
  return { rows: classes, width, data: out, norms: [0, 0] };
};

/** Logits of every image with folded texts, [images, classes]. */
export const foldedLogits = ({ images, scale, classes }: Embeddings, folded: Vectors): Float64Array => {
  const out = new Float64Array(images.rows * classes);
  const line = new Float64Array(classes);
  for (let i = 0; i < images.rows; i++) out.set(products(images.data, i * images.width, folded, scale, line), i * classes);
  return out;
};

export const predictedWith = (e: Embeddings, weights: ArrayLike<number>): Int32Array => {
  const logits = foldedLogits(e, foldedTexts(e, weights));
  return Int32Array.from({ length: e.images.rows }, (_, i) => argmax(logits, i * e.classes, e.classes));
};
