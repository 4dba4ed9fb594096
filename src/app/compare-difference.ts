import { differenceSpan, pairedSpan } from '../base/maths/difference.ts';
import type { Interval, TableCard } from '../report/report.ts';

/** Interval of the difference of two named ones, which must be of one level; of estimates on pairs of rows with their correlation. */
export const differenceInterval = (
  a: number,
  ia: Interval | undefined,
  b: number,
  ib: Interval | undefined,
  correlation?: number,
): Interval | undefined => {
  if (!ia || !ib || Math.abs(ia.level - ib.level) > 1e-9) return undefined;
  const [own, other] = [[ia.low, ia.high] as const, [ib.low, ib.high] as const];
  const [low, high] = correlation === undefined ? differenceSpan(a, own, b, other) : pairedSpan(a, own, b, other, correlation);
  return { low, high, level: ia.level, method: correlation === undefined ? 'MOVER, as if independent' : 'paired by row' };
};

/** Numbers of two reports beside each other: name, first, other, difference and its interval. */
export const differenceTable = (title: string, names: readonly [string, string], rows: TableCard['rows']): TableCard => ({
  kind: 'table',
  title,
  caption: `Difference: ${names[0]} less ${names[1]}; with an interval where both have one at the same level.`,
  columns: [
    { name: 'name', label: 'Number', type: 'text' },
    { name: 'first', label: names[0], type: 'number' },
    { name: 'other', label: names[1], type: 'number' },
    { name: 'difference', label: 'Difference', type: 'number' },
    { name: 'interval', label: 'Interval', type: 'interval' },
  ],
  rows,
});
