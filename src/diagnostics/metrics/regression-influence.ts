import { averageRanks, pearson } from '../../base/maths/correlation.ts';
import type { RegressionScore } from './regression-scores.ts';

/** What each row adds to a score to first order, its influence function where the rows are the distribution; up to a factor above 0. */
type Influences = Readonly<Record<RegressionScore, Float64Array>>;

const mean = (x: Float64Array): number => x.reduce((sum, v) => sum + v, 0) / x.length;

/** Σ over j of sign(x[i] − x[j])·of[j]: in the order of x, what stands below less what stands above. */
const signSums = (x: Float64Array, of: Float64Array): Float64Array => {
  const order = Uint32Array.from(x, (_, i) => i).sort((a, b) => x[a] - x[b]);
  const total = of.reduce((sum, v) => sum + v, 0);
  const out = new Float64Array(x.length);
  let below = 0;
  for (let at = 0; at < order.length; ) {
    let to = at;
    let tied = 0;
    while (to < order.length && x[order[to]] === x[order[at]]) tied += of[order[to++]];
    for (; at < to; at++) out[order[at]] = below - (total - below - tied);
    below += tied;
  }
  return out;
};

/** Σ over j of sign(x[i] − x[j])·sign(m[i] − m[j]), of the few rows that a report draws. */
const concordance = (x: Float64Array, m: Float64Array): Float64Array =>
  x.map((a, i) => x.reduce((sum, b, j) => sum + Math.sign(a - b) * Math.sign(m[i] - m[j]), 0));

/** Of predictions x and targets m. Rank correlations as U-statistics (Hoeffding 1948), ties aside. */
const influences = (x: Float64Array, m: Float64Array): Influences => {
  const e = x.map((v, i) => v - m[i]);
  const squares = e.map((v) => v * v);
  const [mse, mx, mm] = [mean(squares), mean(x), mean(m)];
  const [vx, vm] = [mean(x.map((v) => (v - mx) ** 2)), mean(m.map((v) => (v - mm) ** 2))];
  const r = pearson(x, m);
  const [u, v] = [averageRanks(x), averageRanks(m)].map((ranks) => ranks.map((rank) => (2 * rank - 1) / ranks.length - 1));
  const [byTarget, byPrediction] = [signSums(x, v), signSums(m, u)];
  return {
    mae: e.map(Math.abs),
    bias: e,
    rmse: squares,
    r2: squares.map((s, i) => -s + (mse * (m[i] - mm) ** 2) / vm),
    plcc: x.map((w, i) => {
      const [a, b] = [(w - mx) / Math.sqrt(vx), (m[i] - mm) / Math.sqrt(vm)];
      return a * b - (r / 2) * (a * a + b * b);
    }),
    // ρ = 3·E[sign(x₁ − x₂)·sign(m₁ − m₃)]: a row may stand in each of the three places.
    srcc: u.map((w, i) => w * v[i] - (byTarget[i] + byPrediction[i]) / x.length),
    krcc: concordance(x, m),
  };
};

/**
 * How far the scores of two predictions of the same targets rise and fall together from one draw of rows to another: the correlation of
 * the influences. 0 where one of them does not vary.
 */
export const scoreCorrelations = (
  first: Float64Array,
  other: Float64Array,
  targets: Float64Array,
): Readonly<Record<RegressionScore, number>> => {
  const [a, b] = [influences(first, targets), influences(other, targets)];
  const names = Object.keys(a) as RegressionScore[];
  return Object.fromEntries(
    names.map((name) => {
      const r = pearson(a[name], b[name]);
      return [name, Number.isFinite(r) ? r : 0];
    }),
  ) as Record<RegressionScore, number>;
};
