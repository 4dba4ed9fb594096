import type { ClassMoments } from '../../base/maths/class-moments.ts';
import type { Random } from '../../base/random.ts';

/** What naive Bayes takes for granted, measured on the rows it may be fitted on. */
export interface Assumptions {
  /** |ρ| of pairs of features within classes. */
  readonly correlations: Float64Array;
  /** Of each feature: greatest variance of a class divided by the least; Infinity where a class has none. */
  readonly varianceRatios: Float64Array;
  /** [classes, classes]: root mean square over features of the distance of two means in shared standard deviations. */
  readonly separation: Float64Array;
  /** Features that do not vary within classes, which have no correlation. */
  readonly constant: number;
  /** Features and rows that correlations were taken of. */
  readonly features: number;
  readonly rows: number;
}

/** Most features and rows that correlations are taken of. */
const [FEATURES, ROWS] = [256, 10_000];

const chosen = (of: readonly number[], most: number, random: Random): readonly number[] =>
  of.length <= most
    ? of
    : random
        .shuffle([...of])
        .slice(0, most)
        .sort((a, b) => a - b);

export const assumptionsOf = (
  table: { readonly width: number; readonly features: Float32Array; readonly labels: Int32Array },
  { classes, width, counts, means, squares }: ClassMoments,
  random: Random,
): Assumptions => {
  const total = counts.reduce((a, b) => a + b, 0);
  const within = Float64Array.from({ length: width }, (_, j) => {
    let sum = 0;
    for (let k = 0; k < classes; k++) sum += squares[k * width + j];
    return sum;
  });
  const varying = Array.from(within.keys()).filter((j) => within[j] > 0);
  const features = chosen(varying, FEATURES, random);
  const rows = chosen(Array.from(table.labels.keys()), ROWS, random);
  const d = features.length;
  const products = new Float64Array(d * d);
  const off = new Float64Array(d);
  for (const r of rows) {
    const k = table.labels[r] * width;
    for (let a = 0; a < d; a++) off[a] = table.features[r * width + features[a]] - means[k + features[a]];
    for (let a = 0; a < d; a++) for (let b = 0; b <= a; b++) products[a * d + b] += off[a] * off[b];
  }
  const correlations: number[] = [];
  for (let a = 0; a < d; a++)
    for (let b = 0; b < a; b++) {
      const size = Math.sqrt(products[a * d + a] * products[b * d + b]);
      if (size > 0) correlations.push(Math.min(1, Math.abs(products[a * d + b]) / size));
    }
  const several = Array.from(counts.keys()).filter((k) => counts[k] > 1);
  const varianceRatios = Float64Array.from(varying, (j) => {
    const variances = several.map((k) => squares[k * width + j] / counts[k]);
    return Math.max(...variances) / Math.min(...variances);
  });
  const separation = new Float64Array(classes * classes);
  for (let k = 0; k < classes; k++)
    for (let l = 0; l < k; l++) {
      let sum = 0;
      for (const j of varying) sum += (means[k * width + j] - means[l * width + j]) ** 2 / (within[j] / total);
      separation[k * classes + l] = separation[l * classes + k] = Math.sqrt(sum / Math.max(1, varying.length));
    }
  return {
    correlations: Float64Array.from(correlations),
    varianceRatios,
    separation,
    constant: width - varying.length,
    features: d,
    rows: rows.length,
  };
};
