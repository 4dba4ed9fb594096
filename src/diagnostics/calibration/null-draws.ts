import { binomial } from '../../base/maths/binomial.ts';
import { meanAbsoluteDeviation } from '../../base/maths/poisson-binomial.ts';
import { quantile } from '../../base/maths/quantile.ts';
import type { Random } from '../../base/random.ts';
import { type Bin, massBins, widthBins } from './bins.ts';
import { binnedErrors } from './errors.ts';
import type { Groups } from './pairs.ts';

/** Bins up to this size have their Poisson-binomial worked out exactly; larger ones use the normal of the same variance. */
const EXACT = 2_000;

/** Mean and standard deviation of ECE when every answer is right with exactly its confidence; bins are fixed, hence independent. */
export const noiseFloor = ({ c, hits, misses, n, sums }: Groups, bins: readonly Bin[]): { readonly mean: number; readonly sd: number } => {
  let [mean, variance] = [0, 0];
  for (const bin of bins) {
    const p: number[] = [];
    let spread = 0;
    for (let g = bin.from; g < bin.to; g++) {
      const size = hits[g] + misses[g];
      spread += sums ? sums.f[g] - sums.f2[g] : size * c[g] * (1 - c[g]);
      for (let i = 0; i < size && bin.n <= EXACT; i++) p.push(c[g]);
    }
    const off = bin.n <= EXACT ? meanAbsoluteDeviation(p) : Math.sqrt((2 * spread) / Math.PI);
    mean += off / n;
    variance += Math.max(0, spread - off * off) / (n * n);
  }
  return { mean, sd: Math.sqrt(variance) };
};

/** What `draws` data sets of the same confidences look like under perfect calibration. */
export interface NullDraws {
  /** ECE of each draw, ascending. */
  readonly ece: Float64Array;
  readonly eceMass: Float64Array;
  /** Means over the draws. */
  readonly rmsce: number;
  readonly mce: number;
  readonly averageCe: number;
  readonly ks: number;
  /** Per bin: accuracies of all draws, ascending; empty for an empty bin. */
  readonly widthAccuracy: readonly Float64Array[];
  readonly massAccuracy: readonly Float64Array[];
}

const binOfGroup = (bins: readonly Bin[], groups: number): Int32Array => {
  const of = new Int32Array(groups);
  bins.forEach(({ from, to }, k) => {
    of.fill(k, from, to);
  });
  return of;
};

export const nullDraws = async (
  groups: Groups,
  m: number,
  draws: number,
  random: Random,
  pause: (done: number) => Promise<void>,
  watch: (hits: Int32Array) => void = () => {},
): Promise<NullDraws> => {
  const { c, hits, misses, n } = groups;
  const drawnHits = new Int32Array(c.length);
  const [width, mass] = [widthBins(groups, m), massBins(groups, m)];
  const [inWidth, inMass] = [binOfGroup(width, c.length), binOfGroup(mass, c.length)];
  const [ece, eceMass] = [new Float64Array(draws), new Float64Array(draws)];
  const accuracies = (bins: readonly Bin[]): Float64Array[] => bins.map((b) => new Float64Array(b.n === 0 ? 0 : draws));
  const [widthAccuracy, massAccuracy] = [accuracies(width), accuracies(mass)];
  let [rmsce, mce, averageCe, ks] = [0, 0, 0, 0];
  for (let d = 0; d < draws; d++) {
    if (d % 50 === 0) await pause(d);
    const [o, oMass] = [new Float64Array(width.length), new Float64Array(mass.length)];
    let [sum, most] = [0, 0];
    for (let g = 0; g < c.length; g++) {
      const size = hits[g] + misses[g];
      const s = binomial(size, c[g], random);
      drawnHits[g] = s;
      o[inWidth[g]] += s;
      oMass[inMass[g]] += s;
      sum += size * c[g] - s;
      if (sum > most) most = sum;
      else if (-sum > most) most = -sum;
    }
    watch(drawnHits);
    const drawn = binnedErrors(
      width.map((b, k) => ({ n: b.n, f: b.f, o: o[k] })),
      n,
    );
    ece[d] = drawn.ece;
    eceMass[d] = mass.reduce((total, b, k) => total + Math.abs(b.f - oMass[k]), 0) / n;
    rmsce += drawn.rmsce / draws;
    mce += drawn.mce / draws;
    averageCe += drawn.averageCe / draws;
    ks += most / n / draws;
    width.forEach((b, k) => {
      if (b.n > 0) widthAccuracy[k][d] = o[k] / b.n;
    });
    mass.forEach((b, k) => {
      massAccuracy[k][d] = oMass[k] / b.n;
    });
  }
  for (const list of [ece, eceMass, ...widthAccuracy, ...massAccuracy]) list.sort();
  return { ece, eceMass, rmsce, mce, averageCe, ks, widthAccuracy, massAccuracy };
};

/** (1 + #{draws ≥ observed − 1e-12}) / (draws + 1). */
export const pValueOf = (sorted: Float64Array, observed: number): number => {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const mid = (low + high) >> 1;
    if (sorted[mid] >= observed - 1e-12) high = mid;
    else low = mid + 1;
  }
  return (1 + sorted.length - low) / (sorted.length + 1);
};

/** The band a calibrated model stays in with probability `level`, bin by bin. */
export const consistencyBand = (accuracies: readonly Float64Array[], level: number): (readonly [number, number] | null)[] =>
  accuracies.map((a) => (a.length === 0 ? null : [quantile(a, (1 - level) / 2), quantile(a, (1 + level) / 2)]));
