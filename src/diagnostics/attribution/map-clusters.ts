import { type Clusters, kMeans } from '../../base/maths/k-means.ts';
import { twoComponents } from '../../base/maths/principal-components.ts';
import type { Random } from '../../base/random.ts';
import { mapOf, shrink } from './overlay.ts';
import type { Saliency } from './saliency-result.ts';

/** Attribution maps that lie alike: strategies of the model, among them shortcuts (Lapuschkin et al. 2019, SpRAy, with k-means in place of spectral clustering). */
export interface MapClusters {
  readonly clusters: Clusters;
  readonly count: number;
  /** [rows, 2]: the maps on their first two principal components. */
  readonly plane: Float64Array;
  /** Row nearest to each cluster's centre. */
  readonly typical: readonly number[];
}

/** Side of the maps that are compared. */
const SIDE = 16;

/** |a| of each row as a distribution over (shrunk) places: its size does not matter. */
const profiles = (s: Saliency): { readonly rows: Float64Array; readonly d: number } => {
  const n = s.rows.length;
  const each = s.rows.map((_, b) => {
    const d = s.found.values.length / n;
    const own = s.found.values.subarray(b * d, (b + 1) * d).map(Math.abs);
    if (s.tokens) return s.tokens.scores.subarray((b * s.tokens.scores.length) / n, ((b + 1) * s.tokens.scores.length) / n).map(Math.abs);
    if (!s.pictures || s.found.grid?.kind === 'units') return own;
    const map = mapOf({ ...s.found, values: s.found.values.map(Math.abs) }, b, n, s.pictures.axes);
    return shrink(map.values, map, SIDE).values;
  });
  const d = each[0].length;
  const rows = new Float64Array(n * d);
  each.forEach((profile, b) => {
    const total = profile.reduce((sum, v) => sum + v, 0);
    if (total > 0)
      rows.set(
        profile.map((v) => v / total),
        b * d,
      );
  });
  return { rows, d };
};

/** Most clusters that are tried. */
const MOST = 6;

/** `count` clusters, or as many (2 to 6) as have the best silhouette; undefined for too few rows. */
export const clusterMaps = (s: Saliency, count: number, random: Random): MapClusters | undefined => {
  const n = s.rows.length;
  if (n < 8 || n <= count) return undefined;
  const { rows, d } = profiles(s);
  const sizes = count > 0 ? [count] : Array.from({ length: MOST - 1 }, (_, i) => i + 2);
  const tried = sizes.map((k) => ({ k, clusters: kMeans(rows, d, k, random) }));
  const best = tried.reduce((a, b) => ((b.clusters.silhouette || -1) > (a.clusters.silhouette || -1) ? b : a));
  const typical = Array.from({ length: best.k }, (_, c) => {
    let [at, least] = [-1, Number.POSITIVE_INFINITY];
    for (let b = 0; b < n; b++) {
      if (best.clusters.of[b] !== c) continue;
      let sum = 0;
      for (let k = 0; k < d; k++) sum += (rows[b * d + k] - best.clusters.centres[c * d + k]) ** 2;
      if (sum < least) [at, least] = [b, sum];
    }
    return at;
  });
  return { clusters: best.clusters, count: best.k, plane: twoComponents(rows, d), typical };
};
