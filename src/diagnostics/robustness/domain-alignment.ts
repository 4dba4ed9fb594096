import { wilson } from '../../base/maths/proportion.ts';
import { int, pick, real } from '../../base/option.ts';
import type { Card } from '../../report/report.ts';
import { type Diagnostic, defineStudy } from '../define.ts';
import { scoresOption } from '../scores-option.ts';
import { selection } from '../selection.ts';
import { number, percent } from '../wording.ts';
import { type Aligned, type AlignmentAsk, alignmentRun } from './domain-alignment-run.ts';

/** The pair of domains whose Hessians are farthest apart. */
const worstOf = ({ domains, pairs }: Aligned): { readonly value: number; readonly names: readonly [string, string] } => {
  const at = pairs.spectral.indexOf(pairs.spectral.reduce((a, b) => Math.max(a, b)));
  const [e, f] = [Math.floor(at / domains.length), at % domains.length].toSorted((a, b) => a - b);
  return { value: pairs.spectral[at], names: [domains[e].name, domains[f].name] };
};
const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

const headlineOf = (r: Aligned): Record<string, number> => ({
  domains: r.domains.length,
  rows: r.domains.reduce((s, d) => s + d.rows, 0),
  worst_spectral_distance: worstOf(r).value,
  relative_spectral_distance: worstOf(r).value / r.norm,
  hessian_norm: r.norm,
  gradient_distance: meanOf(r.domains.map((d) => d.gradient)),
  gradient_distance_by_chance: meanOf(r.domains.map((d) => d.noise)),
  diagonal_distance: meanOf(r.domains.map((d) => d.diagonal)),
  product_distance: meanOf(r.domains.map((d) => d.product)),
});
const labels: Readonly<Record<string, readonly [string, 'count' | 'none']>> = {
  domains: ['Domains', 'count'],
  rows: ['Rows', 'count'],
  worst_spectral_distance: ['Largest spectral distance of two domains', 'none'],
  relative_spectral_distance: ['… as a multiple of the mean Hessian’s norm', 'none'],
  hessian_norm: ['Spectral norm of the mean Hessian', 'none'],
  gradient_distance: ['Mean squared gradient distance from the mean', 'none'],
  gradient_distance_by_chance: ['… of which chance alone gives about', 'none'],
  diagonal_distance: ['Mean squared distance of diagonals', 'none'],
  product_distance: ['Mean squared distance of Hessian-gradient products', 'none'],
};
const known = (x: number): number | null => (Number.isFinite(x) ? x : null);
const layers = {
  spectral: 'spectral distance',
  gradient: 'gradients',
  diagonal: 'diagonals',
  product: 'Hessian-gradient products',
} as const;

const cardsOf = (r: Aligned, { confidenceLevel }: AlignmentAsk): Card[] => {
  const headline = headlineOf(r);
  const names = r.domains.map((d) => d.name);
  const nearest = r.domains.map((d, e) => ({
    ...d,
    worst: Math.max(...r.pairs.spectral.subarray(e * names.length, (e + 1) * names.length)),
  }));
  return [
    {
      kind: 'number',
      title: 'Alignment of the head',
      caption: `Of the last layer, which reads '${r.layer}': gradients and Hessians of each domain's mean cross-entropy by its weights and biases.`,
      values: Object.entries(labels).map(([name, [label, unit]]) => ({ name, label, unit, value: known(headline[name]) })),
    },
    {
      kind: 'heatmap',
      title: 'Distances between domains',
      caption:
        'Spectral: ‖H_e − H_f‖₂, what bounds how far a model of one domain fails on the other. The others are squared lengths of differences.',
      rows: { label: 'Domain', names },
      columns: { label: 'Domain', names },
      layers: (['spectral', 'gradient', 'diagonal', 'product'] as const).map((key) => ({
        name: layers[key],
        unit: 'none' as const,
        values: Array.from(r.pairs[key]),
      })),
    },
    {
      kind: 'bars',
      title: 'Curvature of domains beside their mean',
      caption:
        'Spectral distance ‖H_e − H̄‖₂ of each domain from the mean over domains: the highest bar is the domain whose curvature fits least.',
      x: { label: 'Domain', unit: 'none' },
      y: { label: 'Spectral distance', unit: 'none', min: 0 },
      categories: names,
      series: [
        {
          name: 'spectral distance',
          values: r.domains.map((d) => d.spectral),
          selections: r.domains.map((d) => selection(`domain ${d.name}`, d.rows, d.first)),
        },
      ],
    },
    {
      kind: 'bars',
      title: 'Domains beside their mean',
      caption: 'Squared distance of each domain’s gradient from the mean over domains, and how much of it the number of its rows explains.',
      x: { label: 'Domain', unit: 'none' },
      y: { label: 'Squared distance', unit: 'none', min: 0 },
      categories: names,
      series: [
        {
          name: 'gradient distance',
          values: r.domains.map((d) => d.gradient),
          selections: r.domains.map((d) => selection(`domain ${d.name}`, d.rows, d.first)),
        },
        { name: 'by chance', values: r.domains.map((d) => known(d.noise)) },
      ],
    },
    {
      kind: 'table',
      title: 'Domains',
      caption: `Ordered by their largest spectral distance from another. Ranges of accuracy are Wilson's at ${percent(confidenceLevel)}.`,
      columns: [
        { name: 'domain', label: 'Domain', type: 'text' },
        { name: 'rows', label: 'Rows', type: 'number', unit: 'count' },
        { name: 'loss', label: 'Loss', type: 'number', unit: 'nats' },
        { name: 'accuracy', label: 'Accuracy', type: 'number', unit: 'fraction' },
        { name: 'low', label: 'from', type: 'number', unit: 'fraction' },
        { name: 'high', label: 'to', type: 'number', unit: 'fraction' },
        { name: 'spectral', label: 'Largest spectral distance', type: 'number' },
        { name: 'spectral_mean', label: 'from the mean', type: 'number' },
        { name: 'gradient', label: 'Gradient distance', type: 'number' },
        { name: 'diagonal', label: 'Diagonal distance', type: 'number' },
        { name: 'product', label: 'Product distance', type: 'number' },
      ],
      rows: nearest
        .toSorted((a, b) => b.worst - a.worst)
        .map((d) => {
          const [low, high] = wilson(d.right, d.rows, confidenceLevel) ?? [Number.NaN, Number.NaN];
          return [
            d.name,
            d.rows,
            d.loss,
            d.right / d.rows,
            known(low),
            known(high),
            d.worst,
            d.spectral,
            d.gradient,
            d.diagonal,
            d.product,
          ];
        }),
    },
  ];
};

