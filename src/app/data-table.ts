import { Fault } from '../base/fault.ts';
import { imageAxes } from '../base/image.ts';
import { sizeOf, type Tensor } from '../base/tensor.ts';
import { labelColumn } from '../data/columns.ts';
import type { Column, Dataset } from '../data/define.ts';
import { joinColumn } from '../data/join.ts';
import { storedClassNames } from '../data/labels.ts';
import { type Predictions, predictionsOf } from '../data/predictions.ts';
import { splitRows } from '../data/split.ts';
import type { DataArray, DataColumn, DataFacts, DataRole, DataSubject, PredictedFacts } from '../report/data-view.ts';
import { openData } from './binding.ts';
import type { AppJob, Ports, UseCase } from './ports.ts';
import { openPredicted, predictedColumns } from './predict.ts';

/** A dataset open for one look after another. */
export interface DataTable {
  readonly dataset: Dataset;
  /** Rows of the split, ascending. */
  readonly rows?: Float64Array;
  readonly columns: readonly DataColumn[];
  readonly predicted?: PredictedFacts;
  readonly scored: boolean;
  readonly notes: readonly string[];
  /** Columns of numbers that were read whole, and the range that pictures are drawn in: they stay for the next question. */
  readonly kept: Map<string, Float64Array>;
  readonly ranges: Map<string, readonly [number, number]>;
}

/** So many tables stay open. */
const most = 3;
const shelves = new WeakMap<Ports, Map<string, Base>>();

/** A flat row of at least 64 values whose number is a square, of grey or of three colours, may be a picture. */
const squareOf = (dims: readonly number[]): DataColumn['square'] => {
  if (dims.length !== 1 || dims[0] < 64) return undefined;
  for (const channels of [1, 3] as const) {
    const side = Math.sqrt(dims[0] / channels);
    if (Number.isInteger(side) && side >= 8) return { height: side, width: side, channels };
  }
  return undefined;
};

const kindOf = ({ dtype, dims }: Pick<Column, 'dtype' | 'dims'>): DataColumn['kind'] => {
  if (dims.length > 0) return dtype === 'string' ? 'text' : imageAxes(dims) ? 'picture' : 'numbers';
  return dtype === 'string' ? 'text' : dtype === 'bool' ? 'truth' : 'number';
};

const described = (column: Column, role: DataRole | undefined, classes: readonly string[] | undefined): DataColumn => {
  const kind = kindOf(column);
  const square = kind === 'numbers' ? squareOf(column.dims) : undefined;
  const named = classes && classes.length > 0 && kind === 'number' && (role === 'label' || role === 'prediction');
  return {
    name: column.name,
    kind: named ? 'class' : kind,
    size: sizeOf(column.dims),
    dtype: column.dtype,
    dims: column.dims,
    ...(role ? { role } : {}),
    ...(named ? { classes } : {}),
    ...(square ? { square } : {}),
  };
};

