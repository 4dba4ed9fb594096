import type { Interval } from '../../report/report.ts';
import type { Confusion } from './confusion-scores.ts';

/** Every name of the headline. */
export const confusionNumbers: readonly string[] = [
  'accuracy',
  'macro_f1',
  'macro_precision',
  'macro_recall',
  'weighted_f1',
  'weighted_precision',
  'weighted_recall',
  'micro_f1',
  'balanced_accuracy',
  'cohen_kappa',
  'mcc',
  'majority_rate',
  'expected_cost',
  'constant_cost',
  'least_expected_cost',
  'decisions_changed',
  'classes',
  'rows',
];

export const confusionHeadline = ({ mean, classes, rows, cost }: Confusion): Record<string, number> => ({
  accuracy: mean.accuracy,
  macro_f1: mean.macroF1,
  macro_precision: mean.macroPrecision,
  macro_recall: mean.macroRecall,
  weighted_f1: mean.weightedF1,
  weighted_precision: mean.weightedPrecision,
  weighted_recall: mean.weightedRecall,
  micro_f1: mean.microF1,
  balanced_accuracy: mean.balancedAccuracy,
  cohen_kappa: mean.cohenKappa,
  mcc: mean.mcc,
  majority_rate: mean.majority,
  ...(cost
    ? {
        expected_cost: cost.mean,
        constant_cost: cost.constant.mean,
        ...(cost.decided ? { least_expected_cost: cost.decided.mean, decisions_changed: cost.decided.changed } : {}),
      }
    : {}),
  classes,
  rows,
});

export const confusionIntervals = (of: Confusion, level: number): Record<string, Interval> => {
  const { averageIntervals: found, accuracyInterval, cost } = of;
  const all: readonly (readonly [string, readonly [number, number] | null | undefined, string])[] = [
    ['accuracy', accuracyInterval, 'Wilson'],
    ['micro_f1', accuracyInterval, 'Wilson'],
    ['weighted_recall', accuracyInterval, 'Wilson'],
    ['macro_f1', found.macroF1, 'delta method'],
    ['macro_precision', found.macroPrecision, 'delta method'],
    ['macro_recall', found.macroRecall, 'delta method'],
    ['weighted_f1', found.weightedF1, 'delta method'],
    ['weighted_precision', found.weightedPrecision, 'delta method'],
    ['balanced_accuracy', found.balancedAccuracy, 'delta method'],
    ['cohen_kappa', found.cohenKappa, 'delta method'],
    ['mcc', found.mcc, 'delta method'],
    ['expected_cost', cost?.interval, 'normal'],
    ['least_expected_cost', cost?.decided?.interval, 'normal'],
  ];
  return Object.fromEntries(
    all.flatMap(([name, range, method]) => (range ? [[name, { low: range[0], high: range[1], level, method }]] : [])),
  );
};
