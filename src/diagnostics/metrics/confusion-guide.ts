import { signTest, wilson } from '../../base/maths/proportion.ts';
import { number, percent, range, rowCount } from '../wording.ts';
import { type Confusion, mistakes } from './confusion-scores.ts';

/** What answers cost, and whether a single answer or the least expected cost would do better. */
const costSentence = ({ cost, rows }: Confusion, names: readonly string[]): string => {
  if (!cost) return '';
  const within = cost.interval ? ` (${number(cost.interval[0])} to ${number(cost.interval[1])})` : '';
  const constant =
    cost.constant.mean <= cost.mean
      ? ` Always answering ${names[cost.constant.answer]} would cost ${number(cost.constant.mean)}: under these costs the model is of no use as it is.`
      : '';
  const decided = cost.decided
    ? ` Answering by least expected cost would cost ${number(cost.decided.mean)} and change ${percent(cost.decided.changed / rows)} of the answers; where it costs more, the probabilities are not calibrated enough to decide by.`
    : '';
  return ` Under the costs given a row costs ${number(cost.mean)}${within}.${constant}${decided}`;
};

/** What the matrix says here, and what would change the decision. */
export const confusionGuide = (confusion: Confusion, names: readonly string[], level: number): string => {
  const { rows, mean, scores, accuracyInterval, counts, classes } = confusion;
  if (rows === 0 || !accuracyInterval) return 'There are no rows to judge: choose a split that holds some.';
  const cost = costSentence(confusion, names);
  const hits = Math.round(mean.accuracy * rows);
  const opening = `The model is right on ${hits} of ${rowCount(rows)}, ${percent(mean.accuracy)} (${percent(level)} interval ${range(accuracyInterval)}).`;
  const labelled = scores.map((s, k) => ({ ...s, k })).filter((s) => s.rows > 0);
  const [worst] = mistakes(confusion);
  const most = wilson(0, rows, level)?.[1] ?? 1;
  const spotless = ` No mistake was seen, so these rows only bound the error rate: up to ${percent(most)} is compatible with them.`;
  if (labelled.length === 1) {
    const [only] = labelled;
    const wrong = worst ? ` The most frequent wrong answer is ${names[worst.predicted]}: ${rowCount(worst.count)}.` : spotless;
    return `${opening} Every row is labelled ${names[only.k]}, so only the recall of that class is measured: always answering it would be right on all, and what else is mistaken for it cannot be seen. Choose rows of every class before deciding anything.${wrong}${cost}`;
  }
  const useful =
    accuracyInterval[0] > mean.majority
      ? ''
      : ` Always answering the most frequent class would score ${percent(mean.majority)}, which this interval does not exclude: the model has not been shown to have learned more than the class frequencies.`;
  if (!worst) return `${opening}${useful}${spotless} More or harder rows would change this, not another look at the matrix.${cost}`;
  const reverse = counts[worst.predicted * classes + worst.actual];
  const [a, p] = [names[worst.actual], names[worst.predicted]];
  const pair =
    signTest(worst.count, reverse) < 1 - level
      ? `and only ${reverse} the other way round: the model leans towards ${p}, which class weights, more rows of ${a} or a different threshold can correct`
      : `and ${reverse} the other way round, which does not show a leaning to either side: look at the samples of both cells, for labels that are wrong or classes that overlap, before training longer`;
  const weakest = labelled.reduce((low, s) => ((s.recall ?? 1) < (low.recall ?? 1) ? s : low));
  // The least of several recalls is low by chance too: Bonferroni over the classes.
  const interval = wilson(weakest.hits, weakest.rows, 1 - (1 - level) / labelled.length) ?? [0, 1];
  const found = `its interval, widened for having picked the least of ${labelled.length}, is ${range(interval)}`;
  const sure =
    interval[1] < mean.accuracy
      ? `${found} and lies below the overall accuracy, so it is worth acting on`
      : `${found} and still reaches the overall accuracy, so gather more rows of it before acting`;
  return `${opening}${useful} The most frequent confusion is ${a} predicted as ${p}: ${worst.count} of ${rowCount(scores[worst.actual].rows)}, ${pair}. The class found least often is ${names[weakest.k]} (recall ${percent(weakest.recall ?? 0)} of ${rowCount(weakest.rows)}): ${sure}.${cost}`;
};
