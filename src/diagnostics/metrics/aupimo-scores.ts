import { Fault } from '../../base/fault.ts';

/**
 * The greatest scores of normal pixels, each weighing 1 / (images · pixels of its image), so that the weights of scores ≥ t sum to the
 * shared false-positive rate F(t), the mean over normal images of the share of their pixels at or above t. Only what may be met below twice
 * the upper bound is kept: 2·U·n scores of n pixels.
 */
export interface Tail {
  readonly images: number;
  readonly most: number;
  scores: Float64Array;
  weights: Float64Array;
  size: number;
  /** Scores up to this one have F above `most`. */
  floor: number;
  pruneAt: number;
  min: number;
  max: number;
  pixels: number;
  /** Greatest weight of one pixel: the least F above 0 that can be told. */
  grain: number;
}

export const tailOf = (images: number, upper: number): Tail => ({
  images,
  most: 2 * upper,
  scores: new Float64Array(4096),
  weights: new Float64Array(4096),
  size: 0,
  floor: Number.NEGATIVE_INFINITY,
  pruneAt: 4096,
  min: Number.POSITIVE_INFINITY,
  max: Number.NEGATIVE_INFINITY,
  pixels: 0,
  grain: 0,
});

const prune = (tail: Tail): void => {
  const { scores, weights, size } = tail;
  const order = Uint32Array.from({ length: size }, (_, i) => i).sort((a, b) => scores[b] - scores[a]);
  let [kept, share] = [0, 0];
  while (kept < size && (share <= tail.most || scores[order[kept]] === scores[order[kept - 1]])) share += weights[order[kept++]];
  if (share > tail.most) tail.floor = Math.max(tail.floor, scores[order[kept - 1]]);
  const capacity = Math.max(4096, 2 * kept);
  const [s, w] = [new Float64Array(capacity), new Float64Array(capacity)];
  for (let i = 0; i < kept; i++) [s[i], w[i]] = [scores[order[i]], weights[order[i]]];
  Object.assign(tail, { scores: s, weights: w, size: kept, pruneAt: capacity });
};

/** Adds the map of one normal image. */
export const addNormal = (tail: Tail, map: ArrayLike<number>): void => {
  const weight = 1 / (tail.images * map.length);
  tail.grain = Math.max(tail.grain, weight);
  tail.pixels += map.length;
  for (let i = 0; i < map.length; i++) {
    const s = map[i];
    if (s < tail.min) tail.min = s;
    if (s > tail.max) tail.max = s;
    // What is equal to the floor has been counted as far as it matters.
    if (s <= tail.floor) continue;
    if (tail.size === tail.pruneAt) prune(tail);
    tail.scores[tail.size] = s;
    tail.weights[tail.size++] = weight;
  }
};

/** Distinct scores of normal pixels, highest first, and F of each. */
export interface Levels {
  readonly scores: Float64Array;
  readonly shares: Float64Array;
}

export const levelsOf = (tail: Tail): Levels => {
  prune(tail);
  const [scores, shares]: [number[], number[]] = [[], []];
  let share = 0;
  for (let i = 0; i < tail.size; i++) {
    share += tail.weights[i];
    if (i + 1 < tail.size && tail.scores[i + 1] === tail.scores[i]) continue;
    scores.push(tail.scores[i]);
    shares.push(share);
  }
  return { scores: Float64Array.from(scores), shares: Float64Array.from(shares) };
};

/** Number of ascending values above `t`, or at and above it. */
const countFrom = (sorted: Float64Array, t: number, equal: boolean): number => {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (equal ? sorted[middle] < t : sorted[middle] <= t) low = middle + 1;
    else high = middle;
  }
  return sorted.length - low;
};

/** Recall of the largest set of positives whose F does not exceed `share`; `defect` are the scores of defect pixels, ascending. */
export const recallAt = ({ scores, shares }: Levels, defect: Float64Array, share: number): number => {
  let [low, high] = [0, shares.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (shares[middle] <= share) low = middle + 1;
    else high = middle;
  }
  return low === scores.length ? 1 : countFrom(defect, scores[low], false) / defect.length;
};

