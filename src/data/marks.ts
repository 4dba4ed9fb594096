import { Fault } from '../base/fault.ts';
import type { Tensor } from '../base/tensor.ts';
import type { Column, Dataset } from './define.ts';
import { toFloats } from './values.ts';

/** Labels of which a row may have several: one array of 0 and 1 (or of scores), or a column for each, `label_<name>`. */
export interface Marks {
  readonly columns: readonly string[];
  readonly width: number;
  /** Names of the labels, where the columns name them. */
  readonly names?: readonly string[];
  /** [rows, width], row-major. */
  read(tensors: readonly Tensor[], rows: ArrayLike<number>): Float64Array;
}

const own = /^label_(.+)$/;

const single = (column: Column | undefined): column is Column => column?.dtype !== 'string' && column?.dims.length === 0;

/** Of 0 and 1 alone unless `any`. Finds them by the name given, by the names of the table's scores, or by `label_`; undefined where there are none. */
export const marksOf = (
  dataset: Dataset,
  given: string | undefined,
  scores: readonly string[] | undefined,
  any = false,
): Marks | undefined => {
  const check = (columns: readonly string[], width: number, values: Float64Array, rows: ArrayLike<number>): Float64Array => {
    const at = any ? -1 : values.findIndex((v) => v !== 0 && v !== 1);
    if (at >= 0)
      throw new Fault('data/mark', {
        path: dataset.path,
        column: columns.length === 1 ? columns[0] : columns[at % width],
        row: rows[Math.floor(at / width)],
        value: values[at],
      });
    return values;
  };
  const array = dataset.columns.find((c) => c.name === given);
  if (array && array.dtype !== 'string' && array.dims.length === 1)
    return {
      columns: [array.name],
      width: array.dims[0],
      read: ([tensor], rows) => check([array.name], array.dims[0], Float64Array.from(toFloats(tensor)), rows),
    };
  const named = scores?.map((name) => dataset.columns.find((c) => c.name === `label_${name}`));
  const found = named?.every(single) ? named : scores ? [] : dataset.columns.filter((c) => single(c) && own.test(c.name));
  if (found.length === 0) return undefined;
  const columns = found.map((c) => c.name);
  return {
    columns,
    width: columns.length,
    names: columns.map((name) => own.exec(name)?.[1] ?? name),
    read(tensors, rows) {
      const values = new Float64Array(rows.length * columns.length);
      for (const [k, tensor] of tensors.entries()) {
        const column = toFloats(tensor);
        for (let i = 0; i < rows.length; i++) values[i * columns.length + k] = column[i];
      }
      return check(columns, columns.length, values, rows);
    },
  };
};
