import { selection } from '../diagnostics/selection.ts';
import type { BarsCard } from '../report/report.ts';

/** Rows behind a bar. */
const SHOWN = 24;

/** Rows by a number from 0 to `most`, in bins of equal width; `says` tells what a bar stands for. */
export const rowHistogram = (
  of: readonly { readonly row: number; readonly value: number }[],
  most: number,
  count: number,
  says: (low: number, high: number) => string,
): Pick<BarsCard, 'edges' | 'series'> => {
  const bins = Array.from({ length: count }, (): number[] => []);
  for (const { row, value } of of) bins[Math.min(count - 1, Math.floor((value / most) * count))].push(row);
  const edges = Array.from({ length: count + 1 }, (_, i) => (most * i) / count);
  const selections = bins.map((rows, i) =>
    selection(says(edges[i], edges[i + 1]), rows.length, rows.toSorted((a, b) => a - b).slice(0, SHOWN)),
  );
  return { edges, series: [{ name: 'rows', values: bins.map((b) => b.length), selections }] };
};
