import { Fault } from '../../base/fault.ts';
import { flag, real } from '../../base/option.ts';
import { defineSampler, type Kept, type Sampler } from '../define-run.ts';

/** Rows of which two numbers each are kept. */
const LIMIT = 1e8;

/** τ·s/Σs + (1 − τ)/n; even where all scores are 0. */
export const mixedWithEven = (scores: ArrayLike<number>, tau: number): Float64Array => {
  const from = Float64Array.from(scores);
  const sum = from.reduce((a, b) => a + b, 0);
  const even = 1 / from.length;
  return from.map((s) => (sum > 0 ? (tau * s) / sum + (1 - tau) * even : even));
};

/** The places that `count` draws with replacement fall on, the probabilities laid end to end. */
const drawn = (probabilities: Float64Array, count: number, next: () => number): Float64Array => {
  const ends = new Float64Array(probabilities.length);
  let sum = 0;
  for (const [i, p] of probabilities.entries()) {
    sum += p;
    ends[i] = sum;
  }
  return Float64Array.from({ length: count }, () => {
    const u = next() * sum;
    let [low, high] = [0, ends.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ends[middle] > u) high = middle;
      else low = middle + 1;
    }
    return low;
  });
};

/** Of the rows that were trained on in the epoch before; 0 for all others. */
const chances = (kept: Readonly<Kept>, epoch: number, epochs: number, tauMax: number): Float64Array => {
  const past = epoch - 1;
  const scores = kept.score.map((s, i) => (kept.seen[i] === past ? s : 0));
  return mixedWithEven(scores, (tauMax * past) / epochs);
};

/**
 * The first epoch takes every row once. `score` is the running value of the epoch that `seen` numbers: (old + new)/2 where a row was
 * drawn again in it. The reference computes τ of the epoch before from its number, as here.
 */
export const importance: Sampler = defineSampler({
  id: 'importance',
  source: 'Lu et al. 2023, CVPR, arXiv:2302.14772 (PA&DA, data sampling); card 29-pada-sampling',
  about:
    'Rows are drawn in proportion to the length of their gradient at the logits, more so as training goes on: the estimate of the gradient varies less. Without reweighting it leans towards hard rows, wrong labels among them. On small spaces the gain of the paper did not show.',
  formula: [
    'q_i = ‖softmax(z_i) − onehot(y_i)‖₂ (|residual| without classes), read off the training pass',
    's_i = q_i at its first draw of an epoch, then (s_i + q_i)/2; 0 where it was not drawn',
    'τ = tauMax · e/E after epoch e = 0 … E − 1',
    'p_i = τ · s_i/Σs + (1 − τ)/N; the next epoch is N draws with replacement',
    'with reweight, the loss of a row is multiplied by 1/(N p_i)',
  ],
  options: {
    tauMax: real({ default: 1, min: 0, max: 1, help: 'Share of the draws that follow the scores at the end of training.' }),
    reweight: flag({ default: false, help: 'Divides the loss of each row by how much more often it is drawn, which removes the bias.' }),
  },
  baseline: 'shuffle',
  reads: ['score'],
  weighs: ({ reweight }) => reweight,
  start({ count }) {
    if (count > LIMIT) throw new Fault('training/sampler-rows', { sampler: 'importance', rows: count, limit: LIMIT });
    return { score: new Float64Array(count), seen: new Float64Array(count).fill(-1) };
  },
  chances: (kept, { epoch, epochs }, { tauMax }) => chances(kept, epoch, epochs, tauMax),
  epoch({ count }, { epoch, epochs }, kept, random, { tauMax, reweight }) {
    if (epoch === 0) return { places: random.shuffle(Float64Array.from({ length: count }, (_, i) => i)) };
    const p = chances(kept, epoch, epochs, tauMax);
    const places = drawn(p, count, () => random.next());
    return { places, ...(reweight ? { weights: places.map((i) => 1 / (count * p[i])) } : {}) };
  },
  tell({ score, seen }, places, { score: told = [] }, _, __, { epoch }) {
    for (let i = 0; i < places.length; i++) {
      // A step that was left out for not being finite says nothing.
      if (!Number.isFinite(told[i])) continue;
      const at = places[i];
      score[at] = seen[at] === epoch ? (score[at] + told[i]) / 2 : told[i];
      seen[at] = epoch;
    }
  },
});
