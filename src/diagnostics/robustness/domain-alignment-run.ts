import { Fault } from '../../base/fault.ts';
import { breathe, type Job } from '../../base/job.ts';
import { isLargest } from '../../base/maths/argmax.ts';
import {
  type HeadBatch,
  headDiagonal,
  headGradient,
  headGradientNoise,
  headProduct,
  spectralNorm,
} from '../../base/maths/head-curvature.ts';
import type { Tools } from '../../evidence/evidence.ts';

export interface AlignmentAsk {
  readonly group: string;
  readonly layer: string;
  readonly iterations: number;
  readonly tolerance: number;
  readonly confidenceLevel: number;
}
const MOST_DOMAINS = 50;
const SHOWN = 24;

export interface DomainFacts {
  readonly name: string;
  readonly rows: number;
  readonly first: readonly number[];
  readonly loss: number;
  readonly right: number;
  /** Squared distances from the mean over domains: of gradients, of Hessian-gradient products (H̄ ḡ), of diagonals. */
  readonly gradient: number;
  readonly noise: number;
  readonly product: number;
  readonly diagonal: number;
  /** ‖H_e − H̄‖₂, H̄ the mean over domains. */
  readonly spectral: number;
}
export interface Aligned {
  readonly layer: string;
  /** What the last layer reads, where another value was chosen. */
  readonly own?: string;
  readonly domains: readonly DomainFacts[];
  /** ‖H_e − H_f‖₂, squared distances of gradients, products and diagonals, [E, E]. */
  readonly pairs: Readonly<Record<'spectral' | 'gradient' | 'product' | 'diagonal', Float64Array>>;
  readonly norm: number;
  readonly unsettled: number;
  /** Classes that one domain alone has. */
  readonly lone: readonly number[];
}

const squared = (a: Float64Array, b: Float64Array): number => a.reduce((s, v, i) => s + (v - b[i]) ** 2, 0);
const meanOf = (all: readonly Float64Array[]): Float64Array => all[0].map((_, i) => all.reduce((s, v) => s + v[i], 0) / all.length);

/** Gradients, products and diagonals of every domain and of their mean. */
export const headDistances = (
  batches: readonly HeadBatch[],
): Record<'gradients' | 'diagonals' | 'products', readonly Float64Array[]> & {
  readonly mean: Readonly<Record<'gradient' | 'diagonal' | 'product', Float64Array>>;
} => {
  const gradients = batches.map(headGradient);
  const diagonals = batches.map(headDiagonal);
  const products = batches.map((b, e) => headProduct(b, gradients[e]));
  const gradient = meanOf(gradients);
  const mean = { gradient, diagonal: meanOf(diagonals), product: meanOf(batches.map((b) => headProduct(b, gradient))) };
  return { gradients, diagonals, products, mean };
};

const softmaxInto = (logits: ArrayLike<number>, at: number, classes: number, to: Float64Array, place: number): number => {
  let most = -Infinity;
  for (let c = 0; c < classes; c++) most = Math.max(most, logits[at + c]);
  let sum = 0;
  for (let c = 0; c < classes; c++) sum += Math.exp(logits[at + c] - most);
  for (let c = 0; c < classes; c++) to[place + c] = Math.exp(logits[at + c] - most) / sum;
  return most + Math.log(sum);
};

