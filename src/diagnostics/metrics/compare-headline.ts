import { wilson } from '../../base/maths/proportion.ts';
import type { ValueDifference } from '../../evidence/pair.ts';
import type { Interval } from '../../report/report.ts';
import type { CompareOptions, Comparison, Range } from './compare-scores.ts';
import { ROW_DRAWS } from './compare-state.ts';

/** Below this many rows the bootstrap is not to be trusted. */
export const FEW = 30;

/** Values compared whose distance from the other's, relative to its size, is beyond what is let pass. */
export const deviating = (values: Comparison['values'], { deviation }: Pick<CompareOptions, 'deviation'>): readonly ValueDifference[] =>
  (values?.values ?? []).filter(({ relative }) => relative === null || relative > deviation);

/** Numbers of the values inside, where they were compared. */
export const insideHeadline = (values: Comparison['values'], options: Pick<CompareOptions, 'deviation'>): Record<string, number> => {
  if (!values) return {};
  const relatives = values.values.map(({ relative }) => relative ?? Number.POSITIVE_INFINITY);
  return {
    values_compared: relatives.length,
    values_deviating: deviating(values, options).length,
    largest_relative_difference: relatives.reduce((most, r) => Math.max(most, r), relatives.length > 0 ? 0 : Number.NaN),
  };
};

/** Stable names → numbers; `against_` is of the other, `_difference` the first less the other. */
export const compareHeadline = (c: Comparison, options: CompareOptions): Record<string, number> => ({
  ...Object.fromEntries(
    c.compared.flatMap(({ name, of, value, p }) => [
      [name, of[0]],
      [`against_${name}`, of[1]],
      [`${name}_difference`, value],
      [`${name}_p`, p ?? Number.NaN],
    ]),
  ),
  mcnemar_p: c.mcNemar.p,
  mcnemar_exact_p: c.mcNemar.exact,
  mcnemar_mid_p: c.mcNemar.midP,
  mcnemar_chi2: c.mcNemar.chi2,
  mcnemar_chi2_p: c.mcNemar.chi2P,
  right_alone: c.right[1],
  against_right_alone: c.right[2],
  disagreement: c.different / c.rows,
  ...insideHeadline(c.values, options),
  rows: c.rows,
});

export const compareIntervals = (c: Comparison, { confidenceLevel: level, bootstrap }: CompareOptions): Record<string, Interval> => {
  const methods = {
    accuracy: 'Wilson',
    nll: 'normal',
    brier: 'normal',
    macro_f1: 'delta method',
    ece: '',
    auroc: 'DeLong, on the logit scale',
    auprc: 'infinitesimal jackknife, on the logit scale',
  } as const;
  const entry = (name: string, range: Range, method: string): (readonly [string, Interval])[] =>
    range ? [[name, { low: range[0], high: range[1], level, method }]] : [];
  return Object.fromEntries([
    ...c.compared.flatMap(({ name, intervals, interval }) => [
      ...entry(name, intervals[0], methods[name]),
      ...entry(`against_${name}`, intervals[1], methods[name]),
      ...entry(
        `${name}_difference`,
        interval,
        name === 'accuracy' ? 'Bonett–Price, paired' : `paired bootstrap, ${bootstrap} resamples${c.byCells ? ' of counts in cells' : ''}`,
      ),
    ]),
    ...entry('disagreement', wilson(c.different, c.rows, level), 'Wilson'),
  ]);
};

export const insideNotes = (values: Comparison['values']): string[] =>
  values && values.values.length === 0
    ? ['The two files have no value or node of one name and shape in common, so nothing inside them could be compared.']
    : [];

/** Two areas that point to different models. */
const rankingNotes = ({ compared, names }: Comparison): string[] => {
  const of = (name: string): number => compared.find((m) => m.name === name)?.value ?? 0;
  const [roc, pr] = [of('auroc'), of('auprc')];
  return roc * pr < 0
    ? [
        `AUROC favours '${names[roc > 0 ? 0 : 1]}' and AUPRC '${names[pr > 0 ? 0 : 1]}': choose by what is done with the scores, the top of the ranking alone (AUPRC) or any threshold and all groups alike (AUROC).`,
      ]
    : [];
};

export const compareNotes = (c: Comparison): string[] => [
  `Differences are those of '${c.names[0]}' less those of '${c.names[1]}'.`,
  ...(c.byCells
    ? [
        `Above ${ROW_DRAWS} rows resamples are drawn on counts in fine cells (of both confidences, of the difference of losses, of label and answers) instead of row by row.`,
      ]
    : []),
  ...(c.rows < FEW
    ? [`With fewer than ${FEW} rows resampling knows too little of other rows: its intervals are too narrow and its p-values too small.`]
    : []),
  ...rankingNotes(c),
  ...insideNotes(c.values),
];
