import { Fault } from '../base/fault.ts';
import { nearest } from '../base/nearest.ts';
import type { Tensor } from '../base/tensor.ts';
import type { Column, Dataset, Source } from './define.ts';
import { copyRows, emptyRows, takeRows } from './rows.ts';

/** Bytes of a block of rows, which are read and parsed together. */
const blockBytes = 1 << 18;
const newline = 10;

/** Rows of a text file that make one block, by the lines of its first bytes. */
export const blockOfRows = (head: Uint8Array): number => {
  let lines = 1;
  for (const byte of head) if (byte === newline) lines++;
  return Math.min(4096, Math.max(16, Math.round((blockBytes * lines) / Math.max(1, head.length))));
};

/** A text table whose rows were counted and typed in one pass: blocks of rows are read and parsed when they are asked for. */
export interface Blocks {
  readonly format: string;
  readonly length: number;
  readonly columns: readonly Column[];
  readonly notes: readonly string[];
  readonly blockRows: number;
  /** Byte where each block starts, and the end of the last row. */
  readonly starts: readonly number[];
  /** All columns of the `count` rows in these bytes, which begin with row `first`. */
  parse(bytes: Uint8Array, count: number, first: number): readonly Tensor[];
}

export const blockDataset = (source: Source, { format, length, columns, notes, blockRows, starts, parse }: Blocks): Dataset => {
  const names = columns.map((c) => c.name);
  const missing = (name: string): Fault =>
    new Fault('data/column', { path: source.path, name, nearest: nearest(name, names), known: names });
  const read = async (block: number, signal?: AbortSignal): Promise<readonly Tensor[]> => {
    const first = block * blockRows;
    return parse(await source.read(starts[block], starts[block + 1], signal), Math.min(blockRows, length - first), first);
  };
  // The last few blocks are kept: batches rarely end where blocks do.
  const kept = new Map<number, Promise<readonly Tensor[]>>();
  const blockOf = (block: number, signal?: AbortSignal): Promise<readonly Tensor[]> => {
    const found = kept.get(block) ?? read(block, signal);
    kept.delete(block);
    kept.set(block, found);
    found.catch(() => kept.delete(block));
    for (const oldest of kept.keys()) if (kept.size > 4) kept.delete(oldest);
    return found;
  };
  const slice: Dataset['slice'] = async (wanted, from, to, signal) => {
    const picked = wanted.map((name) => {
      const at = names.indexOf(name);
      if (at < 0) throw missing(name);
      return at;
    });
    const out = picked.map((c) => emptyRows(columns[c], to - from));
    for (let row = from; row < to; ) {
      const block = Math.floor(row / blockRows);
      const tensors = await blockOf(block, signal);
      const end = Math.min(to, (block + 1) * blockRows);
      for (const [k, c] of picked.entries()) copyRows(tensors[c], row - block * blockRows, out[k], row - from, end - row);
      row = end;
    }
    return out;
  };
  return {
    format,
    path: source.path,
    length,
    columns,
    extras: [],
    notes,
    slice,
    take: (wanted, rows, signal) => takeRows((from, to) => slice(wanted, from, to, signal), rows, { gap: blockRows, most: 4 * blockRows }),
    extra: async (name) => {
      throw missing(name);
    },
    close: async () => kept.clear(),
  };
};
