import { number, percent } from '../wording.ts';
import { curveIntervals, lawOf, outliers } from './learning-curve-cards.ts';
import { predictError } from './learning-curve-fit.ts';
import type { CurveOptions, LearningCurve } from './learning-curve-run.ts';

/** Beyond so many times the largest size a prediction is a guess. */
const FAR = 8;

const rows = (x: number): string => (x < 1e6 ? String(Math.round(x)) : number(x));

/** What the numbers say here, and what would change the decision. */
export const curveGuide = (c: LearningCurve, { target, confidenceLevel }: CurveOptions): string => {
  const [{ fit, needed }] = c.curves;
  const law = lawOf(fit);
  const most = fit.points[fit.points.length - 1];
  const off = outliers(fit);
  const check =
    off.length > 0
      ? ` The point at ${off.map((i) => fit.points[i].size).join(', ')} rows lies off the line: look for a mistake in that run before anything else.`
      : '';
  if (!law)
    return fit.why === 'rising'
      ? `There is no power-law region: the error does not fall with data (β = ${fit.slope >= 0 ? '+' : ''}${number(fit.slope)}). More rows of this kind will not help: look at labels, features and training first.${check}`
      : `Fewer than 4 points lie on a line, so nothing is predicted for other sizes. Measure at more sizes, or repeat each with more seeds.${check}`;
  const predicted = predictError(fit, c.at, confidenceLevel);
  const floor = fit.floor
    ? ` It levels out at ${number(law.gamma)}, which no number of rows will beat: that takes better inputs, cleaner labels or another model.`
    : ' A floor cannot be told from these points; there may be one all the same.';
  const { beta } = curveIntervals(c, confidenceLevel);
  const slope = `The error falls as rows^${number(law.beta)}${beta ? ` (exponent ${number(beta.low)} to ${number(beta.high)})` : ''}: twice the rows multiply ${fit.floor ? 'what lies above the floor' : 'it'} by ${number(2 ** law.beta)}.`;
  const ahead = predicted
    ? ` At ${rows(c.at)} rows it should be ${number(predicted.error)} (a run there between ${number(predicted.low)} and ${number(predicted.high)}, at ${percent(confidenceLevel)}).`
    : '';
  const end = (x: number): string => (Number.isFinite(x) ? rows(x) : 'no number of rows that would surely do');
  const reach = !needed
    ? ''
    : !Number.isFinite(needed.size)
      ? ` An error of ${number(target)} is out of this curve's reach.`
      : needed.size <= most.size
        ? ` An error of ${number(target)} is reached already.`
        : ` For an error of ${number(target)} it takes about ${rows(needed.size)} rows (${rows(needed.low)} to ${end(needed.high)}), ${rows(needed.size - most.size)} more than the ${rows(most.size)} at hand.`;
  return `${slope}${ahead}${reach}${floor}${check} Collect data where the gain is worth its price; where it is not, a better model or features must lower the whole curve: run this again with them and compare.`;
};

export const curveNotes = (c: LearningCurve, { predictAt, target }: CurveOptions): string[] => {
  const { trained, curves } = c;
  const zeros = curves.reduce((n, k) => n + k.zeros, 0);
  return [
    ...curves.flatMap(({ fit, needed }) => {
      const most = fit.points[fit.points.length - 1].size;
      return [
        ...(fit.law && predictAt > FAR * most
          ? [
              `${rows(predictAt)} rows are more than ${FAR} times the largest size measured (${rows(most)}): do not trust a prediction so far out.`,
            ]
          : []),
        ...(needed && Number.isFinite(needed.size) && needed.size > FAR * most
          ? [
              `An error of ${number(target)} lies more than ${FAR} times beyond the largest size measured (${rows(most)}): do not trust a prediction so far out.`,
            ]
          : []),
      ];
    }),
    ...(zeros > 0
      ? [`${zeros} ${zeros === 1 ? 'error is' : 'errors are'} 0, which has no logarithm, and ${zeros === 1 ? 'was' : 'were'} left out.`]
      : []),
    ...(trained
      ? [
          `${trained.runs} training runs of ${trained.parameters} parameters, judged on ${trained.validation} validation rows.`,
          ...(trained.repeated > 0 ? [`${trained.repeated} validation rows have a twin among the training rows.`] : []),
          ...trained.missing.map(
            (m) => `The first ${m.size} rows hold no example of ${m.classes.length === 1 ? 'class' : 'classes'} ${m.classes.join(', ')}.`,
          ),
        ]
      : []),
  ];
};
