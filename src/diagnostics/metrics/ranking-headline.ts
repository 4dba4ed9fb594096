import type { Subject } from '../../evidence/evidence.ts';
import type { Interval } from '../../report/report.ts';
import { number } from '../wording.ts';
import { ROW_DRAWS } from './ranking-resample.ts';
import type { ClassRanking, Measured, OneRanking, Ranking, RankingOptions } from './ranking-scores.ts';

/** Precision at k over the prevalence; resamples are stratified, so the prevalence stays and the interval is divided as well. */
export const enrichment = (r: Pick<OneRanking, 'positives' | 'negatives' | 'precisionAtK'>): Measured => {
  const by = prevalence(r);
  const { value, interval: range } = r.precisionAtK;
  return { value: value / by, interval: range && [range[0] / by, range[1] / by] };
};

export const prevalence = ({ positives, negatives }: Pick<ClassRanking, 'positives' | 'negatives'>): number =>
  positives / (positives + negatives);

/** Every name of the headline: over all classes, or of one. */
export const rankingNumbers: readonly string[] = [
  'macro_auroc',
  'macro_auprc',
  'weighted_auroc',
  'weighted_auprc',
  'micro_auroc',
  'micro_auprc',
  'classes',
  'auroc',
  'auprc',
  'partial_auroc',
  'precision_at_k',
  'enrichment_at_k',
  'k',
  'prevalence',
  'least_cost_threshold',
  'positives',
  'rows',
];

/** Stable names → numbers; NaN is left out by the app. */
export const rankingHeadline = (r: Ranking): Record<string, number> => {
  if (r.kind === 'all')
    return {
      macro_auroc: r.macroAuroc.value,
      macro_auprc: r.macroAuprc.value,
      weighted_auroc: r.weightedAuroc.value,
      weighted_auprc: r.weightedAuprc.value,
      micro_auroc: r.microAuroc.value,
      micro_auprc: r.microAuprc.value,
      classes: r.classes.length,
      rows: r.rows,
    };
  const [least] = r.thresholds;
  return {
    auroc: r.auroc.value,
    auprc: r.auprc.value,
    partial_auroc: r.partial.value,
    precision_at_k: r.precisionAtK.value,
    enrichment_at_k: enrichment(r).value,
    k: r.k,
    prevalence: prevalence(r),
    least_cost_threshold: least?.threshold ?? Number.NaN,
    positives: r.positives,
    rows: r.rows,
  };
};

const interval = ({ interval: range }: Measured, level: number, method: string): Interval | undefined =>
  range ? { low: range[0], high: range[1], level, method } : undefined;

export const rankingIntervals = (r: Ranking, { confidenceLevel: level, bootstrap }: RankingOptions): Record<string, Interval> => {
  const draws = `stratified bootstrap, ${bootstrap} resamples`;
  const added = (from: string): string => `${from}; standard errors of classes added`;
  const found: Record<string, Interval | undefined> =
    r.kind === 'all'
      ? {
          macro_auroc: interval(r.macroAuroc, level, added('DeLong')),
          macro_auprc: interval(r.macroAuprc, level, added('infinitesimal jackknife')),
          weighted_auroc: interval(r.weightedAuroc, level, added('DeLong')),
          weighted_auprc: interval(r.weightedAuprc, level, added('infinitesimal jackknife')),
          micro_auroc: interval(r.microAuroc, level, 'placements, rows as clusters'),
          micro_auprc: interval(r.microAuprc, level, 'infinitesimal jackknife, rows as clusters'),
        }
      : {
          auroc: interval(r.auroc, level, 'DeLong, on the logit scale'),
          auprc: interval(r.auprc, level, draws),
          partial_auroc: interval(r.partial, level, draws),
          precision_at_k: interval(r.precisionAtK, level, draws),
          enrichment_at_k: interval(enrichment(r), level, draws),
        };
  return Object.fromEntries(Object.entries(found).flatMap(([name, i]) => (i ? [[name, i] as const] : [])));
};

export const rankingNotes = (r: Ranking, { classes }: Pick<Subject, 'classes'>): string[] => {
  const blur =
    r.blur > 0
      ? [`Scores were counted in fine bins, as there are too many to keep one by one: an AUROC is off by at most ${number(r.blur)}.`]
      : [];
  if (r.kind === 'all') {
    const missing = r.classes.flatMap((k, i) => (k.positives === 0 || k.negatives === 0 ? [classes[i] ?? String(i)] : []));
    return [
      ...blur,
      ...(missing.length > 0
        ? [
            `AUROC and AUPRC are undefined for classes without positives or without negatives, and averages leave them out: ${missing.join(', ')}.`,
          ]
        : []),
      ...(r.grouped ? ['Groups are compared for one class at a time: choose it with the option positive.'] : []),
    ];
  }
  return [
    ...blur,
    ...(r.rows > 0 && r.positives === 0 ? ['AUROC is undefined: no positives.'] : []),
    ...(r.rows > 0 && r.negatives === 0 ? ['AUROC is undefined: no negatives.'] : []),
    ...(r.constant && r.positives > 0 && r.negatives > 0 ? ['All scores are equal, so AUROC is ½ and says nothing about the model.'] : []),
    ...(r.byCells
      ? [`Above ${ROW_DRAWS} rows the bootstrap is taken on counts in at least 2,000 cells of neighbouring scores instead of row by row.`]
      : []),
  ];
};
