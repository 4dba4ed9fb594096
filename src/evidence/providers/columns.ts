import { Fault } from '../../base/fault.ts';
import { nearest } from '../../base/nearest.ts';
import { sizeOf, type Tensor } from '../../base/tensor.ts';
import { batches, readRows } from '../../data/batches.ts';
import type { Column, Dataset } from '../../data/define.ts';
import { splitRows } from '../../data/split.ts';
import { toFloats } from '../../data/values.ts';
import type { Bound } from '../bound.ts';
import type { ColumnsTool, StoredColumn, Values } from '../evidence.ts';

/** Rows in a batch. */
const batchRows = 1024;
/** Numbers that one array may hold: 2 GiB in float64. */
const most = 2 ** 28;

type Open = (path: string, signal: AbortSignal) => Promise<Dataset>;

const numbers = ({ path }: Dataset, name: string, { words }: Partial<Column>, tensor: Tensor): Values => {
  if (tensor.dtype === 'string') {
    if (words) throw new Fault('data/not-a-number', { path, column: name, line: words.line, value: words.first, count: words.count });
    const wrong = (tensor.data as string[]).find((text) => text.trim() !== '' && Number.isNaN(Number(text)));
    if (wrong !== undefined) throw new Fault('data/array-text', { path, name, value: wrong });
  }
  const read = toFloats(tensor);
  return { dims: tensor.dims, data: read instanceof Float64Array ? read : Float64Array.from(read) };
};

const columnsOf = (dataset: Dataset, rows: Float64Array, { label, x }: Pick<ColumnsTool, 'label' | 'x'>, open: Open): ColumnsTool => {
  const { path, length, columns, extras } = dataset;
  const list: readonly StoredColumn[] = [
    ...columns.map(({ name, dtype, dims }) => ({ name, dtype, dims: [length, ...dims] })),
    ...extras.map(({ name, dtype, dims, length: own }) => ({ name, dtype, dims: [own, ...dims] })),
  ];
  const find = (name: string): StoredColumn => {
    const known = list.map((c) => c.name);
    const found = list.find((c) => c.name === name);
    if (!found) throw dataset.refused?.get(name) ?? new Fault('data/column', { path, name, nearest: nearest(name, known), known });
    const size = sizeOf(found.dims);
    if (size > most) throw new Fault('data/array-size', { path, name, size, most });
    return found;
  };
  const facts = (name: string): Partial<Column> => columns.find((c) => c.name === name) ?? {};
  const whole = async (name: string, signal: AbortSignal): Promise<Tensor> => {
    find(name);
    return columns.some((c) => c.name === name) ? (await dataset.slice([name], 0, length, signal))[0] : dataset.extra(name, signal);
  };
  const every = rows.length === length && rows.every((row, i) => row === i);
  return {
    path,
    list,
    rows,
    ...(label === undefined ? {} : { label }),
    ...(x === undefined ? {} : { x }),
    read: async (name, signal) => numbers(dataset, name, facts(name), await whole(name, signal)),
    async take(name, signal) {
      const { dims } = find(name);
      if (dims[0] !== length) throw new Fault('data/array-rows', { path, name, found: dims[0], rows: length });
      const [tensor] = every ? [await whole(name, signal)] : await readRows(dataset, [name], rows, signal);
      return numbers(dataset, name, facts(name), tensor);
    },
    batches: (names, signal) => batches(dataset, names, { ...(every ? {} : { rows }), size: batchRows, signal }),
    words: async (name, signal) => Array.from((await whole(name, signal)).data as ArrayLike<string | number | bigint>, String),
    async split(name, signal) {
      const { rows: found } = await splitRows(dataset, name, label, signal);
      return found ?? Float64Array.from({ length }, (_, i) => i);
    },
    async file(other, signal) {
      const opened = await open(other, signal);
      const all = Float64Array.from({ length: opened.length }, (_, i) => i);
      return columnsOf(opened, all, {}, open);
    },
  };
};

/** Arrays and columns of the bound data file; `open` opens others. */
export const columns = ({ dataset, labelColumn, rowsNamed, count, rowAt }: Bound, open: Open): ColumnsTool =>
  columnsOf(
    dataset,
    Float64Array.from({ length: count }, (_, i) => rowAt(i)),
    { ...(labelColumn === undefined ? {} : { label: labelColumn }), ...(rowsNamed === undefined ? {} : { x: rowsNamed }) },
    open,
  );
