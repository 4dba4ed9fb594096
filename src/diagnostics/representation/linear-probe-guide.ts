import { pairedDifference } from '../../base/maths/mcnemar.ts';
import { wilson } from '../../base/maths/proportion.ts';
import type { Interval } from '../../report/report.ts';
import { number, percent, range } from '../wording.ts';
import { type CurvePoint, gapOf } from './linear-probe-curve.ts';
import type { Probed, ProbeOptions } from './linear-probe-run.ts';

export const meanOf = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0) / values.length;

/** NaN of none. */
const rmsOf = (values: Float64Array): number => Math.sqrt(meanOf(values.map((v) => v * v)));

/** Standard deviation over draws; null for one. */
export const spreadOf = (values: ArrayLike<number>): number | null => {
  if (values.length < 2) return null;
  const mean = meanOf(values);
  return Math.sqrt(Array.from(values).reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1));
};

const endOf = ({ points }: Probed): CurvePoint => points[points.length - 1];

export const probeHeadline = (r: Probed): Record<string, number> => {
  const end = endOf(r);
  return {
    naive_bayes_error: meanOf(end.naiveBayes),
    logistic_error: meanOf(end.logistic),
    error_difference: gapOf(end),
    crossing: r.crossing.at,
    regime_share: r.crossing.share,
    within_class_correlation: rmsOf(r.assumptions.correlations),
    features: r.width,
    classes: r.names.length,
    rows: r.shown,
    fitted_rows: r.fitted,
  };
};

export const probeIntervals = (
  r: Probed,
  { confidenceLevel: level, bootstrap }: Pick<ProbeOptions, 'confidenceLevel' | 'bootstrap'>,
): Record<string, Interval> => {
  const end = endOf(r);
  const { range: crossing } = r.crossing;
  const one = end.naiveBayes.length === 1;
  const ofError = (error: number): Record<'low' | 'high', number> | undefined => {
    const found = wilson(Math.round(error * r.shown), r.shown, level);
    return found ? { low: found[0], high: found[1] } : undefined;
  };
  const errors = one
    ? ([
        ['naive_bayes_error', end.naiveBayes],
        ['logistic_error', end.logistic],
      ] as const)
    : [];
  return {
    ...Object.fromEntries(
      errors.flatMap(([name, of]) => {
        const found = ofError(of[0]);
        return found ? [[name, { ...found, level, method: 'Wilson, over the rows shown' }]] : [];
      }),
    ),
    ...(one ? difference(r, level) : {}),
    ...(crossing
      ? { crossing: { low: crossing[0], high: crossing[1], level, method: `bootstrap over the draws, ${bootstrap} resamples` } }
      : {}),
  };
};

/** Difference of the two error rates over the same rows. */
const difference = ({ mistakes: { naiveBayesOnly: b, logisticOnly: c }, shown }: Probed, level: number): Record<string, Interval> => {
  const found = pairedDifference(b.length, c.length, shown, level);
  return found ? { error_difference: { low: found[0], high: found[1], level, method: 'Wald over rows in pairs (Bonett, Price)' } } : {};
};

const verdicts: Readonly<Record<Probed['crossing']['regime'], (r: Probed, level: number) => string>> = {
  'two-regimes': ({ crossing }, level) =>
    `Two regimes: below about ${number(crossing.at)} labelled examples${crossing.range ? ` (${percent(level)} interval ${number(crossing.range[0])} to ${number(crossing.range[1])})` : ''} naive Bayes errs less, above it logistic regression: use the head for the number of labels that there are, and label up to there if the second is wanted.`,
  reversed: () =>
    'The order is the reverse of the usual: logistic regression errs less on few examples and naive Bayes on many, so its penalty is too strong for many (raise C) or rows are few: use naive Bayes only if more draws confirm it.',
  logistic: () => 'Logistic regression errs less wherever the two differ: use it at every number of examples.',
  'naive-bayes': () =>
    'Naive Bayes errs less wherever the two differ, up to all examples there are: use it, and label more before expecting logistic regression to win.',
  equal: () => 'The two heads err equally at every size: use naive Bayes, which takes one pass to fit.',
};

export const probeGuide = (r: Probed, { confidenceLevel: level, save }: ProbeOptions): string => {
  const { points, crossing, assumptions } = r;
  const end = endOf(r);
  const paired = end.naiveBayes.length === 1 ? probeIntervals(r, { confidenceLevel: level, bootstrap: 0 }).error_difference : undefined;
  const errors = `On ${end.size} examples naive Bayes errs on ${percent(meanOf(end.naiveBayes))} and logistic regression on ${percent(meanOf(end.logistic))} of ${r.shown} rows${paired ? ` (difference ${range([paired.low, paired.high])})` : ''}.`;
  const verdict = verdicts[crossing.regime](r, level);
  const draws = Math.max(...points.map((p) => p.naiveBayes.length));
  const sure =
    draws > 1
      ? ` ${percent(crossing.share)} of the resampled draws give the same verdict${crossing.share < 0.9 ? ': repeat more draws (repeats) before relying on it' : ''}.`
      : ' With one draw a size chance may decide: repeat more draws (repeats).';
  const rho = rmsOf(assumptions.correlations);
  const chance = 1 / Math.sqrt(assumptions.rows);
  const independent = Number.isNaN(rho)
    ? ''
    : ` Pairs of features correlate within classes by ${number(rho)} (root mean square), where independent ones would by ${number(chance)} by chance: ${rho < 2 * chance ? 'near the independence that naive Bayes takes for granted' : 'naive Bayes counts what they share more than once, which limits it when labels are many'}.`;
  return `${verdict}${sure} ${errors}${independent} In theory naive Bayes comes near its best error with a number of examples that grows as the logarithm of the number of features, logistic regression with one that grows as the number itself. ${r.saved ? `The model was saved in ${save} with the ${r.saved === 'logistic' ? 'logistic' : 'naive Bayes'} head.` : 'Save the head to use it (save).'} Other features (layer) or a head trained together with the layers below would change this answer.`;
};
