import type { Interval, TableCard } from '../report/report.ts';

type Span = readonly [low: number, high: number];

/**
 * Interval of a − b from the intervals of two estimates, each distance in quadrature (MOVER: Zou, Donner 2008). It takes them for
 * independent, so that it is too wide, never too narrow, for estimates from the same rows that rise and fall together.
 */
export const differenceSpan = (a: number, [lowA, highA]: Span, b: number, [lowB, highB]: Span): Span => [
  a - b - Math.hypot(a - lowA, highB - b),
  a - b + Math.hypot(highA - a, b - lowB),
];

/** The same of named intervals, which must be of one level. */
export const differenceInterval = (a: number, ia: Interval | undefined, b: number, ib: Interval | undefined): Interval | undefined => {
  if (!ia || !ib || Math.abs(ia.level - ib.level) > 1e-9) return undefined;
  const [low, high] = differenceSpan(a, [ia.low, ia.high], b, [ib.low, ib.high]);
  return { low, high, level: ia.level, method: 'MOVER, as if independent' };
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
