import { Fault } from '../base/fault.ts';
import { type ImageAxes, imageAxes } from '../base/image.ts';
import { breathe } from '../base/job.ts';
import { sizeOf, type Tensor } from '../base/tensor.ts';
import { toFloats } from '../data/values.ts';
import type { DataCells, DataColumn, DataRow, DataSlice, RawPicture } from '../report/data-view.ts';
import { pictureRange, rawPicture } from '../report/picture.ts';
import { type DataTable, tableOf, tensorsOf } from './data-table.ts';
import type { AppJob, UseCase } from './ports.ts';

/** What a cell shows of a row: characters of text, values of an array, side of a picture; and what the pane of one row does. */
const cell = { text: 200, values: 16, side: 48 } as const;
const pane = { text: 100_000, values: 1000, side: 512 } as const;
/** Rows that settle the range in which the pictures of an array are drawn. */
const ranged = 64;

const axesOf = ({ dims, square }: DataColumn, squares: readonly string[], name: string): ImageAxes | undefined => {
  if (square && squares.includes(name)) return { layout: square.channels === 3 ? 'chw' : 'hw', ...square };
  return imageAxes(dims);
};

/** All rows of an array are drawn in one range, so that they can be compared: that of some rows spread over the file. */
const rangeOf = async (table: DataTable, { name, dtype }: DataColumn, job: AppJob): Promise<readonly [number, number]> => {
  const known = table.ranges.get(name);
  if (known) return known;
  const { length } = table.dataset;
  const rows = [...new Set(Array.from({ length: ranged }, (_, i) => Math.floor((i * length) / ranged)))];
  const [tensor] = dtype === 'uint8' ? [] : await tensorsOf(table, [name], Uint32Array.from(rows), job.signal);
  const range = tensor ? pictureRange(toFloats(tensor)) : ([0, 255] as const);
  table.ranges.set(name, range);
  return range;
};

/** An image file as stored, brought to the side. */
const filePicture = async ({ dataset }: DataTable, row: number, side: number, signal: AbortSignal): Promise<RawPicture | undefined> => {
  const decoded = await dataset.images?.decode(row, signal);
  if (!decoded) return undefined;
  const { width, height, channels, data } = decoded;
  return rawPicture(data, { layout: 'hwc', height, width, channels }, [0, data instanceof Uint16Array ? 65535 : 255], side);
};

const isFile = ({ dataset }: DataTable, { name, kind }: DataColumn): boolean =>
  dataset.images !== undefined && kind === 'picture' && (name === 'x' || name === 'image');

const filePictures = async (table: DataTable, rows: Uint32Array, job: AppJob): Promise<DataCells> => {
  const pictures: (RawPicture | null)[] = [];
  for (const row of rows) {
    await breathe(job);
    const picture = await filePicture(table, row, cell.side, job.signal).catch((error: unknown) => {
      if (error instanceof Fault && error.code !== 'job/stopped') return undefined;
      throw error;
    });
    pictures.push(picture ?? null);
  }
  return { kind: 'pictures', pictures };
};

const texts = ({ data, dims }: Tensor, most: number): readonly string[] => {
  const width = sizeOf(dims.slice(1));
  const words = data as string[];
  const cut = (text: string): string => (text.length > most ? `${text.slice(0, most)}…` : text);
  return width === 1 ? words.map(cut) : Array.from({ length: dims[0] }, (_, i) => cut(words.slice(i * width, (i + 1) * width).join(', ')));
};

const cellsOf = async (
  table: DataTable,
  column: DataColumn,
  tensor: Tensor,
  rows: Uint32Array,
  squares: readonly string[],
  job: AppJob,
): Promise<DataCells> => {
  if (column.kind === 'text') return { kind: 'text', values: texts(tensor, cell.text) };
  const values = toFloats(tensor);
  if (column.dims.length === 0) return { kind: 'numbers', values: values instanceof Float64Array ? values : new Float64Array(values) };
  const axes = axesOf(column, squares, column.name);
  if (axes) {
    const range = await rangeOf(table, column, job);
    const picture = (i: number): RawPicture => rawPicture(values.subarray(i * column.size, (i + 1) * column.size), axes, range, cell.side);
    return { kind: 'pictures', pictures: Array.from(rows, (_, i) => picture(i)) };
  }
  const width = Math.min(cell.values, column.size);
  const first = new Float32Array(rows.length * width);
  for (let i = 0; i < rows.length; i++) first.set(values.subarray(i * column.size, i * column.size + width), i * width);
  return { kind: 'vectors', width, values: first };
};

const known = (table: DataTable, name: string): DataColumn => {
  const column = table.columns.find((c) => c.name === name);
  if (column) return column;
  throw new Fault('data/column', { path: table.dataset.path, name, nearest: '', known: table.columns.map((c) => c.name) });
};

/** The cells of some rows and columns: all that crosses to a page. */
export const dataSlice: UseCase<'dataSlice'> = async (ask, ports, job): Promise<DataSlice> => {
  const table = await tableOf(ask, ports, job);
  const columns = ask.columns.map((name) => known(table, name));
  const stored = columns.filter((c) => c.role !== 'row' && !isFile(table, c)).map((c) => c.name);
  const tensors = await tensorsOf(table, stored, ask.rows, job.signal);
  const cells: DataCells[] = [];
  for (const column of columns) {
    if (column.role === 'row') cells.push({ kind: 'numbers', values: Float64Array.from(ask.rows) });
    else if (isFile(table, column)) cells.push(await filePictures(table, ask.rows, job));
    else cells.push(await cellsOf(table, column, tensors[stored.indexOf(column.name)], ask.rows, ask.squares, job));
  }
  return { rows: ask.rows, columns: ask.columns, cells };
};

type Field = DataRow['fields'][number];

const fieldOf = async (table: DataTable, column: DataColumn, row: number, squares: readonly string[], job: AppJob): Promise<Field> => {
  const { name, dims, size } = column;
  if (column.role === 'row') return { name, dims, values: Float64Array.of(row), total: 1 };
  if (isFile(table, column)) {
    const picture = await filePicture(table, row, pane.side, job.signal);
    return { name, dims, total: size, ...(picture ? { picture } : {}) };
  }
  const [tensor] = await tensorsOf(table, [name], Uint32Array.of(row), job.signal);
  if (column.kind === 'text') return { name, dims, text: texts(tensor, pane.text)[0], total: size };
  const values = toFloats(tensor);
  const axes = dims.length > 0 ? axesOf(column, squares, name) : undefined;
  const picture = axes && rawPicture(values, axes, await rangeOf(table, column, job), pane.side);
  return { name, dims, values: new Float64Array(values.subarray(0, pane.values)), total: size, ...(picture ? { picture } : {}) };
};

/** Everything that one row holds. */
export const dataRow: UseCase<'dataRow'> = async (ask, ports, job): Promise<DataRow> => {
  const table = await tableOf(ask, ports, job);
  const fields: Field[] = [];
  for (const column of table.columns) {
    try {
      fields.push(await fieldOf(table, column, ask.row, ask.squares, job));
    } catch (error) {
      if (!(error instanceof Fault) || error.code === 'job/stopped') throw error;
      fields.push({ name: column.name, dims: column.dims, total: column.size, problem: error.message });
    }
  }
  return { row: ask.row, fields };
};
