import type { Selection } from '../report/report.ts';

/** Rows kept behind one mark of a card: the smallest row numbers, so that neither order nor sharding of the data matters. */
const SHOWN = 24;

export const keepFirst = (kept: number[], row: number, most: number = SHOWN): void => {
  if (kept.length === most && row > kept[most - 1]) return;
  let at = kept.length;
  while (at > 0 && kept[at - 1] > row) at--;
  kept.splice(at, 0, row);
  if (kept.length > most) kept.pop();
};

export const selection = (label: string, total: number, rows: readonly number[] | undefined): Selection | null =>
  total === 0 ? null : { label, total, rows: rows ?? [] };
