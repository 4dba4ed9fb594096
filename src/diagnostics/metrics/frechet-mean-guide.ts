import { number, percent } from '../wording.ts';
import type { Frechet } from './frechet-mean-run.ts';
import type { FrechetScores, Score } from './frechet-mean-scores.ts';

const told = ({ value, interval }: Score, as: (x: number) => string): string =>
  interval ? `${as(value)} (${as(interval[0])} to ${as(interval[1])})` : as(value);

/** What the numbers say here, and what would change the decision. */
export const frechetGuide = (f: Frechet, s: FrechetScores): string => {
  const { names, metric } = f;
  const outside = metric.size - s.reachable;
  const [first] = f.suggestions;
  const reach =
    outside === 0
      ? ` All ${metric.size} labels can be answered${f.observed.length < metric.size ? `, though only ${f.observed.length} are classes of the model` : ''}.`
      : ` ${outside} of ${metric.size} labels can never be answered with these classes${first ? `; examples of '${names[first.label]}', which is farthest from all the others, would help most` : ''}.`;
  if (s.labelled === 0)
    return `There are no labels to judge by: ${s.changed} of ${s.rows} rows are answered otherwise than by the most probable class.${reach} Give labels to see whether that pays.`;
  const { squaredSaved, mean, plain } = s;
  const clear = squaredSaved.interval && squaredSaved.interval[0] > 0;
  const worse = squaredSaved.interval && squaredSaved.interval[1] < 0;
  const verdict = clear
    ? `Answering the label of least expected cost lowers the mean squared distance to the true label by ${told(squaredSaved, percent)}, from ${number(plain.squared.value)} to ${number(mean.squared.value)}, without any training.`
    : worse
      ? `Answering the label of least expected cost raises the mean squared distance to the true label by ${percent(-squaredSaved.value)}: the probabilities do not deserve the trust it puts in them. Calibrate them first (temperature 0 fits one).`
      : Number.isFinite(squaredSaved.value)
        ? `These rows do not show that distances help: the mean squared distance changes by ${told({ value: -squaredSaved.value, interval: squaredSaved.interval && [-squaredSaved.interval[1], -squaredSaved.interval[0]] }, percent)}.`
        : 'The most probable class is right on every row, so there is nothing to gain.';
  const accuracy = ` Accuracy goes from ${percent(plain.accuracy.value)} to ${percent(mean.accuracy.value)}.`;
  const unseen =
    s.unobservedRows > 0
      ? ` Of the ${s.unobservedRows} rows whose label is no class of the model, ${told(mean.unobserved, percent)} are now answered right, where the most probable class never is.`
      : '';
  const price =
    mean.accuracy.value < plain.accuracy.value && clear
      ? ' It pays where a near miss costs less than a far one; where every mistake costs the same, keep the most probable class.'
      : '';
  return `${verdict}${accuracy}${unseen}${reach}${price} Other distances, calibrated probabilities or classes for labels out of reach would change this.`;
};
