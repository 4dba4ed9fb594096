import { Fault } from '../base/fault.ts';
import { nearest } from '../base/nearest.ts';
import { sizeOf, type Tensor } from '../base/tensor.ts';
import type { Column, Dataset, Source } from './define.ts';
import { elements, headerBytes, type NpyHeader, readHeader, rowMajor } from './npy.ts';
import { takeRows } from './rows.ts';

/** One array of a file: `dims` with the rows first, [] for a scalar; `rows` reads a range of them. */
export interface StoredArray {
  readonly name: string;
  readonly dtype: Tensor['dtype'];
  readonly dims: readonly number[];
  readonly rowBytes: number;
  rows(from: number, to: number, signal?: AbortSignal): Promise<Tensor>;
}

/** An array in `.npy` form. A column-major one is turned once, in memory; any other is read by ranges. */
export const npyArray = (name: string, path: string, header: NpyHeader, open: (signal?: AbortSignal) => Promise<Source>): StoredArray => {
  const { dtype, dims, width, at } = header;
  const row = sizeOf(dims.slice(1));
  const read = async (from: number, to: number, signal?: AbortSignal): Promise<Tensor> => {
    const source = await open(signal);
    const [start, end] = [at + from * row * width, at + to * row * width];
    if (end > source.size)
      throw new Fault('data/corrupt', {
        path,
        where: `array '${name}'`,
        reason: `it holds ${source.size - at} bytes of elements where ${sizeOf(dims) * width} are due`,
      });
    const data = elements(await source.read(start, end, signal), header, (to - from) * row);
    return { dtype, dims: dims.length ? [to - from, ...dims.slice(1)] : [], data };
  };
  let turned: Promise<Tensor> | undefined;
  const rows = async (from: number, to: number, signal?: AbortSignal): Promise<Tensor> => {
    if (!header.fortran) return read(from, to, signal);
    turned ??= read(0, dims[0], signal).then((t) => ({ ...t, data: rowMajor(t.data, dims) }));
    const whole = await turned;
    return { dtype, dims: [to - from, ...dims.slice(1)], data: whole.data.slice(from * row, to * row) };
  };
  return { name, dtype, dims, rowBytes: row * width, rows };
};

/** Reads the header of an array and opens it. */
export const openNpy = async (
  name: string,
  path: string,
  head: (count: number) => Promise<Uint8Array>,
  open: (signal?: AbortSignal) => Promise<Source>,
): Promise<StoredArray> => {
  const first = await head(256);
  const header = first.length >= 12 && first[6] > 0 ? Math.min(headerBytes, 12 + (first[8] | (first[9] << 8))) : 0;
  return npyArray(name, path, readHeader(header > first.length ? await head(headerBytes) : first, path, name), open);
};

const readBytes = 1 << 24;

/** Arrays of one file as a dataset: columns are those as long as `primary`, the rest are extras. */
export const arraysDataset = (
  format: string,
  path: string,
  arrays: readonly StoredArray[],
  primary: StoredArray,
  more: Pick<Dataset, 'refused' | 'notes'> = {},
): Dataset => {
  const length = primary.dims[0] ?? 1;
  const isColumn = (a: StoredArray): boolean => a.dims.length > 0 && a.dims[0] === length;
  const column = (a: StoredArray): Column => ({ name: a.name, dtype: a.dtype, dims: a.dims.slice(1) });
  const find = (name: string): StoredArray => {
    const found = arrays.find((a) => a.name === name);
    if (found) return found;
    const known = arrays.map((a) => a.name);
    throw more.refused?.get(name) ?? new Fault('data/column', { path, name, nearest: nearest(name, known), known });
  };
  const slice: Dataset['slice'] = async (columns, from, to, signal) =>
    Promise.all(columns.map((name) => find(name).rows(from, to, signal)));
  return {
    format,
    path,
    length,
    columns: arrays.filter(isColumn).map(column),
    extras: arrays.filter((a) => !isColumn(a)).map((a) => ({ ...column(a), length: a.dims[0] ?? 1 })),
    ...more,
    slice,
    take: async (columns, rows, signal) => {
      const bytes = Math.max(1, ...columns.map((name) => find(name).rowBytes));
      const limits = { gap: Math.ceil(65536 / bytes), most: Math.max(1, Math.floor(readBytes / bytes)) };
      return takeRows((from, to) => slice(columns, from, to, signal), rows, limits);
    },
    extra: async (name, signal) => {
      const array = find(name);
      return array.rows(0, array.dims[0] ?? 1, signal);
    },
    view: (name) => arraysDataset(format, path, arrays, find(name), more),
    close: async () => {},
  };
};
