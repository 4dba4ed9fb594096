import { mcNemar } from '../../base/maths/mcnemar.ts';
import type { Card, Interval, NumberCard } from '../../report/report.ts';
import type { Findings } from '../define.ts';
import { number, rowCount } from '../wording.ts';
import { scoreColumns } from './compare-cards.ts';
import { insideSentence } from './compare-guide.ts';
import { FEW, insideHeadline, insideNotes } from './compare-headline.ts';
import type { NumberComparison } from './compare-numbers.ts';
import type { CompareOptions } from './compare-scores.ts';
import { valueCards } from './compare-value-cards.ts';
import { drawnCard, regressionHeadline, regressionIntervals, regressionLabels } from './regression-cards.ts';
import { missingNote } from './regression-guide.ts';
import { closerSentence, pairCards } from './regression-pairs.ts';

type Options = Pick<CompareOptions, 'confidenceLevel' | 'deviation'>;

type Intervals = Readonly<Record<string, Interval>>;

const intervalsOf = ({ regressions, compared }: NumberComparison, level: number): Intervals => {
  const [own, other] = regressions.map((r) => regressionIntervals(r, level));
  return Object.fromEntries(
    compared.flatMap(({ name, interval }): (readonly [string, Interval])[] => [
      ...(own[name] ? [[name, own[name]] as const] : []),
      ...(other[name] ? [[`against_${name}`, other[name]] as const] : []),
      ...(interval ? [[`${name}_difference`, { low: interval[0], high: interval[1], level, method: 'paired by row' }] as const] : []),
    ]),
  );
};

const headline = (c: NumberComparison, known: Intervals, options: Options): Record<string, number> => {
  const [own, other] = c.regressions.map(regressionHeadline);
  const { rows, ...scores } = own;
  const differences = Object.keys(scores).map((name) => [`${name}_difference`, own[name] - other[name]] as const);
  return {
    // What is asked for first: the differences, those with an interval before the others.
    ...Object.fromEntries([...differences.filter(([name]) => known[name]), ...differences.filter(([name]) => !known[name])]),
    ...scores,
    ...Object.fromEntries(Object.keys(scores).map((name) => [`against_${name}`, other[name]])),
    closer: c.closer[0],
    against_closer: c.closer[1],
    closer_p: mcNemar(c.closer[0], c.closer[1]).p,
    ...insideHeadline(c.values, options),
    rows,
  };
};

const cards = (c: NumberComparison, known: Intervals, { deviation }: Options): Card[] => {
  const [{ rows }] = c.regressions;
  if (rows === 0) return [];
  const value = (name: string, label: string, of: number): NumberCard['values'][number] => ({
    name,
    label,
    value: Number.isFinite(of) ? of : null,
    unit: 'none',
    reference: 0,
    ...(known[name] ? { interval: known[name] } : {}),
  });
  const span = (name: string): readonly [number, number] | null => (known[name] ? [known[name].low, known[name].high] : null);
  const told = (of: number): number | null => (Number.isFinite(of) ? of : null);
  return [
    {
      kind: 'number',
      title: 'Differences',
      caption: `${c.names[0]} less ${c.names[1]}, on the same ${rows} rows, with paired intervals. Lower is better for the two errors, higher for correlations and R².`,
      values: [
        ...c.compared.map((of) => value(`${of.name}_difference`, `${regressionLabels[of.name]}: difference`, of.value)),
        { name: 'closer', label: `Rows that ${c.names[0]} predicts closer`, value: c.closer[0], unit: 'count' },
        { name: 'against_closer', label: `Rows that ${c.names[1]} predicts closer`, value: c.closer[1], unit: 'count' },
        { name: 'rows', label: 'Rows', value: rows, unit: 'count' },
      ],
    },
    {
      kind: 'table',
      title: 'Scores',
      caption: `Difference: ${c.names[0]} less ${c.names[1]}. Its interval is narrower than those of the two suggest where their errors go together from row to row.`,
      columns: scoreColumns(c.names),
      rows: c.compared.map(({ name, value: difference }) => [
        regressionLabels[name],
        told(c.regressions[0][name].value),
        span(name),
        told(c.regressions[1][name].value),
        span(`against_${name}`),
        told(difference),
        span(`${name}_difference`),
      ]),
    },
    ...pairCards(c.pairs, c.names, rows),
    {
      kind: 'scatter',
      title: drawnCard,
      caption: `On the diagonal predictions are right.${c.pairs.length < rows ? ` ${c.pairs.length} of ${rows} rows are drawn.` : ''}`,
      x: { label: 'Prediction', unit: 'none' },
      y: { label: 'Target', unit: 'none' },
      groups: c.names.map((name, s) => ({
        name,
        points: c.pairs.map(({ said, target }) => [said[s], target] as const),
        rows: c.pairs.map(({ row }) => row),
      })),
      diagonal: true,
    },
    ...valueCards(c.values, deviation),
  ];
};

const guide = (c: NumberComparison, options: Options): string => {
  const [{ rows, mae }, other] = c.regressions;
  if (rows === 0) return 'There are no rows with a target to compare on: choose a split that holds some.';
  const [first, second] = c.names;
  const difference = c.compared.find(({ name }) => name === 'mae');
  const ends = difference?.interval;
  const opening = `On the same ${rowCount(rows)} ${first} is off by ${number(mae.value)} on average and ${second} by ${number(other.mae.value)}.`;
  const verdict =
    ends && (ends[0] > 0 || ends[1] < 0)
      ? ` The difference, ${number(ends[0])} to ${number(ends[1])}, is more than these rows explain by chance: ${ends[1] < 0 ? first : second} is the more accurate on rows like these.`
      : ends && mae.value !== other.mae.value
        ? ` These rows do not show either to be more accurate: a difference of ${number(ends[0])} to ${number(ends[1])} is compatible with them.`
        : '';
  const apart = c.compared.filter(({ name, interval }) => name !== 'mae' && interval && (interval[0] > 0 || interval[1] < 0));
  const rest =
    apart.length > 0
      ? ` Of the other scores ${apart.map(({ name, value }) => `${name.toUpperCase()} (${value > 0 ? '+' : ''}${number(value)})`).join(', ')} ${apart.length === 1 ? 'differs' : 'differ'} by more than chance; with ${c.compared.length} looked at, ask for a wider margin than for one chosen beforehand.`
      : ' None of the other scores differs by more than chance.';
  return `${opening}${verdict} ${closerSentence(c.closer, rows, c.names)}${rest}${insideSentence(c.values, options)} More rows narrow every interval; before choosing, look at the rows that change most, for what the averages hide.`;
};

/** What two predictions of the same numbers tell. */
export const numberFindings = (c: NumberComparison, options: Options): Findings => {
  const [{ rows, missing, missingRows }] = c.regressions;
  const intervals = intervalsOf(c, options.confidenceLevel);
  return {
    headline: headline(c, intervals, options),
    intervals,
    cards: cards(c, intervals, options),
    guide: guide(c, options),
    notes: [
      `Differences are those of '${c.names[0]}' less those of '${c.names[1]}'.`,
      ...missingNote(missing, missingRows),
      ...(c.pairs.length < rows
        ? [`How far the errors of both go together was taken from ${c.pairs.length} of the ${rows} rows, drawn by their numbers.`]
        : []),
      ...(rows < FEW ? [`With fewer than ${FEW} rows the intervals are too narrow: too little is known of other rows.`] : []),
      ...insideNotes(c.values),
    ],
  };
};
