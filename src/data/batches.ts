import { Fault } from '../base/fault.ts';
import type { Tensor } from '../base/tensor.ts';
import type { Dataset } from './define.ts';

export interface Batch {
  /** Row numbers in the dataset. */
  readonly rows: Float64Array;
  /** One tensor a column, in the order asked. */
  readonly columns: readonly Tensor[];
}

/** Rows [from, to) of a list of rows, or of the dataset itself. */
const rowNumbers = (rows: Float64Array | undefined, from: number, to: number): Float64Array =>
  rows ? rows.subarray(from, to) : Float64Array.from({ length: to - from }, (_, i) => from + i);

/** Runs of consecutive rows are cheaper to slice than to take. */
const isRun = (rows: Float64Array): boolean =>
  rows.length > 0 && rows[rows.length - 1] - rows[0] === rows.length - 1 && rows.every((r, i) => r === rows[0] + i);

export const readRows = async (
  dataset: Dataset,
  columns: readonly string[],
  rows: Float64Array,
  signal?: AbortSignal,
): Promise<readonly Tensor[]> =>
  isRun(rows) ? dataset.slice(columns, rows[0], rows[rows.length - 1] + 1, signal) : dataset.take(columns, rows, signal);

/** Batches in order, each read while the one before is used: at most two are in memory. */
export async function* batches(
  dataset: Dataset,
  columns: readonly string[],
  { rows, size, signal }: { readonly rows?: Float64Array; readonly size: number; readonly signal?: AbortSignal },
): AsyncGenerator<Batch, void, undefined> {
  const length = rows?.length ?? dataset.length;
  const read = async (from: number): Promise<Batch> => {
    const wanted = rowNumbers(rows, from, Math.min(length, from + size));
    return { rows: wanted, columns: await readRows(dataset, columns, wanted, signal) };
  };
  let next = length > 0 ? read(0) : undefined;
  for (let from = size; next; from += size) {
    const batch: Batch = await next;
    next = from < length ? read(from) : undefined;
    // A failure of the batch read ahead is raised when its turn comes, not while this one is in use.
    next?.catch(() => {});
    if (signal?.aborted) throw new Fault('job/stopped', {});
    yield batch;
  }
}
