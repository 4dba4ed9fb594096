import { Fault } from '../base/fault.ts';
import { nearest } from '../base/nearest.ts';
import { sizeOf, type Tensor } from '../base/tensor.ts';
import { inputColumns } from './columns.ts';
import type { Column, Dataset } from './define.ts';
import type { Target } from './preprocess.ts';
import { toFloats } from './values.ts';

const CHUNK = 65_536;

export interface Bagged {
  /** Bags in the order in which they begin; columns of one value a row hold that of a bag's first row. */
  readonly dataset: Dataset;
  /** Name of the column of instances, [most instances of a bag, …features], with zeros after the last. */
  readonly x: string;
  readonly note: string;
}

/** The rows of every bag, by the order in which bags begin. */
const membersOf = async (dataset: Dataset, key: string, signal: AbortSignal): Promise<readonly (readonly number[])[]> => {
  const bags = new Map<string, number[]>();
  for (let from = 0; from < dataset.length; from += CHUNK) {
    const [{ data }] = await dataset.slice([key], from, Math.min(dataset.length, from + CHUNK), signal);
    for (const [i, value] of Array.from(data as ArrayLike<unknown>).entries()) {
      const id = String(value).trim();
      if (id === '' || id === 'NaN') throw new Fault('data/bag-missing', { path: dataset.path, key, row: from + i });
      const own = bags.get(id);
      if (own) own.push(from + i);
      else bags.set(id, [from + i]);
    }
  }
  return [...bags.values()];
};

/** A label must be that of its whole bag. */
const checkLabels = async (
  dataset: Dataset,
  members: readonly (readonly number[])[],
  { key, label }: { readonly key: string; readonly label: string },
  signal: AbortSignal,
): Promise<void> => {
  const labels: unknown[] = [];
  for (let from = 0; from < dataset.length; from += CHUNK) {
    const [{ data }] = await dataset.slice([label], from, Math.min(dataset.length, from + CHUNK), signal);
    for (const value of Array.from(data as ArrayLike<unknown>)) labels.push(value);
  }
  for (const rows of members) {
    const other = rows.find((row) => !Object.is(labels[row], labels[rows[0]]));
    if (other !== undefined)
      throw new Fault('data/bag-label', {
        path: dataset.path,
        key,
        rows: [rows[0], other],
        labels: [String(labels[rows[0]]), String(labels[other])],
      });
  }
};

/** Columns of single numbers side by side, or one array, as one tensor of instances. */
const joined = (tensors: readonly Tensor[]): Tensor => {
  if (tensors.length === 1) return tensors[0];
  const [rows] = tensors[0].dims;
  const data = new Float64Array(rows * tensors.length);
  for (const [c, tensor] of tensors.entries())
    toFloats(tensor).forEach((v, i) => {
      data[i * tensors.length + c] = v;
    });
  return { dtype: 'float64', dims: [rows, tensors.length], data };
};

/** Rows with equal values of `key` as one row each: the instances of a bag. Throws `data/bag-…`. */
export const bagged = async (
  dataset: Dataset,
  ask: {
    readonly key: string;
    readonly x: string | undefined;
    readonly label: string | undefined;
    readonly aside: readonly string[];
    readonly target: Target;
  },
  signal: AbortSignal,
): Promise<Bagged> => {
  const { key, label, target } = ask;
  const known = dataset.columns.map((c) => c.name);
  if (!dataset.columns.some((c) => c.name === key && c.dims.length === 0))
    throw new Fault('data/column', { path: dataset.path, name: key, nearest: nearest(key, known), known });
  const { columns } = inputColumns(dataset, ask.x, label, { name: target.name, text: false }, [key, ...ask.aside]);
  const words = columns.find((c) => c.dtype === 'string');
  if (words) throw new Fault('data/text-input', { path: dataset.path, column: words.name, input: target.name });
  const members = await membersOf(dataset, key, signal);
  if (label !== undefined) await checkLabels(dataset, members, { key, label }, signal);
  const largest = members.reduce((most, rows) => Math.max(most, rows.length), 1);
  const [given] = target.dims ?? [];
  const size = typeof given === 'number' ? given : largest;
  if (size < largest) throw new Fault('data/bag-size', { path: dataset.path, key, found: largest, most: size });
  const single = columns.length === 1 && columns[0].dims.length > 0;
  const x: Column = {
    name: columns.length === 1 ? columns[0].name : 'instances',
    dtype: columns.length === 1 ? columns[0].dtype : 'float64',
    dims: [size, ...(single ? columns[0].dims : [columns.length])],
  };
  const instance = sizeOf(x.dims.slice(1));
  const names = columns.map((c) => c.name);
  const plain = dataset.columns.filter((c) => !names.includes(c.name) && c.dims.length === 0);
  const read = async (
    asked: readonly string[],
    bags: readonly (readonly number[])[],
    s: AbortSignal | undefined,
  ): Promise<readonly Tensor[]> => {
    const others = asked.filter((name) => name !== x.name);
    const firsts =
      others.length > 0
        ? await dataset.take(
            others,
            bags.map((rows) => rows[0]),
            s,
          )
        : [];
    if (!asked.includes(x.name)) return firsts;
    const all = joined(await dataset.take(names, bags.flat(), s));
    const from = all.data as Float32Array;
    const data = new (from.constructor as Float32ArrayConstructor)(bags.length * size * instance);
    let at = 0;
    for (const [b, rows] of bags.entries()) {
      data.set(from.subarray(at * instance, (at + rows.length) * instance), b * size * instance);
      at += rows.length;
    }
    const bag: Tensor = { dtype: all.dtype, dims: [bags.length, ...x.dims], data };
    return asked.map((name) => (name === x.name ? bag : firsts[others.indexOf(name)]));
  };
  return {
    x: x.name,
    note: `Rows with equal '${key}' are one bag: ${members.length} bags of ${Math.min(...members.map((m) => m.length))} to ${largest} instances, filled up to ${size} with zeros.`,
    dataset: {
      format: dataset.format,
      path: dataset.path,
      length: members.length,
      columns: [x, ...plain],
      extras: dataset.extras.filter((e) => e.dtype === 'string'),
      slice: (asked, from, to, s) => read(asked, members.slice(from, to), s),
      take: (asked, rows, s) =>
        read(
          asked,
          Array.from(rows, (row) => members[row]),
          s,
        ),
      extra: (name, s) => dataset.extra(name, s),
      close: () => dataset.close(),
    },
  };
};
