import type { BarsCard, Card, NumberCard, TableCard } from '../../report/report.ts';
import { keepFirst, selection } from '../selection.ts';
import { number, rowCount } from '../wording.ts';
import type { Noise } from './noise-statistics.ts';

export interface GradientNoise {
  readonly loss: number;
  readonly noise: Noise;
  /** Dataset row numbers, and rows that there are. */
  readonly rows: Float64Array;
  readonly of: number;
  readonly parameters: number;
}
interface NoiseOptions {
  readonly batch: number;
  readonly theta: number;
  readonly nu: number;
}

const etas = [0.1, 0.25, 0.5, 1] as const;
const finite = (x: number): number | null => (Number.isFinite(x) ? x : null);
/** The least batch with these variances; two are needed to see any. */
const least = (need: number): number => (Number.isFinite(need) ? Math.max(2, Math.ceil(need)) : Number.NaN);

const required = ({ noise }: GradientNoise, { theta, nu }: NoiseOptions) => ({
  norm: (eta: number): number => least(noise.scale / eta ** 2),
  innerProduct: least(noise.innerProduct / (theta * noise.squaredNorm) ** 2),
  orthogonal: least(noise.orthogonal / (nu ** 2 * noise.squaredNorm)),
});

export const noiseHeadline = (found: GradientNoise, options: NoiseOptions): Record<string, number> => {
  const { noise, loss } = found;
  const need = required(found, options);
  return {
    noise_scale: noise.scale,
    ...Object.fromEntries(etas.map((eta) => [`batch_at_${eta}`, need.norm(eta)])),
    inner_product_batch: need.innerProduct,
    orthogonal_batch: need.orthogonal,
    ...(options.batch > 0 ? { noise_at_batch: Math.sqrt(noise.scale / options.batch) } : {}),
    variance: noise.variance,
    squared_gradient_norm: noise.squaredNorm,
    coordinate_ratio_median: noise.coordinates.median,
    coordinate_ratio_90: noise.coordinates.ninety,
    loss,
    rows: noise.rows,
  };
};

const numbers = (found: GradientNoise, options: NoiseOptions): NumberCard => {
  const h = noiseHeadline(found, options);
  const { interval, unbiasedNorm } = found.noise;
  const value = (name: string, label: string, unit: 'none' | 'count' = 'none', note = ''): NumberCard['values'][number] => ({
    name,
    label,
    value: finite(h[name]),
    unit,
    ...(name === 'noise_scale' && interval ? { interval } : {}),
    ...(note ? { note } : {}),
  });
  const weak = unbiasedNorm <= 0 ? 'the gradient of these rows is no longer than its own noise: draw more rows' : '';
  return {
    kind: 'number',
    title: 'Noise of the gradient',
    caption: `Gradients of ${rowCount(found.noise.rows)} of ${found.of}, one by one, at the weights as they are; batch normalisation uses its stored statistics.`,
    values: [
      value('noise_scale', 'Simple noise scale V/‖ḡ‖² (rows)', 'none', weak),
      value('variance', 'Variance of a row’s gradient V'),
      value('squared_gradient_norm', 'Squared length of the mean gradient ‖ḡ‖²'),
      ...(options.batch > 0 ? [value('noise_at_batch', `Noise over gradient at batch ${options.batch}, √(V/b)/‖ḡ‖`)] : []),
      value('inner_product_batch', `Batch for the inner-product test, θ = ${options.theta}`, 'count'),
      value('orthogonal_batch', `Batch for the orthogonality test, ν = ${options.nu}`, 'count'),
      value('coordinate_ratio_median', 'Var/ḡ² of a coordinate, median'),
      value('coordinate_ratio_90', 'Var/ḡ² of a coordinate, 90 %'),
      value('loss', 'Loss of these rows'),
    ],
  };
};

const batches = (found: GradientNoise, options: NoiseOptions): TableCard => {
  const { interval, coordinates } = found.noise;
  const need = required(found, options);
  return {
    kind: 'table',
    title: 'Batch that each test asks for',
    caption:
      'η is the noise allowed: the standard deviation of the batch gradient over its length. The coordinate-wise test asks it of every coordinate by itself; it is shown for comparison, since coordinates near zero ask for everything.',
    columns: [
      { name: 'eta', label: 'η', type: 'number' },
      { name: 'batch', label: 'Batch by the norm test', type: 'number', unit: 'count' },
      { name: 'interval', label: 'Interval', type: 'interval' },
      { name: 'median', label: 'Coordinate-wise, median', type: 'number', unit: 'count' },
      { name: 'ninety', label: 'Coordinate-wise, 90 %', type: 'number', unit: 'count' },
    ],
    rows: etas.map((eta) => [
      eta,
      finite(need.norm(eta)),
      interval ? ([least(interval.low / eta ** 2), least(interval.high / eta ** 2)] as const) : null,
      finite(least(coordinates.median / eta ** 2)),
      finite(least(coordinates.ninety / eta ** 2)),
    ]),
  };
};

/** Tensors drawn at most. */
const SHOWN = 24;

