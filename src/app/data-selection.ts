import { Fault } from '../base/fault.ts';
import { breathe } from '../base/job.ts';
import { sortRows } from '../base/row-order.ts';
import { sizeOf, type Tensor } from '../base/tensor.ts';
import { toFloats } from '../data/values.ts';
import type { BalanceClass, DataBalance, DataColumn, DataSelection, SelectionRequest } from '../report/data-view.ts';
import { type ColumnOperand, columnsOf, parseFilter, type RowFilter } from '../report/row-filter.ts';
import { type ColumnValues, rowTest } from '../report/row-test.ts';
import { type DataTable, tableOf, tensorsOf } from './data-table.ts';
import type { AppJob, UseCase } from './ports.ts';

/**
 * Memory beside the file's own: 8 bytes a row for the order (12 while it is sorted), 8 a row for each column of numbers that a filter or a
 * sort reads, kept up to the bound below; for a sort by text 12 a row and the first 64 characters of each different text.
 */
const keptBytes = 128 * 2 ** 20;
const readBytes = 2 ** 24;
const readRows = 65536;
const textLength = 64;
/** More different labels than this are no classes. */
const mostDistinct = 100_000;
const mostTold = 1000;

/** One column as filters and sorts read it: a single number or text of each row. */
interface Reading {
  readonly key: string;
  readonly column: DataColumn;
  readonly index: number;
  /** Filled as rows pass, or kept from before. */
  readonly whole?: Float64Array;
  readonly known: boolean;
}

const keyOf = ({ name, index }: ColumnOperand): string => `${name}[${index ?? ''}]`;
const isText = ({ kind }: DataColumn): boolean => kind === 'text';

const numbersOf = (tensor: Tensor, index: number): Float32Array | Float64Array => {
  const values = toFloats(tensor);
  const width = sizeOf(tensor.dims.slice(1));
  return width === 1 ? values : Float64Array.from({ length: tensor.dims[0] }, (_, i) => values[i * width + index]);
};

const readingOf = (operand: ColumnOperand, { columns, kept, dataset }: DataTable): Reading | undefined => {
  const column = columns.find((c) => c.name === operand.name);
  if (!column || column.role === 'row') return undefined;
  const key = keyOf(operand);
  const known = kept.get(key);
  if (known) {
    kept.delete(key);
    kept.set(key, known);
  }
  const whole = known ?? (isText(column) || 8 * dataset.length > keptBytes ? undefined : new Float64Array(dataset.length));
  return { key, column, index: operand.index ?? 0, known: known !== undefined, ...(whole ? { whole } : {}) };
};

const keep = (readings: readonly Reading[], { kept }: DataTable): void => {
  for (const { key, whole } of readings) if (whole) kept.set(key, whole);
  let bytes = [...kept.values()].reduce((n, v) => n + v.byteLength, 0);
  for (const [key, values] of kept) {
    if (bytes <= keptBytes) break;
    kept.delete(key);
    bytes -= values.byteLength;
  }
};

/** Counts of what a label column holds; none where it holds fractions or far too many different values. */
const counting = (column: DataColumn) => {
  const counts = new Map<number | string, { all: number; kept: number }>();
  const missing = { all: 0, kept: 0 };
  let classed = true;
  return {
    add(value: number | string, kept: boolean): void {
      if (!classed) return;
      const gone = value === '' || Number.isNaN(value);
      if (!gone && typeof value === 'number' && !Number.isInteger(value)) classed = false;
      const of = gone ? missing : (counts.get(value) ?? { all: 0, kept: 0 });
      of.all++;
      if (kept) of.kept++;
      if (gone) return;
      counts.set(value, of);
      if (counts.size > mostDistinct) classed = false;
    },
    result(): DataBalance | undefined {
      if (!classed || counts.size === 0) return undefined;
      const order = [...counts.keys()].sort((a, b) =>
        typeof a === 'number' && typeof b === 'number' ? a - b : String(a) < String(b) ? -1 : 1,
      );
      const told = order.slice(0, mostTold).map((value): BalanceClass => {
        const name = typeof value === 'number' ? (column.classes?.[value] ?? String(value)) : value;
        return { name, value, ...(counts.get(value) ?? missing) };
      });
      return { column: column.name, classes: told, total: counts.size, missing };
    },
  };
};

/** Texts as numbers in their order; '' has none. */
const textRanks = () => {
  const codes = new Map<string, number>();
  return {
    code(text: string): number {
      if (text === '') return Number.NaN;
      const start = text.slice(0, textLength);
      const known = codes.get(start) ?? codes.size;
      codes.set(start, known);
      return known;
    },
    /** Turns codes into places in the order, where they stand. */
    async rank(keys: Float64Array, job: AppJob): Promise<void> {
      const places = new Float64Array(codes.size);
      const order = await sortRows(
        Uint32Array.from({ length: codes.size }, (_, code) => code),
        [...codes.keys()],
        false,
        job,
      );
      for (const [place, code] of order.entries()) places[code] = place;
      for (let i = 0; i < keys.length; i++) if (!Number.isNaN(keys[i])) keys[i] = places[keys[i]];
    },
  };
};