const guideOf = (r: Aligned): string => {
  const { value, names } = worstOf(r);
  const [found, chance] = [meanOf(r.domains.map((d) => d.gradient)), meanOf(r.domains.map((d) => d.noise))];
  const beyond =
    found > 3 * chance
      ? `Gradients lie ${number(found / chance)} times as far apart as so few rows do by chance, so the domains do ask for other weights.`
      : `Gradients lie ${number(found / chance)} times as far apart as so few rows do by chance, which is little: with more rows the distances may shrink.`;
  return `The curvature of the last layer differs most between '${names[0]}' and '${names[1]}': ${number(value)}, ${number(value / r.norm)} times the norm of the mean Hessian. Transfer between them is what is most likely to fail. ${beyond} Train with the regularizer hgp or diag-exact and the sampler domains, and measure again on the same rows: distances should fall while the loss of each domain stays. Distances grow with the size of the features, so compare models by the multiple of the norm, not by the number.`;
};

export const domainAlignment: Diagnostic = defineStudy({
  id: 'domain-alignment',
  title: 'Domain Alignment of the Head',
  family: 'robustness',
  question: 'Which domains ask the last layer for something else, so that what is learnt from one fails on another?',
  source: 'arXiv:2308.11778; card 09-hessian-alignment',
  uses: ['scores', 'features', 'columns'],
  options: {
    group: pick({
      default: 'domain',
      from: 'column',
      help: 'Column that names the domain of each row; of images in folders of folders a level, such as folder_1.',
    }),
    layer: pick({
      default: '',
      from: 'layer',
      help: 'Value that the last layer reads. Without one it is found: what the last dense layer reads.',
    }),
    iterations: int({ default: 100, min: 1, max: 100_000, help: 'Steps of the power iteration at most.' }),
    tolerance: real({ default: 1e-4, min: 1e-12, max: 0.5, help: 'Relative change at which the power iteration ends.' }),
    confidenceLevel: real({ default: 0.95, min: 0.5, max: 0.9999, help: 'Level of the ranges of accuracy.' }),
    logits: scoresOption,
  },
  numbers: Object.keys(labels),
  study: (tools, chosen, job) => alignmentRun(tools, chosen, job),
  report: (found, chosen, { classes }) => ({
    headline: headlineOf(found),
    cards: cardsOf(found, chosen),
    guide: guideOf(found),
    notes: [
      ...(found.lone.length > 0
        ? [
            `${found.lone.length === 1 ? 'Class' : 'Classes'} ${found.lone.map((c) => classes[c] ?? c).join(', ')} ${found.lone.length === 1 ? 'is' : 'are each'} found in one domain alone: different labels make the distances large.`,
          ]
        : []),
      ...(found.unsettled > 0
        ? [
            `${found.unsettled} of the spectral distances and norms had not settled in so many steps of the power iteration; raise 'iterations'.`,
          ]
        : []),
      ...(found.own === undefined
        ? []
        : [
            `The last layer reads '${found.own}', not '${found.layer}': the numbers are those of a layer on '${found.layer}' that gave the probabilities of the model, no gradients of its own weights.`,
          ]),
    ],
  }),
});