export const alignmentRun = async (
  { scores, features, columns }: Pick<Tools, 'scores' | 'features' | 'columns'>,
  { group, layer, iterations, tolerance }: AlignmentAsk,
  job: Job,
): Promise<Aligned> => {
  const words = await columns.words(group, job.signal);
  const table = scores.shown;
  const found = await features.read({ layer });
  const own = layer === '' ? found.layer : features.last;
  const at = new Map(Array.from(found.rows, (row, i) => [row, i]));
  const placesOf = new Map<string, number[]>();
  table.rows.forEach((row, i) => {
    const own = placesOf.get(words[row]);
    if (own) own.push(i);
    else placesOf.set(words[row], [i]);
  });
  const names = [...placesOf.keys()].toSorted();
  if (names.length < 2 || names.length > MOST_DOMAINS)
    throw new Fault('diagnostic/domain-count', { column: group, domains: names.length, most: MOST_DOMAINS });
  const { classes, logits, labels } = table;
  /** A binary score s is given as (0, s). */
  const single = classes === 2 && table.rows.every((_, i) => logits[2 * i] === 0);
  const outputs = single ? 1 : classes;
  const width = found.width + 1;
  const facts = names.map((name) => {
    const places = placesOf.get(name) ?? [];
    const inputs = new Float64Array(places.length * width).fill(1);
    const probs = new Float64Array(places.length * outputs);
    const marks = new Float64Array(places.length * outputs);
    const all = new Float64Array(classes);
    let [loss, right] = [0, 0];
    places.forEach((p, i) => {
      const from = (at.get(table.rows[p]) ?? 0) * found.width;
      for (let d = 0; d < found.width; d++) inputs[i * width + d] = found.features[from + d];
      const total = softmaxInto(logits, p * classes, classes, all, 0);
      loss += (total - logits[p * classes + labels[p]]) / places.length;
      if (isLargest(all, 0, classes, labels[p])) right++;
      for (let c = 0; c < outputs; c++) {
        probs[i * outputs + c] = single ? all[1] : all[c];
        marks[i * outputs + c] = single ? labels[p] : Number(labels[p] === c);
      }
    });
    const batch: HeadBatch = { count: places.length, width, outputs, inputs, probs, marks, single };
    return { batch, name, places, loss, right };
  });
  const batches = facts.map((f) => f.batch);
  const { gradients, diagonals, products, mean } = headDistances(batches);
  const E = names.length;
  const start = (): Float64Array => {
    const random = job.random('spectral');
    return Float64Array.from({ length: outputs * width }, () => random.normal());
  };
  const pairs = {
    spectral: new Float64Array(E * E),
    gradient: new Float64Array(E * E),
    product: new Float64Array(E * E),
    diagonal: new Float64Array(E * E),
  };
  let unsettled = 0;
  const normOf = (times: (v: Float64Array) => Float64Array): number => {
    const { value, settled } = spectralNorm(times, start(), iterations, tolerance);
    if (!settled) unsettled++;
    return value;
  };
  for (let e = 0; e < E; e++)
    for (let f = 0; f < e; f++) {
      const difference = (v: Float64Array): Float64Array => {
        const other = headProduct(batches[f], v);
        return headProduct(batches[e], v).map((x, i) => x - other[i]);
      };
      const both = {
        spectral: normOf(difference),
        gradient: squared(gradients[e], gradients[f]),
        product: squared(products[e], products[f]),
        diagonal: squared(diagonals[e], diagonals[f]),
      };
      for (const key of ['spectral', 'gradient', 'product', 'diagonal'] as const) {
        pairs[key][e * E + f] = both[key];
        pairs[key][f * E + e] = both[key];
      }
      job.progress((e * (e - 1) + 2 * f) / (E * (E - 1)), `comparing domains '${names[f]}' and '${names[e]}'`);
      await breathe(job);
    }
  const average = (v: Float64Array): Float64Array => meanOf(batches.map((b) => headProduct(b, v)));
  const fromMean: number[] = [];
  for (const b of batches) {
    await breathe(job);
    fromMean.push(
      normOf((v) => {
        const pooled = average(v);
        return headProduct(b, v).map((x, i) => x - pooled[i]);
      }),
    );
  }
  const domainsOf = new Map<number, Set<number>>();
  facts.forEach(({ places }, e) => {
    for (const p of places) domainsOf.set(labels[p], (domainsOf.get(labels[p]) ?? new Set()).add(e));
  });
  return {
    layer: found.layer,
    ...(own !== undefined && own !== found.layer ? { own } : {}),
    domains: facts.map(({ batch, name, places, loss, right }, e) => ({
      name,
      rows: places.length,
      first: places.slice(0, SHOWN).map((p) => table.rows[p]),
      loss,
      right,
      gradient: squared(gradients[e], mean.gradient),
      noise: headGradientNoise(batch, gradients[e]),
      product: squared(products[e], mean.product),
      diagonal: squared(diagonals[e], mean.diagonal),
      spectral: fromMean[e],
    })),
    pairs,
    norm: normOf(average),
    unsettled,
    lone: [...domainsOf].flatMap(([c, of]) => (of.size === 1 ? [c] : [])).toSorted((a, b) => a - b),
  };
};
