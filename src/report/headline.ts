import type { Interval, NumberCard, Report, Unit } from './report.ts';

export interface HeadlineNumber {
  readonly name: string;
  readonly label: string;
  readonly value: number;
  readonly unit: Unit;
  readonly interval?: Interval;
  readonly reference?: number;
}

/** The headline with the long name, unit and reference its number card gives it. */
export const headlineOf = (report: Report): readonly HeadlineNumber[] => {
  const known = new Map<string, NumberCard['values'][number]>();
  for (const card of report.cards) {
    if (card.kind !== 'number') continue;
    for (const value of card.values) if (!known.has(value.name)) known.set(value.name, value);
  }
  return Object.entries(report.headline).map(([name, value]) => {
    const long = known.get(name);
    const interval = report.intervals[name] ?? long?.interval;
    return {
      name,
      label: long?.label ?? name,
      value,
      unit: long?.unit ?? (name === 'rows' ? 'count' : 'none'),
      ...(interval && { interval }),
      ...(long?.reference !== undefined && { reference: long.reference }),
    };
  });
};

/** What is shown first: the first numbers of the headline, `rows` last; the others are a step away. */
export const leadingOf = (
  report: Report,
  most: number,
): { readonly leading: readonly HeadlineNumber[]; readonly others: readonly HeadlineNumber[] } => {
  const all = headlineOf(report);
  const sorted = [...all.filter(({ name }) => name !== 'rows'), ...all.filter(({ name }) => name === 'rows')];
  return all.length <= most + 1 ? { leading: sorted, others: [] } : { leading: sorted.slice(0, most), others: sorted.slice(most) };
};
