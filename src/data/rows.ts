import { type DType, sizeOf, type Tensor, type TensorData } from '../base/tensor.ts';
import type { Column } from './define.ts';

const like = (data: TensorData, length: number): TensorData =>
  Array.isArray(data)
    ? new Array<string>(length).fill('')
    : new (data.constructor as new (n: number) => Exclude<TensorData, string[]>)(length);

/** Elements of one row of a tensor whose first axis is the rows. */
const rowSize = (tensor: Tensor): number => sizeOf(tensor.dims.slice(1));

/** An empty tensor of `count` rows, shaped and typed as `tensor`'s. */
const rowsLike = (tensor: Tensor, count: number): Tensor => ({
  dtype: tensor.dtype,
  dims: [count, ...tensor.dims.slice(1)],
  data: like(tensor.data, count * rowSize(tensor)),
});

const arrayOf = (dtype: DType, length: number): TensorData =>
  dtype === 'string' ? new Array<string>(length).fill('') : dtype === 'bool' ? new Uint8Array(length) : new Float64Array(length);

/** `count` rows of a column of a text table, to be filled: text, truth values or float64. */
export const emptyRows = ({ dtype, dims }: Pick<Column, 'dtype' | 'dims'>, count: number): Tensor => ({
  dtype,
  dims: [count, ...dims],
  data: arrayOf(dtype, count * sizeOf(dims)),
});

/** Copies `count` rows. Both tensors have the same type and row shape. */
export const copyRows = (from: Tensor, fromRow: number, to: Tensor, toRow: number, count: number): void => {
  const n = rowSize(from);
  const part = from.data.slice(fromRow * n, (fromRow + count) * n);
  if (Array.isArray(part)) for (let i = 0; i < part.length; i++) to.data[toRow * n + i] = part[i];
  else (to.data as Float64Array).set(part as Float64Array, toRow * n);
};

/** One tensor under the other. */
export const joinRows = (parts: readonly Tensor[]): Tensor => {
  const out = rowsLike(
    parts[0],
    parts.reduce((n, t) => n + t.dims[0], 0),
  );
  let at = 0;
  for (const part of parts) {
    copyRows(part, 0, out, at, part.dims[0]);
    at += part.dims[0];
  }
  return out;
};

/**
 * Rows in any order through a reader of slices: neighbours at most `gap` rows apart share a slice of at most `most` rows,
 * so that random rows of a file on disk cost few reads and little memory.
 */
export const takeRows = async (
  slice: (from: number, to: number) => Promise<readonly Tensor[]>,
  rows: ArrayLike<number>,
  { gap, most }: { readonly gap: number; readonly most: number },
): Promise<readonly Tensor[]> => {
  if (rows.length === 0) return (await slice(0, 0)).map((t) => rowsLike(t, 0));
  const order = Array.from(rows, (_, i) => i).sort((a, b) => rows[a] - rows[b]);
  let out: readonly Tensor[] | undefined;
  for (let i = 0; i < order.length; ) {
    const from = rows[order[i]];
    let end = i + 1;
    while (end < order.length && rows[order[end]] - rows[order[end - 1]] <= gap && rows[order[end]] - from < most) end++;
    const part = await slice(from, rows[order[end - 1]] + 1);
    out ??= part.map((t) => rowsLike(t, rows.length));
    for (const [k, target] of out.entries()) for (let j = i; j < end; j++) copyRows(part[k], rows[order[j]] - from, target, order[j], 1);
    i = end;
  }
  return out ?? [];
};
