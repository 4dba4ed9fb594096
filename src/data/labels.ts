import { Fault } from '../base/fault.ts';
import { nearest } from '../base/nearest.ts';
import { sizeOf, type Tensor } from '../base/tensor.ts';
import { stray } from './columns.ts';
import type { Column, Dataset } from './define.ts';
import { toFloats } from './values.ts';

/** How a label column is read: as numbers, NaN where missing; text through its place in `names`. */
export interface LabelReader {
  /** Class names that the text stands for, where the labels are text. */
  readonly names?: readonly string[];
  readonly notes: readonly string[];
  read(column: Tensor, rows: ArrayLike<number>): Float64Array;
}

/** Distinct values of a text column, sorted; more than `most` are no classes. */
const distinct = async (dataset: Dataset, name: string, most: number, signal?: AbortSignal): Promise<string[]> => {
  const found = new Set<string>();
  const step = 65536;
  for (let from = 0; from < dataset.length && found.size <= most; from += step) {
    const [{ data }] = await dataset.slice([name], from, Math.min(dataset.length, from + step), signal);
    for (const value of data as string[]) if (value !== '') found.add(value);
  }
  return [...found].sort();
};

const wholeNumber = /^[+-]?\d+(\.0*)?$/;

/** Whether the first label is one of the class names: then the others are looked up, and not read beforehand. */
const isNamed = async (dataset: Dataset, name: string, known: readonly string[], signal?: AbortSignal): Promise<boolean> => {
  const [{ data }] = await dataset.slice([name], 0, 1, signal);
  return known.includes((data as string[])[0]);
};

/** More distinct texts than this are identifiers or sentences, not classes. */
const mostClasses = 100_000;

/**
 * Decides how labels are read. `known` are class names in index order, where the model or the file gives them; where the list is `open`,
 * labels may have other names, which are numbered after them.
 */
export const labelReader = async (
  dataset: Dataset,
  column: Column,
  known: readonly string[] | undefined,
  signal?: AbortSignal,
  open = false,
): Promise<LabelReader> => {
  const width = sizeOf(column.dims);
  if (column.dtype !== 'string') {
    if (width === 1) return { notes: [], read: (tensor) => Float64Array.from(toFloats(tensor)) };
    return {
      notes: [`Labels in '${column.name}' are vectors of ${width}; the place of the one 1 in each is its class.`],
      read(tensor, rows) {
        const values = toFloats(tensor);
        return Float64Array.from({ length: tensor.dims[0] }, (_, r) => {
          const row = values.subarray(r * width, (r + 1) * width);
          const at = row.indexOf(1);
          if (at < 0 || row.some((v, i) => v !== Number(i === at)))
            throw new Fault('data/one-hot', { path: dataset.path, column: column.name, row: rows[r] });
          return at;
        });
      },
    };
  }
  if (width !== 1) throw new Fault('data/dtype', { path: dataset.path, array: column.name, dtype: 'text vectors' });
  const found =
    known && !open && (await isNamed(dataset, column.name, known, signal)) ? [] : await distinct(dataset, column.name, mostClasses, signal);
  if (found.length > 0 && found.every((text) => wholeNumber.test(text.trim())))
    return {
      notes: [`Labels in '${column.name}' are numbers written as text, and were read as numbers.`],
      read: (tensor) => Float64Array.from(tensor.data as string[], (value) => (value === '' ? Number.NaN : Number(value))),
    };
  const mixed = known ? undefined : stray(dataset, column);
  if (mixed) throw mixed;
  const names = known && open ? [...known, ...found.filter((text) => !known.includes(text))] : (known ?? found);
  const index = new Map(names.map((name, i) => [name, i]));
  return {
    names,
    notes: known
      ? []
      : [
          `Labels in '${column.name}' are text without given class names, so classes are numbered in alphabetical order: ${names.slice(0, 20).join(', ')}${names.length > 20 ? ', …' : ''}. Give the class names if the model has another order.`,
        ],
    read: (tensor, rows) =>
      Float64Array.from(tensor.data as string[], (value, r) => {
        if (value === '') return Number.NaN;
        const found = index.get(value);
        if (found === undefined)
          throw new Fault('data/class-name', {
            path: dataset.path,
            row: rows[r],
            label: value,
            nearest: nearest(value, names),
            known: names.slice(0, 20),
          });
        return found;
      }),
  };
};

/** Where a table's columns are named by numbers (prob_1 to prob_3), the label 1 means the column named 1, not the second one. */
export const readByName = (path: string, reader: LabelReader, classes: readonly string[] | undefined): LabelReader => {
  const numbers = classes?.map((c) => (/^\d+$/.test(c) ? Number(c) : Number.NaN)) ?? [];
  if (reader.names || numbers.some(Number.isNaN) || numbers.every((n, i) => n === i)) return reader;
  const index = new Map(numbers.map((n, i) => [n, i]));
  const read: LabelReader['read'] = (tensor, rows) =>
    reader.read(tensor, rows).map((v, i) => {
      const at = index.get(v);
      if (at === undefined && !Number.isNaN(v))
        throw new Fault('data/class-name', { path, row: rows[i], label: String(v), nearest: '', known: classes ?? [] });
      return at ?? v;
    });
  return { ...reader, read };
};

/** The first of the arrays so named that is a list of words. */
const storedWords = async (dataset: Dataset, names: readonly string[], signal?: AbortSignal): Promise<readonly string[] | undefined> => {
  const found = names.find((name) => dataset.extras.some((e) => e.name === name && e.dtype === 'string' && e.dims.length === 0));
  return found === undefined ? undefined : ((await dataset.extra(found, signal)).data as string[]);
};

/** Class names stored beside the rows (`class_names`), of the label column that was named, or the usual one. */
export const storedClassNames = async (
  dataset: Dataset,
  label: string | undefined,
  signal?: AbortSignal,
): Promise<readonly string[] | undefined> =>
  dataset.namesOf !== undefined && label !== undefined && label !== dataset.namesOf
    ? undefined
    : storedWords(dataset, ['class_names', 'classes', 'label_names', 'target_names'], signal);

/** What the numbers of a row are called: as their columns, or as an array beside a single one says (`feature_names`), where it is as long. */
export const namesOfNumbers = async (
  dataset: Dataset,
  columns: readonly Column[],
  signal?: AbortSignal,
): Promise<readonly string[] | undefined> => {
  if (columns.length !== 1) return columns.map((c) => c.name);
  const [{ dims }] = columns;
  const names =
    dims.length === 1 ? await storedWords(dataset, ['feature_names', 'features', 'column_names', 'columns'], signal) : undefined;
  return names?.length === dims[0] ? names : undefined;
};
