import { logitInterval } from '../../base/maths/auroc.ts';
import { wilson } from '../../base/maths/proportion.ts';
import type { Subject } from '../../evidence/evidence.ts';
import type { Card, Interval, NumberCard } from '../../report/report.ts';
import { selection } from '../selection.ts';
import { number } from '../wording.ts';
import { curveCards, type Named } from './ranking-curve-cards.ts';
import { costOf } from './ranking-curves.ts';
import { enrichment, prevalence, rankingIntervals } from './ranking-headline.ts';
import type { AllRankings, ClassRanking, OneRanking, Ranking, RankingOptions } from './ranking-scores.ts';
import { BINS } from './ranking-state.ts';

type Value = NumberCard['values'][number];

const scalar = (name: string, label: string, value: number, more: Partial<Value> = {}): Value => ({
  name,
  label,
  value: Number.isFinite(value) ? value : null,
  unit: 'none',
  ...more,
});
const orNull = (value: number): number | null => (Number.isFinite(value) ? value : null);
const withInterval = (interval: Interval | undefined): Partial<Value> => (interval ? { interval } : {});

const numbers = (r: OneRanking, options: RankingOptions, name: string): Card => {
  const intervals = rankingIntervals(r, options);
  const more = (of: string, reference?: number): Partial<Value> => ({
    ...withInterval(intervals[of]),
    ...(reference === undefined || !Number.isFinite(reference) ? {} : { reference }),
  });
  return {
    kind: 'number',
    title: 'Scores',
    caption: `Ranking by the score of class ${name}. The reference is what scores without information would reach.`,
    values: [
      scalar('auroc', 'AUROC: a positive outranks a negative (ties half)', r.auroc.value, more('auroc', 0.5)),
      scalar('auprc', 'AUPRC: average precision', r.auprc.value, more('auprc', prevalence(r))),
      scalar(
        'partial_auroc',
        `Partial AUROC to false-positive rate ${number(options.maxFpr)}, standardised`,
        r.partial.value,
        more('partial_auroc', 0.5),
      ),
      scalar('precision_at_k', `Precision of the ${r.k} rows scored highest`, r.precisionAtK.value, {
        unit: 'fraction',
        ...more('precision_at_k', prevalence(r)),
      }),
      scalar('enrichment_at_k', 'The same over the prevalence (enrichment)', enrichment(r).value, more('enrichment_at_k', 1)),
      scalar('prevalence', 'Prevalence', prevalence(r), { unit: 'fraction' }),
      scalar('positives', 'Positives', r.positives, { unit: 'count' }),
      scalar('rows', 'Rows', r.rows, { unit: 'count' }),
    ],
  };
};

const thresholdTable = (r: OneRanking, o: RankingOptions): Card => ({
  kind: 'table',
  title: 'Thresholds',
  caption: `A row is raised when its score is at least the threshold; none is raised where it is empty. Cost: ${number(o.falsePositiveCost)} a false positive, ${number(o.falseNegativeCost)} a false negative. The thresholds were chosen on these rows, so expect slightly less on others; Wilson’s intervals do not count that.`,
  columns: [
    { name: 'choice', label: 'Choice', type: 'text' },
    { name: 'threshold', label: 'Threshold', type: 'number' },
    { name: 'cost', label: 'Cost per row', type: 'number' },
    { name: 'precision', label: 'Precision', type: 'number', unit: 'fraction' },
    { name: 'precision_interval', label: 'Interval', type: 'interval', unit: 'fraction' },
    { name: 'recall', label: 'Recall', type: 'number', unit: 'fraction' },
    { name: 'recall_interval', label: 'Interval', type: 'interval', unit: 'fraction' },
    { name: 'fpr', label: 'False-positive rate', type: 'number', unit: 'fraction' },
    { name: 'f1', label: 'F1', type: 'number', unit: 'fraction' },
    { name: 'tp', label: 'TP', type: 'number', unit: 'count' },
    { name: 'fp', label: 'FP', type: 'number', unit: 'count' },
    { name: 'fn', label: 'FN', type: 'number', unit: 'count' },
    { name: 'tn', label: 'TN', type: 'number', unit: 'count' },
  ],
  rows: r.thresholds.map((t) => [
    t.name,
    t.threshold,
    costOf(t, { falsePositive: o.falsePositiveCost, falseNegative: o.falseNegativeCost }, r.positives) / r.rows,
    orNull(t.tp / (t.tp + t.fp)),
    wilson(t.tp, t.tp + t.fp, o.confidenceLevel),
    t.tp / r.positives,
    wilson(t.tp, r.positives, o.confidenceLevel),
    t.fp / r.negatives,
    (2 * t.tp) / (t.tp + t.fp + r.positives),
    t.tp,
    t.fp,
    r.positives - t.tp,
    r.negatives - t.fp,
  ]),
});

