import { Fault } from '../../base/fault.ts';
import type { Job } from '../../base/job.ts';
import { normalQuantile } from '../../base/maths/normal.ts';
import { int, pick, real } from '../../base/option.ts';
import type { FeatureStream, FeaturesTool } from '../../evidence/features.ts';
import type { Card, Interval } from '../../report/report.ts';
import { type Diagnostic, defineStudy } from '../define.ts';
import { headlineLines } from '../headline-line.ts';
import { number, percent } from '../wording.ts';

/** Rounds of routing that a built capsule network may have. */
const ROUNDS = 20;
/** How far a capsule's couplings may be from a sum of 1. */
const NEAR = 1e-3;

interface Couplings {
  readonly layer: string;
  readonly capsules: number;
  readonly classes: readonly string[];
  readonly rows: number;
  /** Mean over rows, [capsules, classes], and that of the rows shown. */
  readonly mean: Float64Array;
  readonly shown: readonly { readonly row: number; readonly label: number; readonly values: Float64Array }[];
  /** Per row: mean entropy over capsules as a share of ln C, and the mean coupling to the row's own class (NaN without labels). */
  readonly entropy: readonly number[];
  readonly own: readonly number[];
}

/** The couplings of the last round, as they are called in the networks that Assay builds. */
const streamOf = async (features: FeaturesTool, layer: string): Promise<FeatureStream> => {
  if (layer !== '') return features.open({ layer, pooling: 'flatten' });
  for (let round = ROUNDS; round > 1; round--) {
    try {
      return await features.open({ layer: `routing.${round}.couplings`, pooling: 'flatten' });
    } catch (error) {
      if (!Fault.is(error, 'id/unknown')) throw error;
    }
  }
  throw new Fault('diagnostic/no-couplings', {});
};

const couplingsOf = async (
  features: FeaturesTool,
  { layer, rows }: { readonly layer: string; readonly rows: number },
  classes: readonly string[],
  job: Job,
): Promise<Couplings> => {
  const stream = await streamOf(features, layer);
  const C = classes.length;
  if (C < 2 || stream.width % C !== 0) throw new Fault('diagnostic/couplings', { layer: stream.layer, width: stream.width, classes: C });
  const capsules = stream.width / C;
  const mean = new Float64Array(stream.width);
  const shown: { row: number; label: number; values: Float64Array }[] = [];
  const [entropy, own]: [number[], number[]] = [[], []];
  for await (const batch of stream.batches(job.signal)) {
    batch.rows.forEach((row, i) => {
      const values = Float64Array.from(batch.features.subarray(i * stream.width, (i + 1) * stream.width));
      const label = batch.labels?.[i] ?? Number.NaN;
      let [sum, mine] = [0, 0];
      for (let k = 0; k < capsules; k++) {
        let total = 0;
        for (let c = 0; c < C; c++) {
          const v = values[k * C + c];
          total += v;
          if (v > 0) sum -= (v * Math.log(v)) / Math.log(C);
          if (c === label) mine += v;
        }
        if (Math.abs(total - 1) > NEAR) throw new Fault('diagnostic/couplings', { layer: stream.layer, width: stream.width, classes: C });
      }
      entropy.push(sum / capsules);
      own.push(label >= 0 && label < C ? mine / capsules : Number.NaN);
      for (let k = 0; k < values.length; k++) mean[k] += values[k];
      if (shown.length < rows) shown.push({ row, label, values });
    });
    job.progress(entropy.length / stream.count, `${entropy.length} of ${stream.count} rows`);
  }
  return { layer: stream.layer, capsules, classes, rows: entropy.length, mean: mean.map((v) => v / entropy.length), shown, entropy, own };
};

/** Mean over rows, with its normal interval. */
const meanOf = (values: readonly number[], level: number): { readonly mean: number; readonly interval?: Interval } => {
  const n = values.length;
  const mean = values.reduce((a, b) => a + b, 0) / n;
  if (n < 2) return { mean };
  const error = Math.sqrt(values.reduce((s, v) => s + (v - mean) ** 2, 0) / (n - 1) / n);
  const half = normalQuantile((1 + level) / 2) * error;
  return { mean, interval: { low: Math.max(0, mean - half), high: Math.min(1, mean + half), level, method: 'normal, over rows' } };
};

