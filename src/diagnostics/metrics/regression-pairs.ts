import { mcNemar } from '../../base/maths/mcnemar.ts';
import type { Card, Report } from '../../report/report.ts';
import type { PairedRuns } from '../define.ts';
import { number, percent, rowCount } from '../wording.ts';
import { drawnCard } from './regression-cards.ts';
import { scoreCorrelations } from './regression-influence.ts';

/** A row, its target, and what each of two predicts of it. */
export interface NumberPair {
  readonly row: number;
  readonly target: number;
  readonly said: readonly [number, number];
}

/** Rows listed at either end of the difference of errors. */
const LISTED = 12;

const errorsOf = ({ target, said }: NumberPair): readonly [number, number] => [Math.abs(said[0] - target), Math.abs(said[1] - target)];

export const pairCorrelations = (pairs: readonly NumberPair[]): ReturnType<typeof scoreCorrelations> =>
  scoreCorrelations(
    Float64Array.from(pairs, ({ said }) => said[0]),
    Float64Array.from(pairs, ({ said }) => said[1]),
    Float64Array.from(pairs, ({ target }) => target),
  );

/** Counts a row on the side whose error is less; equal or unknown errors count on neither. */
export const tallyCloser = (counts: [number, number], [a, b]: readonly [number, number]): void => {
  if (a < b) counts[0]++;
  if (b < a) counts[1]++;
};

/** Rows on which the first, and the other, is closer to the target. */
const closer = (pairs: readonly NumberPair[]): readonly [number, number] => {
  const counts: [number, number] = [0, 0];
  for (const pair of pairs) tallyCloser(counts, errorsOf(pair));
  return counts;
};

/** Both errors of each row, and the rows on which they differ most. */
export const pairCards = (pairs: readonly NumberPair[], names: readonly [string, string], rows: number): Card[] => {
  if (pairs.length === 0) return [];
  const found = pairs
    .map((pair) => ({ pair, errors: errorsOf(pair) }))
    .sort((a, b) => a.errors[0] - b.errors[0] || a.pair.row - b.pair.row);
  const byChange = [...found].sort((a, b) => a.errors[0] - a.errors[1] - (b.errors[0] - b.errors[1]) || a.pair.row - b.pair.row);
  const won = byChange.filter(({ errors: [a, b] }) => a < b).slice(0, LISTED);
  const lost = byChange
    .filter(({ errors: [a, b] }) => a > b)
    .toReversed()
    .slice(0, LISTED);
  const axis = (name: string) => ({ label: `|prediction − target| of ${name}`, unit: 'none', min: 0 }) as const;
  return [
    {
      kind: 'scatter',
      title: 'Errors of both',
      caption: `Above the diagonal ${names[0]} is closer to the target, below it ${names[1]}.${pairs.length < rows ? ` ${pairs.length} of ${rows} rows are drawn.` : ''}`,
      x: axis(names[0]),
      y: axis(names[1]),
      groups: [{ name: 'Rows', points: found.map(({ errors }) => errors), rows: found.map(({ pair }) => pair.row) }],
      diagonal: true,
    },
    ...(won.length + lost.length === 0
      ? []
      : [
          {
            kind: 'table' as const,
            title: 'Rows that change most',
            caption: `Rows that gain most, and lose most, by ${names[0]} in place of ${names[1]}: change of the distance to the target.`,
            columns: [
              { name: 'won', label: `Closer with ${names[0]}`, type: 'row' as const },
              { name: 'won_change', label: 'Change of error', type: 'number' as const },
              { name: 'lost', label: `Closer with ${names[1]}`, type: 'row' as const },
              { name: 'lost_change', label: 'Change of error', type: 'number' as const },
            ],
            rows: Array.from({ length: Math.max(won.length, lost.length) }, (_, i) => [
              won[i]?.pair.row ?? null,
              won[i] ? won[i].errors[0] - won[i].errors[1] : null,
              lost[i]?.pair.row ?? null,
              lost[i] ? lost[i].errors[0] - lost[i].errors[1] : null,
            ]),
          },
        ]),
  ];
};

/** Row by row, which is closer, and whether so uneven a split is more than chance. */
export const closerSentence = ([first, other]: readonly [number, number], rows: number, names: readonly [string, string]): string => {
  if (first + other === 0) return `On all ${rowCount(rows)} both are off by the same.`;
  const { p, method } = mcNemar(first, other);
  return `Row by row ${names[0]} is closer to the target on ${percent(first / rows)} of ${rowCount(rows)} and ${names[1]} on ${percent(other / rows)} (${method}, p = ${number(p)}).`;
};

/** What a report shows of its rows, by row. */
const drawnRows = ({ cards }: Pick<Report, 'cards'>): readonly { readonly row: number; readonly x: number; readonly m: number }[] =>
  cards.flatMap((card) =>
    card.kind === 'scatter' && card.title === drawnCard
      ? card.groups.flatMap(({ points, rows }) => (rows ? points.map(([x, m], i) => ({ row: rows[i], x, m })) : []))
      : [],
  );

/** Both draw the same sample of the same rows, whatever predicted them. */
export const pairRegressionRuns = (
  a: Pick<Report, 'cards' | 'headline'>,
  b: Pick<Report, 'cards' | 'headline'>,
  names: readonly [string, string],
): PairedRuns | undefined => {
  const [mine, theirs] = [drawnRows(a), drawnRows(b)];
  const twin = new Map(theirs.map((one) => [one.row, one]));
  const pairs = mine.flatMap(({ row, x, m }): NumberPair[] => {
    const other = twin.get(row);
    return other?.m === m ? [{ row, target: m, said: [x, other.x] }] : [];
  });
  const rows = a.headline.rows;
  if (rows !== b.headline.rows || pairs.length === 0 || pairs.length !== mine.length || pairs.length !== theirs.length) return undefined;
  return {
    rows: pairs.length,
    distinct: new Set(pairs.map(({ target }) => target)).size,
    correlations: pairCorrelations(pairs),
    cards: pairCards(pairs, names, rows),
    guide: closerSentence(closer(pairs), pairs.length, names),
  };
};
