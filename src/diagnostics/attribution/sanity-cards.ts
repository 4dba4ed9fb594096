import type { Card, CurveCard, Interval } from '../../report/report.ts';
import { number, percent } from '../wording.ts';
import { mean, meanWithin } from './mean-over-samples.ts';
import type { Sanity } from './sanity.ts';

/** A map whose rank correlation stays above this with all weights redrawn draws the input; below `LOST` it has followed the model. */
export const KEPT = 0.5;
export const LOST = 0.2;

/** Area under a curve over [0, 1], trapezoid. */
const area = (values: Float64Array): number =>
  values.reduce((sum, v, i) => sum + v * (i === 0 || i === values.length - 1 ? 0.5 : 1), 0) / (values.length - 1);

interface Found {
  readonly headline: Readonly<Record<string, number>>;
  readonly intervals: Readonly<Record<string, Interval>>;
  /** What the checks found, in numbers. */
  readonly verdict: readonly Card[];
  readonly curves: readonly Card[];
  readonly notes: readonly string[];
}

const verdict = ({ stages }: Sanity): string => {
  const last = stages.at(-1);
  if (!last) return 'The model has no weights to redraw.';
  if (Number.isNaN(last.spearman)) return 'Maps are constant once weights are redrawn, so their ranks cannot be compared.';
  if (last.spearman < LOST) return 'With all weights redrawn the maps are different ones: they follow the model.';
  if (last.nonzero < Math.max(LOST, last.spearman / 2))
    return `With all weights redrawn the maps still agree (${number(last.spearman)}), but only by where the input is 0: among the other inputs they do not (${number(last.nonzero)}). The method copies the input’s outline.`;
  return last.spearman > KEPT
    ? 'With all weights redrawn the maps are much the same: they show the input, not what the model learned. Do not read the model from them.'
    : 'With all weights redrawn something of the maps stays: read only their strongest parts.';
};

const curveCard = ({ curves, samples }: Sanity): CurveCard[] => {
  if (!curves) return [];
  const averaged = (rows: readonly Float64Array[]): (readonly [number, number])[] =>
    curves.shares.map((s, i) => [s, mean(rows.map((r) => r[i]))] as const);
  return [
    {
      kind: 'curve',
      title: 'Deletion and insertion',
      caption: `The most important inputs first are hidden (deletion) or shown (insertion); a map that finds what matters falls faster and rises faster than a random order. Mean over ${samples} samples.`,
      x: { label: 'Share of inputs hidden or shown', unit: 'fraction', min: 0, max: 1 },
      y:
        curves.of === 'probability'
          ? { label: 'Probability of the class', unit: 'fraction', min: 0, max: 1 }
          : { label: 'Output', unit: 'none' },
      lines: [
        { name: 'Deletion', points: averaged(curves.deletion) },
        { name: 'Insertion', points: averaged(curves.insertion) },
        { name: 'Deletion, random order', points: averaged(curves.randomDeletion) },
        { name: 'Insertion, random order', points: averaged(curves.randomInsertion) },
      ],
    },
  ];
};

const stageCard = (sanity: Sanity): Card[] => {
  const { stages } = sanity;
  if (stages.length === 0) return [];
  const line = (name: string, of: (s: Sanity['stages'][number]) => number) => ({
    name,
    points: [[0, 1] as const, ...stages.filter((s) => Number.isFinite(of(s))).map((s) => [s.layers, of(s)] as const)],
  });
  const lines = [
    line('Rank correlation', (s) => s.spearman),
    line('Rank correlation where the input is not 0', (s) => s.nonzero),
    line('Structural similarity', (s) => s.similarity),
  ].filter((l) => l.points.length > 1);
  return [
    {
      kind: 'curve',
      title: 'Maps after weights are redrawn',
      caption: `Weights of the last layers are drawn anew from N(0, their own deviation), then those before them too, up to '${stages.at(-1)?.name}'. ${verdict(sanity)}`,
      x: { label: 'Layers redrawn, from the output', unit: 'count', min: 0 },
      y: { label: 'Likeness of the maps', unit: 'none' },
      lines,
    },
  ];
};