const filterOf = (text: string, table: DataTable): RowFilter | undefined => {
  if (text.trim() === '') return undefined;
  const parsed = parseFilter(text, table.columns);
  if ('problem' in parsed) throw new Fault('data/filter', { text, ...parsed });
  return parsed.filter;
};

const sortColumn = (sort: SelectionRequest['sort'], { columns, dataset }: DataTable): DataColumn | undefined => {
  if (!sort) return undefined;
  const known = columns.map((c) => c.name);
  const column = columns.find((c) => c.name === sort.column);
  if (!column) throw new Fault('data/column', { path: dataset.path, name: sort.column, nearest: '', known });
  if (column.kind === 'numbers' || column.kind === 'picture') throw new Fault('data/sort', { column: column.name, size: column.size });
  return column;
};

/** Runs of rows with the columns that are not known yet, read once for filter, sort and balance together. */
async function* chunks(table: DataTable, readings: readonly Reading[], job: AppJob) {
  const { dataset } = table;
  const unread = readings.filter((r) => !r.known);
  const names = [...new Set(unread.map((r) => r.column.name))];
  const width = unread.reduce((n, { column }) => n + 8 * column.size, 8);
  const step = Math.max(1, Math.min(readRows, Math.floor(readBytes / width)));
  for (let from = 0; from < dataset.length; from += step) {
    const to = Math.min(dataset.length, from + step);
    const tensors = await tensorsOf(table, names, [from, to], job.signal);
    const values = new Map<string, ColumnValues>();
    for (const { key, column, index, whole, known } of readings) {
      const tensor = tensors[names.indexOf(column.name)];
      if (isText(column)) values.set(key, { kind: 'text', values: tensor.data as string[] });
      else {
        const part = known && whole ? whole.subarray(from, to) : numbersOf(tensor, index);
        if (!known) whole?.set(part, from);
        values.set(key, { kind: 'numbers', values: part, ...(column.classes ? { names: column.classes } : {}) });
      }
    }
    values.set('row[]', { kind: 'numbers', values: Float64Array.from({ length: to - from }, (_, i) => from + i) });
    yield { from, to, values };
    job.progress(to / dataset.length, `${to} of ${dataset.length} rows`);
    await breathe(job);
  }
}

/** Rows that a filter keeps, in the order of a column, and the class balance. */
export const dataSelection: UseCase<'dataSelection'> = async (ask, ports, job): Promise<DataSelection> => {
  const table = await tableOf(ask, ports, job);
  const { dataset, rows: split } = table;
  const filter = filterOf(ask.filter, table);
  const sorted = sortColumn(ask.sort, table);
  const label = table.columns.find((c) => c.role === 'label' && c.dims.length === 0);
  const operands = [
    ...(filter ? columnsOf(filter) : []),
    ...[sorted, label].flatMap((c) => (c ? [{ kind: 'column' as const, name: c.name }] : [])),
  ];
  const readings = [...new Map(operands.map((o) => [keyOf(o), o])).values()].flatMap((o) => readingOf(o, table) ?? []);
  const counts = label && counting(label);
  const ranks = sorted && isText(sorted) ? textRanks() : undefined;
  const sortReading = sorted && readings.find((r) => r.key === keyOf({ kind: 'column', name: sorted.name }));
  const keys = sorted && (sortReading?.whole ?? (sorted.role === 'row' ? undefined : new Float64Array(dataset.length)));
  const order = new Uint32Array(split?.length ?? dataset.length);
  let [count, at] = [0, 0];
  for await (const { from, to, values } of chunks(table, readings, job)) {
    const empty: ColumnValues = { kind: 'numbers', values: [] };
    const test = filter && rowTest(filter, (operand) => values.get(keyOf(operand)) ?? empty);
    const labels = label && values.get(`${label.name}[]`)?.values;
    const texts = sorted && (ranks || !sortReading?.whole) ? values.get(`${sorted.name}[]`)?.values : undefined;
    for (let row = from; row < to; row++) {
      if (split) {
        if (at >= split.length || split[at] !== row) continue;
        at++;
      }
      const kept = !test || test(row - from);
      if (labels) counts?.add(labels[row - from], kept);
      if (!kept) continue;
      order[count++] = row;
      if (texts && keys) keys[row] = ranks ? ranks.code(String(texts[row - from])) : Number(texts[row - from]);
    }
  }
  keep(readings, table);
  if (keys) await ranks?.rank(keys, job);
  const found = order.subarray(0, count);
  const balance = counts?.result();
  const natural = !filter && !ask.sort && !split;
  const whole = (): Float64Array => Float64Array.from({ length: dataset.length }, (_, i) => i);
  const rows = natural
    ? undefined
    : sorted && ask.sort
      ? await sortRows(found.slice(), keys ?? whole(), ask.sort.descending, job)
      : found.slice();
  return { count, ...(rows ? { rows } : {}), ...(balance ? { balance } : {}) };
};
