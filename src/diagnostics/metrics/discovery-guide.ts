import { number, percent } from '../wording.ts';
import { mainOf } from './discovery-cards.ts';
import type { Discovery, Score } from './discovery-scores.ts';
import type { DiscoveryOptions } from './discovery-state.ts';
import { places } from './discovery-tables.ts';

const told = ({ value, interval }: Score, as: (x: number) => string): string =>
  interval ? `${as(value)} (${as(interval[0])} to ${as(interval[1])})` : as(value);

const noPositives = (rows: number, { threshold, direction }: DiscoveryOptions): string =>
  `0 of ${rows} rows satisfy target ${direction === 'below' ? '≤' : '≥'} ${threshold}, so recall, F1 and DAF are undefined: check threshold and direction.`;

/** What the numbers say here, and what would change the decision. */
export const discoveryGuide = (d: Discovery, options: DiscoveryOptions, names: readonly string[]): string => {
  const main = mainOf(d);
  if (!main || main.rows === 0) return 'There are no rows with a target to judge: choose a split that holds some.';
  const [tp, fn, fp] = main.counts;
  const error = Number.isFinite(main.mae.value) ? ` The mean absolute error is ${told(main.mae, number)}.` : '';
  if (tp + fn === 0) return `${noPositives(main.rows, options)}${error}`;
  const acted =
    tp + fp === 0
      ? `No prediction reaches the threshold, so nothing would be acted on and all ${fn} rows worth it would be missed.`
      : `Acting on the ${tp + fp} rows predicted to be worth it is right in ${told(main.precision, percent)} of cases, ${told(main.daf, number)} times as often as acting at random, and finds ${told(main.recall, percent)} of what is worth finding.`;
  const peril =
    d.peril.value > 0
      ? ` ${percent(d.peril.value)} of the rows lie in the triangle of peril, where the typical error exceeds the margin to the threshold: there a decision is close to a coin toss however small the error is on average.`
      : ' Nowhere does the typical error exceed the margin to the threshold.';
  const last = d.steps.at(-1);
  const top = d.steps.find((s) => s.candidates * 2 >= (last?.candidates ?? 0));
  const list =
    last && top && last.candidates >= 20
      ? top.precision - last.precision > 0.05
        ? ` Of the better half of the list ${percent(top.precision)} are right, of the whole ${percent(last.precision)}: stop earlier where a false alarm is dear.`
        : ' The list is about as right at its end as in its first half, so nothing is gained by stopping early.'
      : '';
  const [byError, byF1] = [places(d.models, 'mae', 'low'), places(d.models, 'f1', 'high')];
  const best = byF1.indexOf(1);
  const compared =
    d.models.length > 1
      ? byError[best] === 1
        ? ` Of the models compared '${names[best] ?? best + 1}' is best by F1 and by error.`
        : ` By F1 '${names[best] ?? best + 1}' is best, though it is only number ${byError[best]} by error: choose by what a wrong decision costs, not by the error.`
      : '';
  return `${acted}${peril}${list}${compared}${error} Smaller errors near the threshold would change the decision; smaller ones elsewhere would not. A stricter threshold for predictions trades recall for precision (see Moving the threshold).`;
};

export const discoveryNotes = (d: Discovery, options: DiscoveryOptions): string[] => {
  const main = mainOf(d);
  if (!main || main.rows === 0) return [];
  const [tp, fn] = main.counts;
  const { spread, missing } = main;
  const rows = (n: number): string => `${n} ${n === 1 ? 'row has' : 'rows have'}`;
  return [
    ...(tp + fn === 0 ? [noPositives(main.rows, options)] : []),
    ...(missing > 0
      ? [
          `${rows(missing)} no prediction: ${options.missing === 'as-negative' ? 'counted as left, and not in MAE, RMSE and R²' : 'left out'}.`,
        ]
      : []),
    ...(d.unlabelled > 0
      ? [
          `${rows(d.unlabelled)} no target and ${d.unlabelled === 1 ? 'was' : 'were'} left out: ${d.unlabelledRows.join(', ')}${d.unlabelled > d.unlabelledRows.length ? ', …' : ''}.`,
        ]
      : []),
    ...(Number.isFinite(spread) && (spread < 0.02 || spread > 50)
      ? [`Predictions spread ${number(spread)} times as wide as targets: are both in the same unit?`]
      : []),
    ...(d.first && d.first.list.length < d.first.wanted
      ? [`Only ${d.first.list.length} rows can be ranked, so the first ${d.first.wanted} are all of them.`]
      : []),
  ];
};