const shares = ({ noise: { tensors, variance, squaredNorm } }: GradientNoise): BarsCard => {
  const shown = tensors.toSorted((a, b) => b.variance - a.variance).slice(0, SHOWN);
  const kept = tensors.filter((t) => shown.includes(t));
  const share = (part: number, whole: number): number | null => finite(part / whole);
  return {
    kind: 'bars',
    title: 'Where the noise comes from',
    caption: `Share of every parameter tensor in V and in ‖ḡ‖²${tensors.length > SHOWN ? `, the ${SHOWN} noisiest of ${tensors.length}` : ''}. A layer with more of the noise than of the gradient is what asks for the batch.`,
    x: { label: 'Parameter', unit: 'none' },
    y: { label: 'Share', unit: 'fraction', min: 0 },
    categories: kept.map((t) => t.name),
    series: [
      { name: 'noise', values: kept.map((t) => share(t.variance, variance)) },
      { name: 'gradient', values: kept.map((t) => share(t.squaredNorm, squaredNorm)) },
    ],
  };
};

const BINS = 24;

const histogram = ({ noise: { norms }, rows }: GradientNoise): BarsCard[] => {
  const positive = norms.filter((v) => v > 0).toSorted();
  if (positive.length === 0) return [];
  const [low, high] = [positive[0], positive[positive.length - 1]];
  const log = high / low > 20;
  const edges =
    high === low
      ? [low / 2, low * 2]
      : Array.from({ length: BINS + 1 }, (_, k) => (log ? low * (high / low) ** (k / BINS) : low + ((high - low) * k) / BINS));
  const bins = edges.length - 1;
  const counts = new Array<number>(bins).fill(0);
  const kept = counts.map((): number[] => []);
  for (const [i, v] of norms.entries()) {
    if (!(v > 0)) continue;
    const place = log ? Math.log(v / low) / Math.log(high / low) : (v - edges[0]) / (edges[bins] - edges[0]);
    const k = Math.min(bins - 1, Math.max(0, Math.floor(bins * place)));
    counts[k]++;
    keepFirst(kept[k], rows[i]);
  }
  const still = norms.length - positive.length;
  return [
    {
      kind: 'bars',
      title: 'Lengths of the gradients of single rows',
      caption: `Rows far to the right turn every batch that they are in: look at them first.${still > 0 ? ` ${rowCount(still)} with a gradient of zero left out.` : ''}`,
      x: { label: '‖gᵢ‖', unit: 'none', ...(log ? { scale: 'log' as const } : {}) },
      y: { label: 'Rows', unit: 'count', min: 0 },
      edges,
      series: [
        {
          name: 'rows',
          values: counts,
          selections: counts.map((n, k) => selection(`‖gᵢ‖ ${number(edges[k])} to ${number(edges[k + 1])}`, n, kept[k])),
        },
      ],
    },
  ];
};

const longest = ({ noise: { norms }, rows }: GradientNoise): TableCard => {
  const order = Array.from(norms.keys())
    .toSorted((a, b) => norms[b] - norms[a])
    .slice(0, 12);
  const sum = norms.reduce((s, v) => s + v * v, 0);
  return {
    kind: 'table',
    title: 'Rows with the longest gradients',
    columns: [
      { name: 'row', label: 'Row', type: 'row' },
      { name: 'norm', label: '‖gᵢ‖', type: 'number' },
      { name: 'share', label: 'Share of Σ‖gᵢ‖²', type: 'number', unit: 'fraction' },
    ],
    rows: order.map((i) => [rows[i], norms[i], finite(norms[i] ** 2 / sum)]),
  };
};

export const noiseCards = (found: GradientNoise, options: NoiseOptions): Card[] => [
  numbers(found, options),
  batches(found, options),
  shares(found),
  ...histogram(found),
  longest(found),
];

const judged = (found: GradientNoise, { batch }: NoiseOptions): string => {
  if (batch === 0) return 'Give the batch in use as `batch` to have it judged.';
  const ratio = Math.sqrt(found.noise.scale / batch);
  const said = `At batch ${batch} the noise is ${number(ratio)} times the gradient`;
  if (!Number.isFinite(ratio)) return '';
  if (ratio > 1)
    return `${said}: noise decides most steps, and a batch up to about ${number(found.noise.scale)} rows saves steps at little cost in rows.`;
  if (ratio < 0.1) return `${said}: the batch is larger than these weights need, and a smaller one makes more steps of the same rows.`;
  return `${said}: noise and gradient are of one order, which is where larger batches begin to cost rows.`;
};

export const noiseGuide = (found: GradientNoise, options: NoiseOptions): string =>
  `The noise scale is the batch at which noise and gradient are equally long: far below it, twice the batch nearly halves the steps needed and bears a higher rate; far above it, more rows a step change nothing. ${judged(found, options)} The numbers hold for these weights only: the scale grows as training goes on, so measure again at a later checkpoint, or let the batch follow it with "schedule": {"kind": "adaptive"}. A wide interval, or a scale beyond the ${found.noise.rows} rows looked at, asks for more rows.`;
