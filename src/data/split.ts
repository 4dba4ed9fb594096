import { Fault } from '../base/fault.ts';
import { nearest } from '../base/nearest.ts';
import { random } from '../base/random.ts';
import { sizeOf, type Tensor } from '../base/tensor.ts';
import type { Dataset } from './define.ts';

/** Rows of a dataset in ascending order; all of them where `rows` is absent. */
export interface Split {
  readonly dataset: Dataset;
  readonly rows?: Float64Array;
  /** How the rows were chosen, for the report. */
  readonly note?: string;
}

type Half = 'train' | 'test';
const indexNames: Readonly<Record<Half, readonly string[]>> = {
  train: ['train_idx', 'train_index', 'train_indices', 'idx_train', 'train'],
  test: ['test_idx', 'test_index', 'test_indices', 'idx_test', 'test'],
};
const columnNames = ['split', 'subset', 'partition', 'set', 'fold'];
const other = (half: Half): Half => (half === 'train' ? 'test' : 'train');

/** What `train` and `test` mean in a file that says nothing about it: 0.8 and 0.2, seed 0. */
const defaultFraction = 0.2;

const indicesOf = async (dataset: Dataset, name: string, signal?: AbortSignal): Promise<Float64Array> => {
  const stored = [...dataset.columns.map((c) => ({ ...c, length: dataset.length })), ...dataset.extras];
  const found = stored.find((c) => c.name === name);
  if (!found) {
    const known = stored.filter(({ dims, dtype }) => dims.length === 0 && dtype !== 'string').map((c) => c.name);
    throw dataset.refused?.get(name) ?? new Fault('data/column', { path: dataset.path, name, nearest: nearest(name, known), known });
  }
  const tensor = await (dataset.extras.includes(found)
    ? dataset.extra(name, signal)
    : dataset.slice([name], 0, dataset.length, signal).then((t) => t[0]));
  const rows =
    found.dtype === 'bool'
      ? Float64Array.from(Array.from(tensor.data as Uint8Array, (keep, i) => (keep ? i : -1)).filter((i) => i >= 0))
      : Float64Array.from(tensor.data as ArrayLike<number | bigint>, Number).sort();
  const bad = rows.find((r) => !Number.isInteger(r) || r < 0 || r >= dataset.length);
  if (bad !== undefined || found.dtype === 'string')
    throw new Fault('data/split-row', { path: dataset.path, name, row: Number(bad), length: dataset.length });
  if (rows.length === 0) throw new Fault('data/split-empty', { path: dataset.path, split: `@${name}`, known: [] });
  return rows;
};

/** Codes 0.. of equal values in order of appearance, or undefined where the column is no label (vectors, fractions). */
const codes = (tensor: Tensor): Int32Array | undefined => {
  if (sizeOf(tensor.dims.slice(1)) !== 1) return undefined;
  const seen = new Map<unknown, number>();
  const out = new Int32Array(tensor.dims[0]);
  for (let i = 0; i < out.length; i++) {
    const value = tensor.data[i];
    if (typeof value === 'number' && !Number.isInteger(value)) return undefined;
    const code = seen.get(value) ?? seen.size;
    seen.set(value, code);
    out[i] = code;
  }
  return out;
};

const upTo = (length: number): Float64Array => {
  const out = new Float64Array(length);
  for (let i = 0; i < length; i++) out[i] = i;
  return out;
};

/** Rows laid class after class, in the order they have within each: a counting sort. */
const byClass = (order: Float64Array, classes: Int32Array): Float64Array => {
  const next: number[] = [0];
  for (const c of classes) next[c + 1] = (next[c + 1] ?? 0) + 1;
  for (let c = 1; c < next.length; c++) next[c] = (next[c] ?? 0) + next[c - 1];
  const out = new Float64Array(order.length);
  for (const row of order) out[next[classes[row]]++] = row;
  return out;
};

/**
 * Holds out a fraction of `length` rows: rows are shuffled within each class, the classes laid one after the other, and
 * every (1/fraction)-th is taken, so each class gives its share to within one row and the total is ⌊length · fraction⌋.
 */
export const holdOut = (
  length: number,
  classes: Int32Array | undefined,
  fraction: number,
  seed: number,
): { readonly kept: Float64Array; readonly held: Float64Array } => {
  const shuffled = random(seed, 'split').shuffle(upTo(length));
  const order = classes ? byClass(shuffled, classes) : shuffled;
  const isHeld = new Uint8Array(length);
  // The 1e-9 keeps products such as 0.29 · 100 from falling just below their whole number.
  for (let k = 0; k < length; k++) isHeld[order[k]] = Number(Math.floor((k + 1) * fraction + 1e-9) > Math.floor(k * fraction + 1e-9));
  const pick = (value: number): Float64Array => upTo(length).filter((i) => isHeld[i] === value);
  return { kept: pick(0), held: pick(1) };
};

const complement = (rows: Float64Array, length: number): Float64Array => {
  const out = new Set(rows);
  return upTo(length).filter((i) => !out.has(i));
};