const quiet = <T>(work: () => T): T | undefined => {
  try {
    return work();
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
};

/** Pictures first, then what is known of the rows, then the rest in file order. */
const places: readonly (DataRole | 'picture')[] = ['row', 'picture', 'label', 'prediction', 'confidence', 'loss'];
const placeOf = ({ role, kind }: DataColumn): number => {
  const at = places.indexOf(role ?? (kind === 'picture' ? 'picture' : 'row'));
  return role === undefined && kind !== 'picture' ? places.length : at;
};

const rowColumn: DataColumn = { name: 'row', kind: 'number', size: 1, dtype: 'int64', dims: [], role: 'row' };

/** The image files of a folder are drawn as they are, whether they have one size or many. */
const filesColumn = ({ images, columns }: Dataset): DataColumn | undefined =>
  images && !columns.some((c) => c.name === 'x') ? { name: 'image', kind: 'picture', size: 0, dtype: 'uint8', dims: [] } : undefined;

/** A dataset as it is, and the tables made of it: alone, and with the columns of files of predictions. */
interface Base {
  readonly plain: Dataset;
  readonly label: string | undefined;
  readonly rows: Float64Array | undefined;
  readonly own: Predictions | undefined;
  readonly stored: readonly string[] | undefined;
  readonly notes: readonly string[];
  readonly tables: Map<string, DataTable>;
}

const openBase = async ({ data }: DataSubject, ports: Ports, { signal }: AppJob): Promise<Base> => {
  const notes: string[] = [];
  const { dataset: plain, y } = await openData(data, ports, { signal, note: (text) => void notes.push(text) }, true);
  const label = y ?? quiet(() => labelColumn(plain, undefined));
  const { rows, note } = await splitRows(plain, data.split, label, signal);
  if (note !== undefined) notes.push(note);
  const own = quiet(() => predictionsOf(plain, data.columns, label));
  return { plain, label, rows, own, stored: await storedClassNames(plain, label, signal), notes, tables: new Map() };
};

const tableWith = async (base: Base, predictions: string | undefined, ports: Ports, job: AppJob): Promise<DataTable> => {
  const { plain, label, rows, own, stored, notes } = base;
  const predicted = predictions === undefined ? undefined : await openPredicted(predictions, plain, ports, job);
  const classes = predicted?.facts.classes.length
    ? predicted.facts.classes
    : ((own?.scores === 'values' ? undefined : own?.classes) ?? stored);
  const roles = new Map<string, DataRole>(label === undefined ? [] : [[label, 'label']]);
  let dataset = plain;
  for (const name of predicted ? predictedColumns : []) {
    const as = plain.columns.some((c) => c.name === name) ? `model.${name}` : name;
    if (predicted) dataset = joinColumn(dataset, predicted.dataset, name, as);
    roles.set(as, name);
  }
  const files = filesColumn(dataset);
  const columns = dataset.columns.filter((c) => c.name !== 'row').map((c) => described(c, roles.get(c.name), classes));
  return {
    dataset,
    ...(rows ? { rows } : {}),
    columns: [rowColumn, ...(files ? [files] : []), ...columns].toSorted((a, b) => placeOf(a) - placeOf(b)),
    ...(predicted ? { predicted: predicted.facts } : {}),
    scored: own !== undefined,
    notes,
    kept: new Map(base.tables.get('')?.kept),
    ranges: new Map(),
  };
};

/** The table of a subject: kept from the last question, or opened. */
export const tableOf = async (subject: DataSubject, ports: Ports, job: AppJob): Promise<DataTable> => {
  const shelf = shelves.get(ports) ?? new Map<string, Base>();
  shelves.set(ports, shelf);
  const key = JSON.stringify([subject.data, subject.stamp]);
  const base = shelf.get(key) ?? (await openBase(subject, ports, job));
  shelf.delete(key);
  shelf.set(key, base);
  for (const [oldest, { plain }] of shelf) {
    if (shelf.size <= most) break;
    shelf.delete(oldest);
    await plain.close();
  }
  const { predictions = '' } = subject;
  const table = base.tables.get(predictions) ?? (await tableWith(base, subject.predictions, ports, job));
  // Columns kept for an earlier file of predictions go with it.
  for (const other of base.tables.keys()) if (other !== '' && other !== predictions) base.tables.delete(other);
  base.tables.set(predictions, table);
  return table;
};

/** Rows in file order, or those named; what is no column of the file (the row number) is not asked for here. */
export const tensorsOf = (
  { dataset }: DataTable,
  names: readonly string[],
  rows: readonly [from: number, to: number] | Uint32Array,
  signal: AbortSignal,
): Promise<readonly Tensor[]> => {
  if (names.length === 0) return Promise.resolve([]);
  return rows instanceof Uint32Array ? dataset.take(names, rows, signal) : dataset.slice(names, rows[0], rows[1], signal);
};

const arraysOf = ({ dataset }: DataTable): readonly DataArray[] => [
  ...dataset.columns.map(({ name, dtype, dims }) => ({ name, dtype, dims: [dataset.length, ...dims] })),
  ...dataset.extras.map(({ name, dtype, dims, length }) => ({ name, dtype, dims: [length, ...dims], apart: true as const })),
  ...[...(dataset.refused ?? [])].map(([name, fault]) => ({ name, dtype: '?', dims: [], refused: fault.message })),
];

/** What a dataset holds. */
export const data: UseCase<'data'> = async (ask, ports, job): Promise<DataFacts> => {
  const table = await tableOf(ask, ports, job);
  const { dataset, rows, columns, predicted, scored, notes } = table;
  return {
    name: dataset.path.split(/[\\/]/).at(-1) ?? dataset.path,
    format: dataset.format,
    length: dataset.length,
    rows: rows?.length ?? dataset.length,
    columns,
    arrays: arraysOf(table),
    scored,
    ...(predicted ? { predictions: predicted } : {}),
    notes,
  };
};
