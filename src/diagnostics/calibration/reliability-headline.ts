import type { Subject } from '../../evidence/evidence.ts';
import type { Interval } from '../../report/report.ts';
import type { BrierTerms } from './brier.ts';
import { CELLS, ROW_DRAWS } from './cells.ts';
import type { ClassCalibration } from './class-calibration.ts';
import { TRACED } from './examples.ts';
import { GROUP_DRAWS } from './group-calibration.ts';
import { MOST_PAIRS } from './reliability-state.ts';
import type { Range, Reliability, ReliabilityOptions } from './scores.ts';

/** Sum over classes of one of their errors, and how many classes have it. */
const overClasses = (r: Reliability, of: (k: ClassCalibration) => number): { readonly sum: number; readonly mean: number } => {
  const found = r.classwise.map(of).filter((v) => !Number.isNaN(v));
  const sum = found.reduce((total, v) => total + v, 0);
  return { sum, mean: sum / found.length };
};
export const classwise = (r: Reliability): { readonly sum: number; readonly mean: number } => overClasses(r, (k) => k.ce);
export const adaptive = (r: Reliability): { readonly ace: number; readonly tace: number } => ({
  ace: overClasses(r, (k) => k.ace).mean,
  tace: overClasses(r, (k) => k.tace).mean,
});

const termsNamed = (name: string, t: BrierTerms): Record<string, number> => ({
  [name]: t.score,
  [`${name}_reliability`]: t.reliability,
  [`${name}_resolution`]: t.resolution,
  [`${name}_uncertainty`]: t.uncertainty,
  [`${name}_within_variance`]: t.withinVariance,
  [`${name}_within_covariance`]: t.withinCovariance,
});

/** What is judged has its own names where it is the probability of one class. */
export const ownNames = ({ positive }: Pick<Reliability, 'positive'>): Record<'share' | 'claim' | 'brier' | 'auroc', string> =>
  positive < 0
    ? { share: 'accuracy', claim: 'mean_confidence', brier: 'brier_top', auroc: 'auroc_correct' }
    : { share: 'frequency', claim: 'mean_probability', brier: 'brier_event', auroc: 'auroc' };

const terms = ['reliability', 'resolution', 'uncertainty', 'within_variance', 'within_covariance'];
const ofBrier = (name: string): readonly string[] => [name, ...terms.map((term) => `${name}_${term}`)];

/** Every name of the headline: of the answer's confidence, or of one class's probability. */
export const reliabilityNumbers: readonly string[] = [
  'rows',
  ...[0, -1].flatMap((positive) => {
    const { share, claim, brier, auroc } = ownNames({ positive });
    return [share, claim, auroc, ...ofBrier(brier)];
  }),
  'ece',
  'noise_floor',
  'ece_p_value',
  'nll',
  ...ofBrier('brier'),
  'brier_mean',
  'smooth_ece',
  'smooth_ece_p_value',
  'ece_mass',
  'ece_mass_p_value',
  'ece_debiased',
  'ece_critical',
  'ce2_debiased',
  'rmsce',
  'mce',
  'average_ce',
  'classwise_ece',
  'classwise_ece_sum',
  'ace_nixon',
  'tace',
  'accuracy_top*',
  'ece_top*',
  'ks',
  'noise_floor_sd',
  'noise_floor_mass',
  'noise_floor_mass_sd',
  'nll_clipped',
  'bss',
  'corp_miscalibration',
  'corp_discrimination',
  'corp_uncertainty',
  'corp_p_value',
  'aurc',
  'e_aurc',
];

/** Stable names → numbers; what is undefined for these rows is left out. */
export const reliabilityHeadline = (r: Reliability): Record<string, number> => {
  const names = ownNames(r);
  return Object.fromEntries(
    Object.entries({
      rows: r.rows,
      [names.share]: r.accuracy,
      [names.claim]: r.confidence,
      ece: r.ece,
      noise_floor: r.floor.mean,
      ece_p_value: r.p,
      nll: r.nll,
      brier: r.brier.score,
      smooth_ece: r.smoothEce.value,
      [names.auroc]: r.auroc,
      ece_mass: r.eceMass,
      ece_debiased: Math.max(0, r.eceDebiased),
      ce2_debiased: r.ce2Debiased,
      smooth_ece_p_value: r.smoothEce.p,
      rmsce: r.rmsce,
      mce: r.mce,
      average_ce: r.averageCe,
      classwise_ece: classwise(r).mean,
      classwise_ece_sum: classwise(r).sum,
      ace_nixon: adaptive(r).ace,
      tace: adaptive(r).tace,
      ...Object.fromEntries(
        r.top.flatMap((t) => [
          [`accuracy_top${t.k}`, t.accuracy],
          [`ece_top${t.k}`, t.ece],
        ]),
      ),
      ks: r.ks,
      noise_floor_sd: r.floor.sd,
      noise_floor_mass: r.floorMass.mean,
      noise_floor_mass_sd: r.floorMass.sd,
      ece_mass_p_value: r.pMass,
      ece_critical: r.critical,
      nll_clipped: r.clipped,
      ...termsNamed('brier', r.brier),
      brier_mean: r.brier.score / r.classwise.length,
      ...termsNamed(names.brier, r.brierTop),
      bss: r.bss,
      corp_miscalibration: r.corp.mcb,
      corp_discrimination: r.corp.dsc,
      corp_uncertainty: r.corp.unc,
      corp_p_value: r.mcb.p,
      ...(r.positive < 0 ? { aurc: r.risk.aurc, e_aurc: r.risk.eAurc } : {}),
    }).filter(([, v]) => Number.isFinite(v)),
  );
};