const byColumn = async (dataset: Dataset, name: string, value: string, signal?: AbortSignal): Promise<Float64Array> => {
  const column = dataset.columns.find((c) => c.name === name && c.dims.length === 0);
  const known = dataset.columns.filter((c) => c.dims.length === 0).map((c) => c.name);
  if (!column) throw new Fault('data/column', { path: dataset.path, name, nearest: nearest(name, known), known });
  const rows: number[] = [];
  const values = new Set<string>();
  const step = 65536;
  for (let from = 0; from < dataset.length; from += step) {
    const [{ data }] = await dataset.slice([name], from, Math.min(dataset.length, from + step), signal);
    for (let i = 0; i < data.length; i++) {
      const found = column.dtype === 'bool' ? String(data[i] !== 0) : String(data[i]);
      if (found === value || (column.dtype !== 'string' && column.dtype !== 'bool' && Number(found) === Number(value))) rows.push(from + i);
      else if (values.size < 20) values.add(found);
    }
  }
  if (rows.length === 0) throw new Fault('data/split-empty', { path: dataset.path, split: `${name}=${value}`, known: [...values] });
  return Float64Array.from(rows);
};

const labelCodes = async (dataset: Dataset, label: string | undefined, signal?: AbortSignal): Promise<Int32Array | undefined> =>
  label !== undefined && dataset.columns.some((c) => c.name === label)
    ? codes((await dataset.slice([label], 0, dataset.length, signal))[0])
    : undefined;

const half = async (dataset: Dataset, which: Half, label: string | undefined, signal?: AbortSignal): Promise<Split> => {
  const extras = dataset.extras.filter(({ dims, dtype }) => dims.length === 0 && dtype !== 'string').map((e) => e.name);
  const masks = dataset.columns.filter(({ dims, dtype }) => dims.length === 0 && dtype === 'bool').map((c) => c.name);
  const stored = (names: readonly string[]): string | undefined => names.find((n) => extras.includes(n) || masks.includes(n));
  const own = stored(indexNames[which]);
  if (own)
    return { dataset, rows: await indicesOf(dataset, own, signal), note: `Rows of '${which}' are those that '${own}' lists in the file.` };
  const opposite = stored(indexNames[other(which)]);
  if (opposite)
    return {
      dataset,
      rows: complement(await indicesOf(dataset, opposite, signal), dataset.length),
      note: `Rows of '${which}' are all that '${opposite}' in the file does not list.`,
    };
  for (const name of columnNames) {
    if (!dataset.columns.some((c) => c.name === name && c.dtype === 'string' && c.dims.length === 0)) continue;
    return {
      dataset,
      rows: await byColumn(dataset, name, which, signal),
      note: `Rows of '${which}' are those whose column '${name}' says so.`,
    };
  }
  const classes = await labelCodes(dataset, label, signal);
  const { kept, held } = holdOut(dataset.length, classes, defaultFraction, 0);
  const share = which === 'train' ? '80' : '20';
  return {
    dataset,
    rows: which === 'train' ? kept : held,
    note: `The file names no train and test rows, so '${which}' is a fixed ${share} % of its rows (seed 0${classes ? ', stratified by label' : ''}); the model may have been trained on some of them.`,
  };
};

const forms = '`train`, `test`, a fraction such as 0.2 or 0.2@SEED, COLUMN=VALUE, or @ARRAY of row numbers';

/** Whether the file itself says which rows are for testing. */
export const storesSplit = (dataset: Dataset): boolean =>
  [...dataset.extras, ...dataset.columns].some(({ name }) => indexNames.test.includes(name) || name === 'split');

/** The rows that a split names. `label` is the column to stratify by. */
export const splitRows = async (dataset: Dataset, split: string | undefined, label?: string, signal?: AbortSignal): Promise<Split> => {
  if (split === undefined || split === '' || split === 'all') return { dataset };
  if (split === 'train' || split === 'test') return half(dataset, split, label, signal);
  if (split.startsWith('@')) return { dataset, rows: await indicesOf(dataset, split.slice(1), signal) };
  const equals = split.indexOf('=');
  if (equals > 0) return { dataset, rows: await byColumn(dataset, split.slice(0, equals), split.slice(equals + 1), signal) };
  const [, size, seed] = /^(\d*\.?\d+)(?:@(\d+))?$/.exec(split) ?? [];
  if (size === undefined || !(Number(size) > 0 && Number(size) <= 1))
    throw new Fault('option/value', { name: 'split', value: split, expected: forms });
  const classes = await labelCodes(dataset, label, signal);
  const { held } = holdOut(dataset.length, classes, Number(size), Number(seed ?? 0));
  if (held.length === 0) throw new Fault('data/split-empty', { path: dataset.path, split, known: [] });
  return {
    dataset,
    rows: held,
    note: `A random ${Number(size) * 100} % of the rows (seed ${Number(seed ?? 0)}${classes ? ', stratified by label' : ''}).`,
  };
};
