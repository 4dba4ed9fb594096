import { keepFirst } from '../selection.ts';
import { type Bin, widthBinOf } from './bins.ts';
import { type Pile, pile, pour, put, values } from './pairs.ts';

/** Above this many rows equal-mass bins, whose edges are known only at the end, no longer name their samples. */
export const TRACED = 100_000;

/** First rows of every width bin; or, for mass bins, confidence and row number of all rows up to `TRACED`. */
export type Examples =
  | { readonly kind: 'width'; readonly first: number[][] }
  | { readonly kind: 'mass'; readonly c: Pile; readonly row: Pile; over: boolean };

export const examples = (binning: 'width' | 'mass', bins: number): Examples =>
  binning === 'width'
    ? { kind: 'width', first: Array.from({ length: bins }, () => []) }
    : { kind: 'mass', c: pile(), row: pile(), over: false };

const close = (to: Extract<Examples, { kind: 'mass' }>): void => {
  to.over = true;
  for (const p of [to.c, to.row]) {
    p.chunks.length = 0;
    p.length = 0;
  }
};

export const trace = (to: Examples, c: number, row: number): void => {
  if (to.kind === 'width') keepFirst(to.first[widthBinOf(c, to.first.length)], row);
  else if (!to.over) {
    put(to.c, c);
    put(to.row, row);
    if (to.c.length > TRACED) close(to);
  }
};

export const mergeExamples = (to: Examples, from: Examples): void => {
  if (to.kind === 'width' && from.kind === 'width') {
    from.first.forEach((rows, k) => {
      for (const row of rows) keepFirst(to.first[k], row);
    });
  } else if (to.kind === 'mass' && from.kind === 'mass') {
    if (to.over || from.over || to.c.length + from.c.length > TRACED) close(to);
    else {
      pour(to.c, from.c);
      pour(to.row, from.row);
    }
  }
};

/** The first rows of each of the bins drawn. */
export const rowsOf = (of: Examples, bins: readonly Bin[]): number[][] => {
  if (of.kind === 'width') return of.first;
  const kept: number[][] = bins.map(() => []);
  const rows = values(of.row);
  values(of.c).forEach((c, i) => {
    let k = 0;
    while (k < bins.length - 1 && c > bins[k].high) k++;
    keepFirst(kept[k], rows[i]);
  });
  return kept;
};
