import { type DType, sizeOf, type Tensor, type TensorData } from '../base/tensor.ts';
import type { Constant } from './types.ts';

/** Bytes of one element; sub-byte types are packed and count less than one. */
export const elementBytes: Readonly<Record<DType, number>> = {
  float32: 4,
  float64: 8,
  float16: 2,
  bfloat16: 2,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  uint8: 1,
  uint16: 2,
  uint32: 4,
  uint64: 8,
  bool: 1,
  string: 0,
  int4: 0.5,
  uint4: 0.5,
  float8e4m3fn: 1,
  float8e4m3fnuz: 1,
  float8e5m2: 1,
  float8e5m2fnuz: 1,
  float4e2m1: 0.5,
  float8e8m0: 1,
  int2: 0.25,
  uint2: 0.25,
  complex64: 8,
  complex128: 16,
  undefined: 0,
};

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const;

const limit = 2n ** 63n - 1n;
/** A JavaScript number as int64, saturating. */
const toInt64 = (n: number): bigint => (n >= 2 ** 63 ? limit : n <= -(2 ** 63) ? -limit - 1n : BigInt(Math.trunc(n)));

/** A constant from numbers, for the types whose elements are numbers (not float16/bfloat16). */
export const constantOf = (dtype: DType, dims: readonly number[], values: ArrayLike<number>): Constant => {
  const kind = arrays[dtype as keyof typeof arrays];
  const data =
    kind === BigInt64Array || kind === BigUint64Array
      ? kind.from(Array.from(values, toInt64))
      : (kind as Float64ArrayConstructor).from(values);
  return { dtype, dims, bytes: new Uint8Array(data.buffer) };
};

/** The elements of a stored constant as a typed array: a view where alignment allows, else a copy. Not for external data or strings. */
export const dataOf = (constant: Constant): Exclude<TensorData, string[]> => {
  const kind = arrays[constant.dtype as keyof typeof arrays];
  const bytes = constant.bytes ?? new Uint8Array(0);
  // A Buffer's own slice would be a view.
  const aligned = bytes.byteOffset % kind.BYTES_PER_ELEMENT === 0 ? bytes : new Uint8Array(bytes);
  return new kind(aligned.buffer as ArrayBuffer, aligned.byteOffset, sizeOf(constant.dims));
};

/** The elements as JavaScript numbers: for shapes, axes and scalars, not for weights. */
export const numbersOf = (constant: Constant): number[] => Array.from(dataOf(constant) as ArrayLike<number | bigint>, Number);

export const tensorOf = (constant: Constant): Tensor => ({ dtype: constant.dtype, dims: constant.dims, data: dataOf(constant) });

export const constantFrom = (tensor: Tensor): Constant => {
  const { buffer, byteOffset, byteLength } = tensor.data as Exclude<TensorData, string[]>;
  return { dtype: tensor.dtype, dims: tensor.dims, bytes: new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength) };
};
