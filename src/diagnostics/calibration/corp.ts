import { addToPool, type Pool, pool } from '../../base/maths/isotonic.ts';

/** The isotonic fit of outcomes to confidences, by counts at ascending confidences; `into` is emptied first. */
export const isotonicOf = (c: Float64Array, hits: Int32Array, sizes: Int32Array, into: Pool = pool()): Pool => {
  into.count = 0;
  for (let g = 0; g < c.length; g++) {
    if (sizes[g] > 0) addToPool(into, c[g], hits[g], sizes[g]);
  }
  return into;
};

/** Σ(a − x)² of the fitted values x: within a block of n outcomes with o hits, o − o²/n. */
export const fittedLoss = ({ count, sum, weight }: Pool): number => {
  let loss = 0;
  for (let k = 0; k < count; k++) loss += sum[k] - (sum[k] * sum[k]) / weight[k];
  return loss;
};

/** The Brier score of a confidence as miscalibration − discrimination + uncertainty (Dimitriadis, Gneiting, Jordan 2021, doi:10.1073/pnas.2016191118). */
export interface CorpTerms {
  readonly mcb: number;
  readonly dsc: number;
  readonly unc: number;
}

export const corpTerms = (score: number, fit: Pool, n: number, hits: number): CorpTerms => {
  const fitted = fittedLoss(fit) / n;
  const unc = (hits / n) * (1 - hits / n);
  return { mcb: Math.max(0, score - fitted), dsc: Math.max(0, unc - fitted), unc };
};

/** The fitted function at ascending `x`: linear between blocks, constant outside. */
export const readPool = ({ count, low, high, sum, weight }: Pool, x: Float64Array): Float64Array => {
  let k = 0;
  return x.map((at) => {
    while (k < count - 1 && at >= low[k + 1]) k++;
    const value = sum[k] / weight[k];
    if (at <= high[k] || k === count - 1) return value;
    const next = sum[k + 1] / weight[k + 1];
    return value + ((at - high[k]) / (low[k + 1] - high[k])) * (next - value);
  });
};