export const reliabilityIntervals = (
  r: Reliability,
  { confidenceLevel: level, bootstrap }: ReliabilityOptions,
): Record<string, Interval> => {
  const names = ownNames(r);
  const found: readonly (readonly [string, Range, string])[] = [
    [names.share, r.accuracyInterval, 'Wilson'],
    ...['ece', 'ece_debiased'].map((name) => [name, r.eceInterval, `bootstrap of the debiased ECE, ${bootstrap} resamples`] as const),
    ['smooth_ece', r.smoothEce.interval, `bootstrap less its bias, ${bootstrap} resamples`],
    ['corp_miscalibration', r.mcb.interval, `bootstrap less its bias, ${bootstrap} resamples`],
    ['nll', r.nllInterval, 'normal'],
    ['brier', r.brierInterval, 'normal'],
    ['brier_mean', r.brierInterval && [r.brierInterval[0] / r.classwise.length, r.brierInterval[1] / r.classwise.length], 'normal'],
    [names.auroc, r.aurocInterval, 'DeLong, on the logit scale'],
    ['aurc', r.positive < 0 ? r.risk.interval : null, `bootstrap, ${bootstrap} resamples`],
    ...r.top.map((t) => [`accuracy_top${t.k}`, t.interval, 'Wilson'] as const),
  ];
  return Object.fromEntries(
    found.flatMap(([name, range, method]) => (range ? [[name, { low: range[0], high: range[1], level, method }]] : [])),
  );
};

/** What was counted instead of kept row by row. */
export const bucketNotes = (r: Reliability): string[] => [
  ...(r.byCells
    ? [
        `Above ${ROW_DRAWS} rows the null draws and the bootstrap are taken on counts in at least ${CELLS} fine confidence cells instead of row by row.`,
      ]
    : []),
  ...(r.curvesByCells
    ? [
        `The bands of the smooth and the isotonic curve, and the draws of their errors, join rows in at least ${CELLS} fine confidence cells; all other draws are taken row by row.`,
      ]
    : []),
  ...(r.bucketed
    ? [
        `Beyond ${MOST_PAIRS} rows confidences are counted in 129,026 buckets, each within 0.2 % of the distance to 0 or 1: all numbers made from them are approximate.`,
      ]
    : []),
];

export const reliabilityNotes = (r: Reliability, { bins }: ReliabilityOptions, subject: Pick<Subject, 'scores'>): string[] => [
  ...bucketNotes(r),
  ...(r.classesBucketed
    ? [
        'There are many class probabilities, so for the adaptive errors (ACE, TACE) they were counted in fine bins: those two are approximate.',
      ]
    : []),
  ...(r.grouped ? [`Each group's p-value and interval come from ${GROUP_DRAWS} draws, in large groups on 256 confidence cells.`] : []),
  ...(2 * bins > r.rows
    ? [`The debiased errors and the interval of ECE need bins of at least 2 rows: ${bins} bins are too many for ${r.rows} rows.`]
    : []),
  ...(r.positive < 0 && (r.hits === 0 || r.hits === r.rows)
    ? [
        `All answers are ${r.hits === 0 ? 'wrong' : 'right'}, so the Brier skill score and the AUROC of confidence for correctness are undefined.`,
      ]
    : []),
  ...(r.positive >= 0 && (r.hits === 0 || r.hits === r.rows)
    ? [`${r.hits === 0 ? 'No' : 'Every'} row is of this class, so the Brier skill score and the AUROC of its probability are undefined.`]
    : []),
  ...(subject.scores === 'probabilities' && r.clipped > 0
    ? [`The model gives probabilities, not logits: ${r.clipped} of ${r.rows} label probabilities were clipped to 1e-12 in the log loss.`]
    : []),
  ...(r.traced ? [] : [`Bins of equal mass name their samples up to ${TRACED} rows; choose binning 'width' to see samples here.`]),
];