const costCurve = (r: OneRanking, o: RankingOptions): Card => ({
  kind: 'curve',
  title: 'Cost by threshold',
  caption: 'Mean cost of a row when rows are raised from each score on, for the costs given; flat stretches leave you a choice.',
  x: { label: 'Threshold', unit: 'none', min: 0, max: 1 },
  y: { label: 'Cost per row', unit: 'none', min: 0 },
  lines: [
    {
      name: 'Cost',
      points: r.points
        .flatMap((p) =>
          p.threshold === null
            ? []
            : [
                [
                  p.threshold,
                  costOf(p, { falsePositive: o.falsePositiveCost, falseNegative: o.falseNegativeCost }, r.positives) / r.rows,
                ] as const,
              ],
        )
        .reverse(),
    },
  ],
});

const edges = Array.from({ length: BINS + 1 }, (_, i) => i / BINS);

const histogram = (r: OneRanking, name: string): Card => ({
  kind: 'bars',
  title: 'Scores of positives and negatives',
  caption: 'Share of each in every range of the score; where they overlap no threshold separates them. Choose a bar to see its samples.',
  x: { label: 'Score', unit: 'none', min: 0, max: 1 },
  y: { label: 'Share', unit: 'fraction', min: 0 },
  edges,
  series: (['positive', 'negative'] as const).map((side) => {
    const total = side === 'positive' ? r.positives : r.negatives;
    const label = side === 'positive' ? name : `not ${name}`;
    return {
      name: label,
      values: r.histogram[side].map((n) => (total === 0 ? null : n / total)),
      selections: r.histogram[side].map((n, k) =>
        selection(`${label}, score ${number(edges[k])} to ${number(edges[k + 1])}`, n, r.first[side][k]),
      ),
    };
  }),
});

/** Mistakes drawn one by one from the top; further down each next one stands at least this much lower. */
const SPARSE = 1.02;
const mistakeChart = (r: OneRanking): Card[] => {
  const shown: (readonly [number, number])[] = [];
  for (const { rank, gain } of r.mistakes) if (shown.length < 100 || rank >= shown[shown.length - 1][0] * SPARSE) shown.push([rank, gain]);
  if (shown.length === 0) return [];
  const always = 1 / r.positives / r.negatives;
  return [
    {
      kind: 'curve',
      title: 'What fixing one mistake is worth',
      caption: `Swapping a negative with the positive right below it: AUROC gains the same everywhere, AUPRC much more at the top of the ranking. ${r.mistakes.length} such neighbours; equal scores are left out.`,
      x: { label: 'Rank of the negative', unit: 'count', scale: 'log', min: 1 },
      y: { label: 'Gain', unit: 'none', scale: 'log' },
      lines: [
        { name: 'AUPRC', points: shown, shape: 'points' },
        {
          name: 'AUROC',
          points: [
            [1, always],
            [r.rows, always],
          ],
        },
      ],
    },
  ];
};

const groupCards = (r: OneRanking, level: number): Card[] => {
  if (!r.grouped) return [];
  const gains = r.groups.reduce((sum, g) => sum + g.gain, 0);
  return [
    {
      kind: 'table',
      title: 'Groups',
      caption:
        'AUROC within: a group’s positives against its own negatives; across: against the negatives of the others. Shares: how much of what fixing neighbouring mistakes could add to each metric lies with the group’s positives. Intervals: DeLong’s, and for AUPRC the infinitesimal jackknife’s, on the logit scale.',
      columns: [
        { name: 'group', label: 'Group', type: 'text' },
        { name: 'rows', label: 'Rows', type: 'number', unit: 'count' },
        { name: 'prevalence', label: 'Prevalence', type: 'number', unit: 'fraction' },
        { name: 'mean_score', label: 'Mean score', type: 'number' },
        { name: 'auroc', label: 'AUROC within', type: 'number' },
        { name: 'auroc_interval', label: 'Interval', type: 'interval' },
        { name: 'xauroc', label: 'AUROC across', type: 'number' },
        { name: 'xauroc_interval', label: 'Interval', type: 'interval' },
        { name: 'auprc', label: 'AUPRC within', type: 'number' },
        { name: 'auprc_interval', label: 'Interval', type: 'interval' },
        { name: 'auroc_share', label: 'Share of AUROC to gain', type: 'number', unit: 'fraction' },
        { name: 'auprc_share', label: 'Share of AUPRC to gain', type: 'number', unit: 'fraction' },
      ],
      rows: r.groups.map((g) => [
        g.name,
        g.positives + g.negatives,
        prevalence(g),
        g.meanScore,
        orNull(g.within.value),
        logitInterval(g.within, level),
        orNull(g.cross.value),
        logitInterval(g.cross, level),
        g.positives > 0 && g.negatives > 0 ? g.auprc.value : null,
        logitInterval(g.auprc, level),
        orNull(g.mistakes / r.mistakes.length),
        orNull(g.gain / gains),
      ]),
    },
    {
      kind: 'bars',
      title: 'Scores by group',
      caption: 'Share of each group’s rows in every range of the score; a group further right fills the top of the ranking.',
      x: { label: 'Score', unit: 'none', min: 0, max: 1 },
      y: { label: 'Share', unit: 'fraction', min: 0 },
      edges,
      series: [...r.groups]
        .sort((a, b) => b.positives + b.negatives - a.positives - a.negatives)
        .slice(0, 6)
        .map((g) => ({ name: g.name, values: g.histogram })),
    },
  ];
};