/** Headline, cards and notes of the checks. */
export const sanityFindings = (sanity: Sanity): Found => {
  const { curves, infidelity, sensitivity, stages, samples } = sanity;
  const last = stages.at(-1);
  const means = {
    ...(curves
      ? {
          deletion_auc: meanWithin(curves.deletion.map(area)),
          insertion_auc: meanWithin(curves.insertion.map(area)),
          deletion_advantage: meanWithin(curves.deletion.map((d, i) => area(curves.randomDeletion[i]) - area(d))),
          insertion_advantage: meanWithin(curves.insertion.map((d, i) => area(d) - area(curves.randomInsertion[i]))),
        }
      : {}),
    sensitivity_max: meanWithin(sensitivity),
  };
  const single = {
    ...(infidelity ? { infidelity: infidelity.value, infidelity_relative: infidelity.relative } : {}),
    ...(last ? { randomised_spearman: last.spearman, randomised_spearman_nonzero: last.nonzero } : {}),
    ...(last && Number.isFinite(last.similarity) ? { randomised_ssim: last.similarity } : {}),
  };
  const row = (name: string, label: string, value: number, note: string, interval?: Interval) => ({
    name,
    label,
    value: Number.isFinite(value) ? value : null,
    unit: 'none' as const,
    note,
    ...(interval ? { interval } : {}),
  });
  const labels: Readonly<Record<string, readonly [string, string]>> = {
    deletion_auc: ['Deletion, area under the curve', 'lower is better'],
    insertion_auc: ['Insertion, area under the curve', 'higher is better'],
    deletion_advantage: ['Deletion: better than a random order by', 'above 0: the order matters'],
    insertion_advantage: ['Insertion: better than a random order by', 'above 0: the order matters'],
    sensitivity_max: [
      'Max-sensitivity',
      'largest relative change of the map within 2 % of the sample’s range (of a table: of each column’s); lower is steadier',
    ],
    infidelity: ['Infidelity', 'mean square of what the map misses when parts are hidden; lower is better'],
    infidelity_relative: ['Infidelity, relative', '0 is exact, 1 as good as an empty map'],
    randomised_spearman: ['Rank correlation with all weights redrawn', 'below 0.2 the map follows the model'],
    randomised_spearman_nonzero: ['The same where the input is not 0', 'below 0.2 the map follows the model'],
    randomised_ssim: ['Structural similarity with all weights redrawn', 'lower is better'],
  };
  const card: Card = {
    kind: 'number',
    title: 'Can these maps be trusted?',
    caption: `Checks of the method on this model, over ${samples === 1 ? 'one sample' : `${samples} samples`}. ${verdict(sanity)}`,
    values: [
      ...Object.entries(means).map(([k, m]) => row(k, labels[k][0], m.value, labels[k][1], m.interval)),
      ...Object.entries(single).map(([k, v]) => row(k, labels[k][0], v, labels[k][1])),
    ],
  };
  const notes: string[] = [];
  if (last && last.spearman >= LOST && (last.spearman > KEPT || last.nonzero < LOST)) notes.push(verdict(sanity));
  if (means.deletion_advantage && means.insertion_advantage && means.deletion_advantage.value <= 0 && means.insertion_advantage.value <= 0)
    notes.push(
      'Hiding inputs in the order of the map changes the output no more than hiding them in a random order: the map does not show what the output rests on.',
    );
  if (infidelity && infidelity.relative > 1)
    notes.push(
      `The maps tell the fall of the output when parts are hidden worse than an empty map would (relative infidelity ${percent(infidelity.relative)}).`,
    );
  return {
    headline: { ...Object.fromEntries(Object.entries(means).map(([k, m]) => [k, m.value])), ...single },
    intervals: Object.fromEntries(Object.entries(means).flatMap(([k, m]) => (m.interval ? [[k, m.interval]] : []))),
    verdict: [card],
    curves: [...curveCard(sanity), ...stageCard(sanity)],
    notes,
  };
};
