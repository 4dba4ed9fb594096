import { sizeOf, type Tensor } from '../base/tensor.ts';
import { constantOf, dataOf } from '../graph/constant.ts';
import type { Emit } from '../graph/emit.ts';
import type { Constant, Graph } from '../graph/types.ts';

export type Precision = 'float32' | 'float64';

/** Where each parameter lies in the one long vector that carries them all between steps. */
export interface Layout {
  readonly size: number;
  readonly entries: readonly { readonly name: string; readonly dims: readonly number[]; readonly offset: number; readonly size: number }[];
}

export const layoutOf = (parameters: readonly { readonly name: string; readonly dims: readonly number[] }[]): Layout => {
  let offset = 0;
  const entries = parameters.map(({ name, dims }) => {
    const size = sizeOf(dims);
    offset += size;
    return { name, dims, offset: offset - size, size };
  });
  return { size: offset, entries };
};

/** Splits a vector laid out so into the parameters' own shapes, under their `names` where given. */
export const unpack = (emit: Emit, { entries }: Layout, vector: string, names?: readonly string[]): string[] => {
  const reshaped = entries.map(({ dims }) => dims.length !== 1);
  const flat = entries.map((_, i) => (names && !reshaped[i] ? names[i] : emit.fresh('_piece')));
  const node = { domain: '', attributes: {} };
  if (entries.length > 1)
    emit.node({ ...node, op: 'Split', name: flat[0], inputs: [vector, emit.ints(entries.map((e) => e.size))], outputs: flat });
  return entries.map(({ dims }, i) => {
    const piece = entries.length > 1 ? flat[i] : vector;
    if (!names) return reshaped[i] ? emit.Reshape(piece, emit.ints(dims)) : piece;
    if (piece === names[i]) return piece;
    const name = names[i];
    emit.node({ ...node, op: 'Reshape', name, inputs: [piece, emit.ints(dims)], outputs: [name] });
    return name;
  });
};

/** The vector of values in the parameters' shapes: the inverse of `unpack`. */
export const pack = (emit: Emit, values: readonly string[]): string => {
  const flat = values.map((v) => (emit.type(v)?.dims?.length === 1 ? v : emit.Reshape(v, emit.ints([-1]))));
  return flat.length === 1 ? flat[0] : emit.Concat(...flat, { axis: 0 });
};

const arrayOf = (precision: Precision, size: number): Float32Array | Float64Array =>
  precision === 'float32' ? new Float32Array(size) : new Float64Array(size);

export const vector = (precision: Precision, values: ArrayLike<number>): Tensor => {
  const data = arrayOf(precision, values.length);
  data.set(values);
  return { dtype: precision, dims: [values.length], data };
};
export const zeros = (precision: Precision, size: number): Tensor => ({ dtype: precision, dims: [size], data: arrayOf(precision, size) });

/** The parameters of a graph as one vector. */
export const gathered = (graph: Graph, layout: Layout, precision: Precision): Tensor => {
  const data = arrayOf(precision, layout.size);
  for (const { name, offset } of layout.entries) {
    const stored = graph.initializers.get(name);
    if (stored) data.set(dataOf(stored) as Float32Array, offset);
  }
  return { dtype: precision, dims: [layout.size], data };
};

/** The graph with parameters (and, by name, other stored values) replaced; element types stay those of the graph. */
export const scattered = (graph: Graph, layout: Layout, theta: Tensor, others: ReadonlyMap<string, Tensor>): Graph => {
  const next = new Map<string, Constant>(graph.initializers);
  const put = (name: string, values: ArrayLike<number>): void => {
    const old = next.get(name);
    if (old) next.set(name, constantOf(old.dtype, old.dims, values));
  };
  const all = theta.data as Float32Array;
  for (const { name, offset, size } of layout.entries) put(name, all.subarray(offset, offset + size));
  for (const [name, tensor] of others) put(name, tensor.data as Float32Array);
  return { ...graph, initializers: next };
};
