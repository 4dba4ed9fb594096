import type { Card, NumberCard } from '../../report/report.ts';
import { number, pValue } from '../wording.ts';
import { adaptive, classwise, ownNames, reliabilityIntervals } from './reliability-headline.ts';
import type { Words } from './reliability-words.ts';
import type { Reliability, ReliabilityOptions } from './scores.ts';

type Value = NumberCard['values'][number];

/** A value, null where undefined, with what perfect calibration would score on the same confidences. */
const scalar = (name: string, label: string, value: number, more: Partial<Value> = {}): Value => ({
  name,
  label,
  value: Number.isFinite(value) ? value : null,
  unit: 'none',
  ...more,
});

const floorNote = (floor: { readonly mean: number; readonly sd: number }, p: number, draws: number): string =>
  `noise floor ${number(floor.mean)} ± ${number(floor.sd)}; ${pValue(p, draws)}`;

export const numbers = (r: Reliability, options: ReliabilityOptions, words: Words): Card => {
  const intervals = reliabilityIntervals(r, options);
  const interval = (name: string): Partial<Value> => (intervals[name] ? { interval: intervals[name] } : {});
  const few = { note: `undefined: ${options.bins} bins need at least ${2 * options.bins} rows` };
  const oneSided = { note: r.positive < 0 ? 'undefined: needs both right and wrong answers' : 'undefined: needs rows of both kinds' };
  const names = ownNames(r);
  const { risk } = r;
  return {
    kind: 'number',
    title: 'Calibration scores',
    caption: 'The reference is what a perfectly calibrated model would score on the same confidences, where that is known.',
    values: [
      scalar(names.share, `${words.share} (reference: ${words.meanClaim.toLowerCase()})`, r.accuracy, {
        unit: 'fraction',
        reference: r.confidence,
        ...interval(names.share),
      }),
      scalar(names.claim, words.meanClaim, r.confidence, { unit: 'fraction' }),
      scalar('ece', `Expected calibration error, ${options.bins} bins of equal width`, r.ece, {
        reference: r.floor.mean,
        note: floorNote(r.floor, r.p, options.nullDraws),
        ...interval('ece'),
      }),
      scalar('ece_mass', 'Expected calibration error, bins of equal mass', r.eceMass, {
        reference: r.floorMass.mean,
        note: floorNote(r.floorMass, r.pMass, options.nullDraws),
      }),
      scalar('ece_debiased', 'Expected calibration error, debiased (equal mass)', r.eceDebiased, {
        reference: 0,
        ...interval('ece_debiased'),
        ...(Number.isNaN(r.eceDebiased) ? few : r.eceDebiased < 0 ? { note: 'below 0: all of the plain error is sampling noise' } : {}),
      }),
      scalar('smooth_ece', 'Smooth calibration error (no bins; its own kernel width)', r.smoothEce.value, {
        reference: r.smoothEce.expected,
        note: pValue(r.smoothEce.p, options.nullDraws),
        ...interval('smooth_ece'),
      }),
      scalar('corp_miscalibration', 'Miscalibration (CORP: Brier score lost against the isotonic fit)', r.corp.mcb, {
        reference: r.mcb.expected,
        note: pValue(r.mcb.p, options.nullDraws),
        ...interval('corp_miscalibration'),
      }),
      scalar('ks', 'Kolmogorov–Smirnov calibration error (no bins)', r.ks, { reference: r.expected.ks }),
      scalar('ce2_debiased', 'Squared calibration error, debiased (equal mass)', r.ce2Debiased, {
        reference: 0,
        ...(Number.isNaN(r.ce2Debiased) ? few : {}),
      }),
      scalar('rmsce', 'Root mean square calibration error', r.rmsce, { reference: r.expected.rmsce }),
      scalar('mce', 'Maximum calibration error (over non-empty bins)', r.mce, { reference: r.expected.mce }),
      scalar('average_ce', 'Average calibration error (every non-empty bin weighs the same)', r.averageCe, {
        reference: r.expected.averageCe,
      }),
      scalar('classwise_ece', 'Classwise calibration error, mean over classes', classwise(r).mean),
      scalar('classwise_ece_sum', 'Classwise calibration error, sum over classes', classwise(r).sum),
      scalar('ace_nixon', 'Adaptive calibration error (ACE), mean over classes and bins of equal mass', adaptive(r).ace),
      scalar('tace', 'The same of probabilities from 0.001 on (TACE)', adaptive(r).tace),
      scalar('nll', 'Log loss', r.nll, {
        unit: 'nats',
        reference: r.expectedNll,
        ...interval('nll'),
        ...(r.clipped > 0 ? { note: `${r.clipped} label ${r.clipped === 1 ? 'probability' : 'probabilities'} below 1e-12` } : {}),
      }),
      scalar('brier', 'Brier score, summed over classes (0 to 2)', r.brier.score, { reference: r.expectedBrier, ...interval('brier') }),
      scalar('brier_mean', 'Brier score, mean over classes', r.brier.score / r.classwise.length, {
        reference: r.expectedBrier / r.classwise.length,
        ...interval('brier_mean'),
      }),
      scalar(names.brier, `Brier score of the ${r.positive < 0 ? 'confidence' : 'probability'}`, r.brierTop.score, {
        reference: r.expectedBrierTop,
      }),
      scalar(
        'bss',
        `Brier skill score of the ${r.positive < 0 ? 'confidence' : 'probability'}`,
        r.bss,
        Number.isNaN(r.bss) ? oneSided : {},
      ),
      scalar(
        names.auroc,
        r.positive < 0 ? 'AUROC of confidence for correctness' : 'AUROC of the probability',
        r.auroc,
        Number.isNaN(r.auroc) ? oneSided : interval(names.auroc),
      ),
      ...(r.positive < 0
        ? [
            scalar('aurc', 'Area under the risk–coverage curve', risk.aurc, { reference: risk.expectedAurc, ...interval('aurc') }),
            scalar('e_aurc', 'Excess area over the best order of these answers', risk.eAurc, { reference: 0 }),
          ]
        : []),
      scalar('rows', 'Rows', r.rows, { unit: 'count' }),
    ],
  };
};
