import type { Interval, NumberCard } from '../report/report.ts';

type Line = NumberCard['values'][number];

/** Lines of a number card that show the headline: a number that is not finite is empty. */
export const headlineLines =
  (headline: Readonly<Record<string, number>>, intervals: Readonly<Record<string, Interval>> = {}) =>
  (name: string, label: string, unit: Line['unit'], note?: string): Line => ({
    name,
    label,
    unit,
    value: Number.isFinite(headline[name]) ? headline[name] : null,
    ...(intervals[name] ? { interval: intervals[name] } : {}),
    ...(note ? { note } : {}),
  });