const hardest = (r: OneRanking, name: string): Card => ({
  kind: 'table',
  title: 'Most surprising rows',
  caption: `Rows of class ${name} with the lowest scores, and other rows with the highest: look here for wrong labels first.`,
  columns: [
    { name: 'low', label: `Lowest of class ${name}`, type: 'row' },
    { name: 'low_score', label: 'Score', type: 'number' },
    { name: 'high', label: 'Highest of the others', type: 'row' },
    { name: 'high_score', label: 'Score', type: 'number' },
  ],
  rows: Array.from({ length: Math.max(r.lowest.length, r.highest.length) }, (_, i) => [
    r.lowest[i]?.row ?? null,
    r.lowest[i]?.score ?? null,
    r.highest[i]?.row ?? null,
    r.highest[i]?.score ?? null,
  ]),
});

/** Curves drawn of many classes: those ranked worst. */
const CURVES = 8;
const allCards = (r: AllRankings, options: RankingOptions, names: readonly string[]): Card[] => {
  const intervals = rankingIntervals(r, options);
  const value = (name: string, label: string, v: number): Value => scalar(name, label, v, withInterval(intervals[name]));
  const defined = r.classes.flatMap((of, k): Named[] => (of.points.length > 0 ? [{ name: names[k], of }] : []));
  const worst = new Set([...defined].sort((a, b) => a.of.auroc.value - b.of.auroc.value).slice(0, CURVES));
  const measured = (k: ClassRanking, of: 'auroc' | 'auprc') => [orNull(k[of].value), k[of].interval] as const;
  return [
    {
      kind: 'number',
      title: 'Scores',
      caption:
        'Each class against the rest. Macro: every class weighs the same. Weighted: by the rows of the class. Micro: all scores of all classes in one ranking.',
      values: [
        value('macro_auroc', 'Macro AUROC', r.macroAuroc.value),
        value('macro_auprc', 'Macro AUPRC', r.macroAuprc.value),
        value('weighted_auroc', 'Weighted AUROC', r.weightedAuroc.value),
        value('weighted_auprc', 'Weighted AUPRC', r.weightedAuprc.value),
        value('micro_auroc', 'Micro AUROC', r.microAuroc.value),
        value('micro_auprc', 'Micro AUPRC', r.microAuprc.value),
        scalar('rows', 'Rows', r.rows, { unit: 'count' }),
      ],
    },
    ...(defined.length > 0 ? curveCards(defined.filter((c) => worst.has(c))) : []),
    {
      kind: 'table',
      title: 'Classes',
      caption: `Each class against the rest, with DeLong’s interval for AUROC and the infinitesimal jackknife’s for AUPRC, on the logit scale.${defined.length > CURVES ? ` The curves are those of the ${CURVES} classes with the lowest AUROC.` : ''}`,
      columns: [
        { name: 'class', label: 'Class', type: 'text' },
        { name: 'rows', label: 'Rows', type: 'number', unit: 'count' },
        { name: 'prevalence', label: 'Prevalence', type: 'number', unit: 'fraction' },
        { name: 'auroc', label: 'AUROC', type: 'number' },
        { name: 'auroc_interval', label: 'Interval', type: 'interval' },
        { name: 'auprc', label: 'AUPRC', type: 'number' },
        { name: 'auprc_interval', label: 'Interval', type: 'interval' },
      ],
      rows: r.classes.map((k, i) => [names[i], k.positives, prevalence(k), ...measured(k, 'auroc'), ...measured(k, 'auprc')]),
    },
  ];
};

export const rankingCards = (r: Ranking, options: RankingOptions, subject: Pick<Subject, 'classes'>): Card[] => {
  if (r.rows === 0) return [];
  if (r.kind === 'all')
    return allCards(
      r,
      options,
      r.classes.map((_, k) => subject.classes[k] ?? String(k)),
    );
  const name = subject.classes[r.positive] ?? String(r.positive);
  const both = r.points.length > 0;
  return [
    numbers(r, options, name),
    ...(both ? curveCards([{ name, of: r }]) : []),
    ...(both ? [thresholdTable(r, options), costCurve(r, options)] : []),
    ...mistakeChart(r),
    ...groupCards(r, options.confidenceLevel),
    histogram(r, name),
    hardest(r, name),
  ];
};
