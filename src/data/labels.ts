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

/** Class names stored beside the rows (`class_names`), where they are as many as the classes. */
export const storedClassNames = async (dataset: Dataset, signal?: AbortSignal): Promise<readonly string[] | undefined> => {
  for (const name of ['class_names', 'classes', 'label_names', 'target_names']) {
    if (!dataset.extras.some((e) => e.name === name && e.dtype === 'string' && e.dims.length === 0)) continue;
    return (await dataset.extra(name, signal)).data as string[];
  }
  return undefined;
};
