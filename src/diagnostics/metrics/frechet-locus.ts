import { gameValue } from '../../base/maths/matrix-game.ts';
import type { Random } from '../../base/random.ts';
import type { LabelMetric } from './label-metric.ts';

/** Labels that some weights on the observed ones make an answer, ties counted. */
export interface Locus {
  readonly reachable: Uint8Array;
  /** `sampled` is a lower bound: what was met in draws. */
  readonly how: 'tree' | 'programme' | 'sampled';
}

/** Above so many labels the linear programmes are not solved. */
const PROGRAMMES = 500;
const DRAWS = 100_000;
/** Labels times observed ones that draws may cost. */
const EFFORT = 2e9;
const GRID = 20;
const TOLERANCE = 1e-9;

/** d(v, k)^power of every observed label k, [observed, labels]. */
export const costsOf = (metric: LabelMetric, observed: ArrayLike<number>, power: number): Float64Array => {
  const out = new Float64Array(observed.length * metric.size);
  for (let k = 0; k < observed.length; k++)
    out.set(
      metric.from(observed[k]).map((d) => (power === 1 ? d : d * d)),
      k * metric.size,
    );
  return out;
};

/** Expected cost of every label under weights on the observed ones. */
export const expectedCosts = (costs: Float64Array, labels: number, weights: ArrayLike<number>, out: Float64Array): Float64Array => {
  out.fill(0);
  for (let k = 0; k < weights.length; k++) {
    const w = weights[k];
    if (w !== 0) for (let v = 0; v < labels; v++) out[v] += w * costs[k * labels + v];
  }
  return out;
};

/** The union of the paths between observed labels: a label hangs in it where observed ones lie on two of its sides, or it is one. */
const spanned = ({ edges = [], size }: LabelMetric, observed: readonly number[]): Uint8Array => {
  const seen = new Uint8Array(size);
  for (const k of observed) seen[k] = 1;
  const degree = Int32Array.from(edges, (out) => out.length);
  const gone = new Uint8Array(size);
  const leaves = Array.from(degree, (_, v) => v).filter((v) => degree[v] <= 1 && !seen[v]);
  for (let v = leaves.pop(); v !== undefined; v = leaves.pop()) {
    gone[v] = 1;
    for (const { to } of edges[v]) if (!gone[to] && --degree[to] <= 1 && !seen[to]) leaves.push(to);
  }
  return gone.map((g) => 1 - g);
};

/** Marks every label of least expected cost. */
const mark = (expected: Float64Array, reachable: Uint8Array, scale: number): void => {
  const least = expected.reduce((m, v) => Math.min(m, v), Number.POSITIVE_INFINITY);
  for (let v = 0; v < expected.length; v++) if (expected[v] <= least + TOLERANCE * scale) reachable[v] = 1;
};

/** Whether some weights make v an answer: rows of the programme are added only where they are broken. */
const answers = (v: number, costs: Float64Array, labels: number, classes: number, scale: number, expected: Float64Array): boolean => {
  const rows: Float64Array[] = [];
  const held = new Set<number>([v]);
  let weights = new Float64Array(classes).fill(1 / classes);
  for (;;) {
    expectedCosts(costs, labels, weights, expected);
    let worst = v;
    for (let u = 0; u < labels; u++) if (expected[u] < expected[worst]) worst = u;
    if (expected[v] <= expected[worst] + TOLERANCE * scale) return true;
    if (held.has(worst)) return false;
    held.add(worst);
    rows.push(Float64Array.from({ length: classes }, (_, k) => costs[k * labels + v] - costs[k * labels + worst]));
    const game = gameValue(rows, classes);
    if (game.value > TOLERANCE * scale) return false;
    weights = Float64Array.from(game.weights);
  }
};

/**
 * Exactly: on a tree with squared distances the reachable labels are those on paths between observed ones; else a linear programme each,
 * min over w of max over u of Σ_k w_k(d(v,k)² − d(u,k)²) ≤ 0. Of many labels only what draws of Dirichlet(½) and points between any two
 * observed labels meet.
 */
export const locusOf = (metric: LabelMetric, observed: readonly number[], power: number, random: Random): Locus => {
  const labels = metric.size;
  const classes = observed.length;
  if (metric.kind === 'order' && power === 2) {
    const [first, last] = [Math.min(...observed), Math.max(...observed)];
    return { reachable: Uint8Array.from({ length: labels }, (_, v) => Number(v >= first && v <= last)), how: 'tree' };
  }
  if (metric.kind === 'tree' && power === 2) return { reachable: spanned(metric, observed), how: 'tree' };
  const costs = costsOf(metric, observed, power);
  const scale = costs.reduce((m, v) => Math.max(m, v), 0) || 1;
  const reachable = new Uint8Array(labels);
  const expected = new Float64Array(labels);
  const weights = new Float64Array(classes);
  const exact = labels <= PROGRAMMES;
  const pairs = (classes * (classes - 1)) / 2;
  const budget = Math.max(1000, EFFORT / labels);
  if (exact || pairs * (GRID + 1) <= budget)
    for (let a = 0; a < classes; a++)
      for (let b = 0; b < (exact ? Math.min(a, Math.ceil(budget / classes / GRID)) : a); b++)
        for (let g = 0; g <= GRID; g++) {
          weights.fill(0);
          weights[a] = g / GRID;
          weights[b] = 1 - g / GRID;
          mark(expectedCosts(costs, labels, weights, expected), reachable, scale);
        }
  for (let k = 0; k < classes; k++) {
    weights.fill(0);
    weights[k] = 1;
    mark(expectedCosts(costs, labels, weights, expected), reachable, scale);
  }
  if (exact) {
    for (let v = 0; v < labels; v++) if (!reachable[v] && answers(v, costs, labels, classes, scale, expected)) reachable[v] = 1;
    return { reachable, how: 'programme' };
  }
  for (let d = 0; d < Math.min(DRAWS, budget / classes); d++) {
    // Gamma(½) is half a squared normal; the scale falls away.
    let sum = 0;
    for (let k = 0; k < classes; k++) {
      weights[k] = random.normal() ** 2;
      sum += weights[k];
    }
    for (let k = 0; k < classes; k++) weights[k] /= sum;
    mark(expectedCosts(costs, labels, weights, expected), reachable, scale);
  }
  return { reachable, how: 'sampled' };
};

export interface Suggestion {
  readonly label: number;
  /** Distance to the nearest label that could be predicted before. */
  readonly distance: number;
  /** Labels that can be predicted once it is observed, too. */
  readonly reachable: number;
}

/** The label outside the locus that is farthest from it, observed as well, and again; ties to the first. */
export const suggestions = (
  metric: LabelMetric,
  observed: readonly number[],
  power: number,
  count: number,
  random: Random,
  start: Locus,
): Suggestion[] => {
  const known = [...observed];
  const found: Suggestion[] = [];
  let locus = start;
  while (found.length < count) {
    const distances = new Float64Array(metric.size).fill(Number.POSITIVE_INFINITY);
    for (let u = 0; u < metric.size; u++) {
      if (!locus.reachable[u]) continue;
      const from = metric.from(u);
      for (let v = 0; v < metric.size; v++) distances[v] = Math.min(distances[v], from[v]);
    }
    let far = -1;
    for (let v = 0; v < metric.size; v++) if (!locus.reachable[v] && (far < 0 || distances[v] > distances[far])) far = v;
    if (far < 0) break;
    known.push(far);
    locus = locusOf(metric, known, power, random);
    found.push({ label: far, distance: distances[far], reachable: locus.reachable.reduce((n, r) => n + r, 0) });
  }
  return found;
};