/** [1/ln(U/L)] ∫ T(F) d ln F over [L, U], the step function summed exactly. */
export const exactScore = ({ scores, shares }: Levels, defect: Float64Array, lower: number, upper: number): number => {
  let [sum, from] = [0, 0];
  // Logarithms of parts need not sum to that of the whole: a score without a miss is 1 all the same.
  let missed = false;
  for (let k = 0; k <= scores.length && from < upper; k++) {
    const to = k < scores.length ? shares[k] : 1;
    const [a, b] = [Math.max(from, lower), Math.min(to, upper)];
    const recall = k === scores.length ? 1 : countFrom(defect, scores[k], false) / defect.length;
    if (b > a) {
      sum += recall * Math.log(b / a);
      missed ||= recall < 1;
    }
    from = to;
  }
  return missed ? Math.min(1, sum / Math.log(upper / lower)) : 1;
};

/** Thresholds of the authors' implementation that lie between the bounds, lowest first, and F of each. */
export interface Thresholds {
  readonly values: Float64Array;
  readonly shares: Float64Array;
}

/** Fewest thresholds between the bounds that give a number, and that give one to rely on. */
const fewest = 30;
const few = 300;

/** `count` thresholds evenly between the least and the greatest normal score; those nearest to the bounds in F, and what lies between. */
export const thresholdsOf = (
  tail: Tail,
  { scores, shares }: Levels,
  { lower, upper, count }: { readonly lower: number; readonly upper: number; readonly count: number },
): { readonly thresholds: Thresholds; readonly notes: readonly string[] } => {
  const at = (i: number): number => (i === count - 1 ? tail.max : tail.min + ((tail.max - tail.min) * i) / (count - 1));
  const [values, found]: [number[], number[]] = [[], []];
  for (let i = count - 1, k = 0; i >= 0; i--) {
    const t = at(i);
    while (k < scores.length && scores[k] >= t) k++;
    values.push(t);
    found.push(k === 0 ? 0 : shares[k - 1]);
    if (k === scores.length || found[found.length - 1] > tail.most) break;
  }
  // Of several equally near thresholds the lowest, which is the first in ascending order.
  const nearest = (share: number): number => {
    let best = found.length - 1;
    for (let i = found.length - 1; i >= 0; i--) if (Math.abs(found[i] - share) < Math.abs(found[best] - share)) best = i;
    return best;
  };
  const [first, last] = [nearest(lower), nearest(upper)];
  const inside = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => last - i).filter((i) => found[i] > 0);
  if (inside.length <= fewest) throw new Fault('diagnostic/few-thresholds', { found: inside.length, fewest });
  const off = [lower, upper].filter((bound, i) => Math.abs(found[i === 0 ? first : last] - bound) > 0.01 * bound);
  return {
    thresholds: { values: Float64Array.from(inside, (i) => values[i]), shares: Float64Array.from(inside, (i) => found[i]) },
    notes: [
      ...(inside.length < few
        ? [`Only ${inside.length} thresholds lie between the bounds, fewer than the ${few} that the reference asks for.`]
        : []),
      ...off.map((bound) => `The threshold nearest to a shared FPR of ${bound} is more than 1 % off it; the exact mode has no such limit.`),
    ],
  };
};

/** Trapezoids in ln F, divided by the nominal ln(U/L), as the authors do. */
export const referenceScore = ({ values, shares }: Thresholds, defect: Float64Array, lower: number, upper: number): number => {
  let sum = 0;
  let before = countFrom(defect, values[0], true) / defect.length;
  for (let i = 1; i < values.length; i++) {
    const recall = countFrom(defect, values[i], true) / defect.length;
    sum += ((before + recall) / 2) * Math.log(shares[i - 1] / shares[i]);
    before = recall;
  }
  return Math.min(1, Math.max(0, sum / Math.log(upper / lower)));
};

/** Score of a map that does not tell defects from the rest: recall equals F. */
export const chanceLevel = (lower: number, upper: number): number => (upper - lower) / Math.log(upper / lower);
