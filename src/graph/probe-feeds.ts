import { random } from '../base/random.ts';
import { type DType, sizeOf, type Tensor } from '../base/tensor.ts';
import type { Dim, Graph, TensorType, ValueInfo } from './types.ts';
import { freeInputs } from './walk.ts';

/** How each input's axes get their size: a number, the batch size, or a named axis of given length. */
export interface Plan {
  readonly inputs: readonly { readonly name: string; readonly dtype: DType; readonly axes: readonly (number | 'batch')[] }[];
  /** Inputs that carry the batch, and on which axis. */
  readonly batchAxes: ReadonlyMap<string, number>;
  /** Length of every free axis that is not the batch, under the name `axes` takes. */
  readonly lengths: ReadonlyMap<string, number>;
  /** Inputs whose rank the file does not tell; they are fed one number. */
  readonly unranked: readonly string[];
  /** Batch size written into the file, where it is. */
  readonly fixed?: number;
}

const batchNames = /^(n|b|bs|batch.*|.*batch|.*batch_?size.*|num_?(samples|examples))$/i;

/** The name under which `axes` takes the length of a free axis. */
export const axisName = (input: string, axis: number, dim: Dim): string => (typeof dim === 'string' ? dim : `${input}:${axis}`);

/** Height and width of pictures whose size is free. */
export const pictureSide = 64;

/** Lengths of free axes: 8 for sequences, 64 for the height and width of pictures ([N, C, H, W] and [N, H, W, C] of floats). */
const usualLength = (type: TensorType, axis: number): number =>
  type.dims?.length === 4 && axis > 0 && ['float32', 'float16', 'float64', 'uint8'].includes(type.dtype) ? pictureSide : 8;

/** Sums such as `past + sequence` or `past_sequence_length + 1`, as exporters of language models write them. */
const sumOf = (name: string, lengths: ReadonlyMap<string, number>): number | undefined => {
  const terms = name.split('+').map((t) => t.trim());
  if (terms.length < 2) return undefined;
  const sizes = terms.map((t) => (/^\d+$/.test(t) ? Number(t) : lengths.get(t)));
  return sizes.every((s) => s !== undefined) ? sizes.reduce((a, b) => a + b, 0) : undefined;
};

/** The batch symbol, or the fixed size, or nothing where no input can have a batch axis. */
const batchOf = (inputs: readonly (readonly [ValueInfo, TensorType])[]): { readonly key?: string; readonly fixed?: number } => {
  const all = inputs.flatMap(([input, t]) => (t.dims ?? []).map((dim, axis) => ({ key: axisName(input.name, axis, dim), dim, axis })));
  const named = all.find((a) => typeof a.dim === 'string' && batchNames.test(a.dim));
  if (named) return { key: named.key };
  const leading = all.filter((a) => a.axis === 0);
  const open = leading.find((a) => typeof a.dim !== 'number');
  if (open) return { key: open.key };
  const first = leading[0]?.dim;
  return typeof first === 'number' ? { fixed: first } : {};
};

/** Reads from the declared input types which axis is the batch and how long the other free axes are. */
export const planOf = (graph: Graph, given: Readonly<Record<string, number>> = {}): Plan => {
  const typed = freeInputs(graph).flatMap((i) => (i.type?.kind === 'tensor' ? [[i, i.type] as const] : []));
  const { key: batch, fixed } = batchOf(typed);
  const lengths = new Map<string, number>();
  const open = typed.flatMap(([i, t]) => (t.dims ?? []).map((dim, axis) => ({ key: axisName(i.name, axis, dim), dim, axis, type: t })));
  for (const { key, dim, axis, type } of open) {
    // A leading axis without a name follows the batch as well: exporters name it on one input and leave it out on others.
    if (typeof dim === 'number' || key === batch || (axis === 0 && dim === undefined) || key.includes('+')) continue;
    lengths.set(key, given[key] ?? (/past/i.test(key) ? 0 : usualLength(type, axis)));
  }
  const batchAxes = new Map<string, number>();
  const inputs = typed.map(([input, t]) => ({
    name: input.name,
    dtype: t.dtype,
    axes: (t.dims ?? []).map((dim, axis): number | 'batch' => {
      const key = axisName(input.name, axis, dim);
      const isBatch = batch !== undefined && (key === batch || (axis === 0 && dim === undefined));
      if (isBatch || (fixed !== undefined && axis === 0 && dim === fixed)) {
        batchAxes.set(input.name, axis);
        return 'batch';
      }
      if (typeof dim === 'number') return dim;
      return lengths.get(key) ?? given[key] ?? sumOf(key, lengths) ?? 8;
    }),
  }));
  const unranked = typed.flatMap(([input, t]) => (t.dims ? [] : [input.name]));
  return { inputs, batchAxes, lengths, unranked, ...(fixed === undefined ? {} : { fixed }) };
};

const fill = (dtype: DType, size: number, next: () => number): Tensor['data'] => {
  switch (dtype) {
    case 'float32':
      return Float32Array.from({ length: size }, next);
    case 'float64':
      return Float64Array.from({ length: size }, next);
    // 0.5 and 1 in half precision and bfloat16.
    case 'float16':
      return Uint16Array.from({ length: size }, () => (next() < 0.5 ? 0x3800 : 0x3c00));
    case 'bfloat16':
      return Uint16Array.from({ length: size }, () => (next() < 0.5 ? 0x3f00 : 0x3f80));
    case 'int64':
      return new BigInt64Array(size).fill(1n);
    case 'uint64':
      return new BigUint64Array(size).fill(1n);
    case 'int32':
      return new Int32Array(size).fill(1);
    case 'uint32':
      return new Uint32Array(size).fill(1);
    case 'int16':
      return new Int16Array(size).fill(1);
    case 'uint16':
      return new Uint16Array(size).fill(1);
    case 'int8':
      return new Int8Array(size).fill(1);
    case 'string':
      return Array.from({ length: size }, () => 'a');
    default:
      return new Uint8Array(size).fill(1);
  }
};

/** Feeds for `rows` rows: floats uniform in [0, 1), whole numbers 1 (a token id of any vocabulary, a true mask). */
export const feedsOf = (plan: Plan, rows: number, seed: number): Record<string, Tensor> => {
  const { next } = random(seed, 'probe');
  return Object.fromEntries(
    plan.inputs.map(({ name, dtype, axes }) => {
      const dims = axes.map((a) => (a === 'batch' ? rows : a));
      return [name, { dtype, dims, data: fill(dtype, sizeOf(dims), next) }];
    }),
  );
};
