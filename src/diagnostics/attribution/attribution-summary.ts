import { Fault } from '../../base/fault.ts';
import { spearman } from '../../base/maths/correlation.ts';
import { quantile } from '../../base/maths/quantile.ts';
import { int } from '../../base/option.ts';
import { sizeOf } from '../../base/tensor.ts';
import type { Interval } from '../../report/report.ts';
import { type Diagnostic, defineStudy } from '../define.ts';
import { attributeRows, mapOptions, targetOptions } from './attributed-rows.ts';
import { clusterMaps, type MapClusters } from './map-clusters.ts';
import { attributionOptions } from './options.ts';
import type { Saliency } from './saliency-result.ts';
import { evenly } from './samples.ts';
import { summaryCards } from './summary-cards.ts';
import { summaryGuide } from './summary-guide.ts';

/** One feature over all rows. */
export interface Feature {
  readonly input: number;
  /** Mean |a| with its bootstrap interval, and mean a. */
  readonly size: number;
  readonly interval?: Interval;
  readonly mean: number;
  /** Spearman's correlation of the feature's value with its attribution. */
  readonly trend: number;
}
export interface Summary {
  readonly rows: Saliency;
  readonly x: Float32Array;
  /** Features by falling mean |a|: of tables only. */
  readonly features: readonly Feature[];
  readonly clusters?: MapClusters;
}

/** Numbers kept at once: rows × inputs. */
const MOST = 20_000_000;
/** Features listed, and resamples behind their intervals. */
const LISTED = 40;
const DRAWS = 1000;

/** Attribution over many rows: which features, regions or words answers rest on, and whether maps fall into kinds. */
export const attributionSummary: Diagnostic = defineStudy({
  id: 'attribution-summary',
  title: 'Attribution summary',
  family: 'attribution',
  question: 'What do the answers rest on over the whole dataset, and are some of them shortcuts?',
  source: 'arXiv:1703.01365; arXiv:1902.10178; card 00-attribution-common',
  uses: ['gradient', 'samples'],
  options: {
    ...attributionOptions,
    ...targetOptions,
    ...mapOptions,
    rows: int({ default: 256, min: 2, max: 100_000, help: 'Rows attributed, evenly spaced over the split.' }),
    clusters: int({ default: 0, min: 0, max: 20, help: 'Kinds of map told apart; 0 chooses 2 to 6 by silhouette, 1 looks for none.' }),
  },
  async study(tools, chosen, job, subject): Promise<Summary> {
    const d = sizeOf(tools.gradient.inputDims);
    const count = Math.min(chosen.rows, tools.samples.count, Math.max(2, Math.floor(MOST / d)));
    if (count < Math.min(chosen.rows, tools.samples.count)) job.note(`Rows of ${d} inputs are large: ${count} of them were attributed.`);
    if (count === 1) throw new Fault('diagnostic/few-rows', { rows: count, least: 2, data: subject.dataName });
    const { rows, x } = await attributeRows(tools, evenly(count, tools.samples.count), chosen, subject, job, 64);
    const table = !rows.pictures && !rows.tokens && rows.found.grid?.kind !== 'map';
    const shown = rows.features?.x ?? x;
    const features = table ? featuresOf(rows, rows.found.grid?.kind === 'units' ? undefined : shown, job.random('bootstrap')) : [];
    const clusters = chosen.clusters === 1 ? undefined : clusterMaps(rows, chosen.clusters, job.random('clusters'));
    return { rows, x: shown, features, ...(clusters ? { clusters } : {}) };
  },
  report(s, chosen, subject) {
    const { found } = s.rows;
    const first = s.features.at(0);
    const { completeness } = found;
    return {
      headline: {
        rows: s.rows.rows.length,
        ...(first ? { top_feature_mean_abs: first.size } : {}),
        ...(s.clusters ? { clusters: s.clusters.count, silhouette: s.clusters.clusters.silhouette } : {}),
        ...(completeness ? { completeness_gap_relative_median: quantile(completeness.relative.slice().sort(), 0.5) } : {}),
      },
      ...(first?.interval ? { intervals: { top_feature_mean_abs: first.interval } } : {}),
      cards: summaryCards(s, chosen, subject),
      guide: summaryGuide(s, subject),
    };
  },
});

/** Features by falling mean |a|; intervals by a percentile bootstrap over rows, of those listed. */
const featuresOf = (s: Saliency, x: Float32Array | undefined, random: { below(n: number): number }): readonly Feature[] => {
  const n = s.rows.length;
  const d = s.found.values.length / n;
  const column = (values: ArrayLike<number>, k: number): Float64Array => Float64Array.from({ length: n }, (_, b) => values[b * d + k]);
  const all = Array.from({ length: d }, (_, input) => {
    const a = column(s.found.values, input);
    return {
      input,
      size: a.reduce((sum, v) => sum + Math.abs(v) / n, 0),
      mean: a.reduce((sum, v) => sum + v / n, 0),
      trend: x && !s.features?.levels.has(input) ? spearman(column(x, input), a) : Number.NaN,
    };
  }).sort((a, b) => b.size - a.size || a.input - b.input);
  const listed = all.slice(0, LISTED);
  const draws = listed.map(() => new Float64Array(DRAWS));
  for (let t = 0; t < DRAWS; t++)
    for (let i = 0; i < n; i++) {
      const b = random.below(n);
      listed.forEach((f, j) => {
        draws[j][t] += Math.abs(s.found.values[b * d + f.input]) / n;
      });
    }
  return all.map((f, j) => {
    if (j >= listed.length) return f;
    const sorted = draws[j].sort();
    return { ...f, interval: { low: quantile(sorted, 0.025), high: quantile(sorted, 0.975), level: 0.95, method: 'bootstrap over rows' } };
  });
};
