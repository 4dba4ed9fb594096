import type { Subject } from '../../evidence/evidence.ts';
import type { Interval } from '../../report/report.ts';
import { CELLS, ROW_DRAWS } from './cells.ts';
import { TRACED } from './examples.ts';
import type { Reliability, ReliabilityOptions } from './scores.ts';

export const classwiseSum = (r: Reliability): number => r.classwise.reduce((sum, k) => sum + k.ce, 0);

/** Stable names → numbers; what is undefined for these rows is left out. */
export const reliabilityHeadline = (r: Reliability): Record<string, number> =>
  Object.fromEntries(
    Object.entries({
      rows: r.rows,
      accuracy: r.accuracy,
      mean_confidence: r.confidence,
      ece: r.ece,
      ece_mass: r.eceMass,
      ece_debiased: Math.max(0, r.eceDebiased),
      ce2_debiased: r.ce2Debiased,
      rmsce: r.rmsce,
      mce: r.mce,
      average_ce: r.averageCe,
      classwise_ece: classwiseSum(r) / r.classwise.length,
      classwise_ece_sum: classwiseSum(r),
      ks: r.ks,
      noise_floor: r.floor.mean,
      noise_floor_sd: r.floor.sd,
      ece_p_value: r.p,
      noise_floor_mass: r.floorMass.mean,
      noise_floor_mass_sd: r.floorMass.sd,
      ece_mass_p_value: r.pMass,
      ece_critical: r.critical,
      nll: r.nll,
      nll_clipped: r.clipped,
      brier: r.brier.score,
      brier_mean: r.brier.score / r.classwise.length,
      brier_reliability: r.brier.reliability,
      brier_resolution: r.brier.resolution,
      brier_uncertainty: r.brier.uncertainty,
      brier_within_variance: r.brier.withinVariance,
      brier_within_covariance: r.brier.withinCovariance,
      brier_top: r.brierTop.score,
      brier_top_reliability: r.brierTop.reliability,
      brier_top_resolution: r.brierTop.resolution,
      brier_top_uncertainty: r.brierTop.uncertainty,
      brier_top_within_variance: r.brierTop.withinVariance,
      brier_top_within_covariance: r.brierTop.withinCovariance,
      bss: r.bss,
      auroc_correct: r.auroc,
      aurc: r.risk.aurc,
      e_aurc: r.risk.eAurc,
    }).filter(([, v]) => Number.isFinite(v)),
  );

export const reliabilityIntervals = (
  r: Reliability,
  { confidenceLevel: level, bootstrap }: ReliabilityOptions,
): Record<string, Interval> => {
  const interval = (range: readonly [number, number] | null, method: string): Interval | null =>
    range && { low: range[0], high: range[1], level, method };
  const accuracy = interval(r.accuracyInterval, 'Wilson');
  const ece = interval(r.eceInterval, `bootstrap of the debiased ECE, ${bootstrap} resamples`);
  return { ...(accuracy ? { accuracy } : {}), ...(ece ? { ece, ece_debiased: ece } : {}) };
};

export const reliabilityNotes = (r: Reliability, { bins }: ReliabilityOptions, subject: Pick<Subject, 'scores'>): string[] => [
  ...(r.byCells
    ? [
        `Above ${ROW_DRAWS} rows the null draws and the bootstrap are taken on counts in at least ${CELLS} fine confidence cells instead of row by row.`,
      ]
    : []),
  ...(2 * bins > r.rows
    ? [`The debiased errors and the interval of ECE need bins of at least 2 rows: ${bins} bins are too many for ${r.rows} rows.`]
    : []),
  ...(r.hits === 0 || r.hits === r.rows
    ? [
        `All answers are ${r.hits === 0 ? 'wrong' : 'right'}, so the Brier skill score and the AUROC of confidence for correctness are undefined.`,
      ]
    : []),
  ...(subject.scores === 'probabilities' && r.clipped > 0
    ? [`The model gives probabilities, not logits: ${r.clipped} of ${r.rows} label probabilities were clipped to 1e-12 in the log loss.`]
    : []),
  ...(r.traced ? [] : [`Bins of equal mass name their samples up to ${TRACED} rows; choose binning 'width' to see samples here.`]),
];