const numbersOf = (r: Couplings, level: number): { headline: Record<string, number>; intervals: Record<string, Interval> } => {
  const [entropy, own] = [meanOf(r.entropy, level), meanOf(r.own.filter(Number.isFinite), level)];
  return {
    headline: { rows: r.rows, capsules: r.capsules, entropy: entropy.mean, own_class: own.mean },
    intervals: { ...(entropy.interval ? { entropy: entropy.interval } : {}), ...(own.interval ? { own_class: own.interval } : {}) },
  };
};

const cardsOf = (r: Couplings, { headline, intervals }: ReturnType<typeof numbersOf>): Card[] => {
  const line = headlineLines(headline, intervals);
  const title = ({ row, label }: Couplings['shown'][number]): string =>
    `row ${row}${Number.isFinite(label) ? ` (${r.classes[label] ?? label})` : ''}`;
  return [
    {
      kind: 'number',
      title: 'Routing',
      caption: `Couplings of the last round, '${r.layer}', of ${r.rows} rows.`,
      values: [
        line('capsules', 'Capsules that vote', 'count'),
        line('entropy', 'Entropy of their couplings, 1 where all classes are alike', 'fraction'),
        line('own_class', "Mean coupling to the row's own class", 'fraction', `${number(1 / r.classes.length)} where all are alike`),
      ],
    },
    {
      kind: 'heatmap',
      title: 'Couplings',
      caption: 'How much of the vote of each capsule goes to each class: the mean over all rows, then single rows. Every line sums to 1.',
      rows: { label: 'Capsule', names: Array.from({ length: r.capsules }, (_, i) => String(i)) },
      columns: { label: 'Class', names: r.classes },
      layers: [{ name: 'mean', values: r.mean }, ...r.shown.map((s) => ({ name: title(s), values: s.values }))].map((l) => ({
        name: l.name,
        unit: 'fraction' as const,
        values: Array.from(l.values),
        domain: [0, 1] as const,
      })),
    },
  ];
};

const guideOf = (r: Couplings, { entropy, own_class: own }: Readonly<Record<string, number>>): string => {
  const even = 1 / r.classes.length;
  const settled =
    entropy > 0.95
      ? `Couplings are nearly even (entropy ${percent(entropy)} of the largest): routing chooses hardly anything, and one round would say the same.`
      : `Couplings have ${percent(entropy)} of the largest entropy: routing has sent capsules toward some classes.`;
  const right = Number.isFinite(own)
    ? ` The own class of a row gets ${percent(own)} of the votes, ${number(own / even)} times what it would of even ones.`
    : ' The data have no labels, so that nothing is said about the right class.';
  return `${settled}${right} A capsule whose line looks alike in every row and in the mean votes by habit, not by the row. More rounds of routing sharpen couplings, more training moves them; other rows of the same kind hardly do.`;
};

/** Sabour, Frosst and Hinton 2017: c_i = softmax_j(b_i) of the last round of routing by agreement. */
export const routingCouplings: Diagnostic = defineStudy({
  id: 'routing-couplings',
  title: 'Routing Couplings',
  family: 'representation',
  question: 'Which class does each capsule vote for, in a row and on average, and has the routing chosen at all?',
  source: 'arXiv:1710.09829; card 35-domain-weighted-capsules (arXiv:2306.17068)',
  uses: ['features'],
  options: {
    layer: pick({
      default: '',
      from: 'layer',
      help: 'Value that holds the couplings, capsules × classes a row. Without one the last round of a network that Assay built is read.',
    }),
    rows: int({ default: 6, min: 0, max: 100, help: 'Rows shown by themselves, the first of the data.' }),
    confidenceLevel: real({ default: 0.95, min: 0.5, max: 0.9999, help: 'Level of the intervals.' }),
  },
  numbers: ['rows', 'capsules', 'entropy', 'own_class'],
  study: ({ features }, chosen, job, { classes }) => couplingsOf(features, chosen, classes, job),
  report(found, { confidenceLevel }) {
    const numbers = numbersOf(found, confidenceLevel);
    return { ...numbers, cards: cardsOf(found, numbers), guide: guideOf(found, numbers.headline) };
  },
});
