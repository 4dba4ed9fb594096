import { fromBfloat, fromHalf, toHalf } from '../base/half.ts';
import type { DType, Tensor, TensorData } from '../base/tensor.ts';

/** Elements as JavaScript numbers; text is read as numbers too (NaN where it is none). */
export const toFloats = (tensor: Tensor): Float32Array | Float64Array => {
  const { data, dtype } = tensor;
  if (data instanceof Float32Array || data instanceof Float64Array) return data;
  if (dtype === 'float16') return Float64Array.from(data as Uint16Array, fromHalf);
  if (dtype === 'bfloat16') return Float64Array.from(data as Uint16Array, fromBfloat);
  // The constructor converts natively; `from` with a function is an order slower.
  if (!Array.isArray(data) && !(data instanceof BigInt64Array) && !(data instanceof BigUint64Array)) return new Float64Array(data);
  return Float64Array.from(data as ArrayLike<number | bigint | string>, Number);
};

/** Numbers as an element type; whole-number types truncate, so check first. */
export const fromFloats = (values: Float32Array | Float64Array, dtype: DType): TensorData => {
  switch (dtype) {
    case 'float64':
      return new Float64Array(values);
    case 'float16':
      return Uint16Array.from(values, toHalf);
    case 'int64':
      return BigInt64Array.from(Array.from(values, (v) => BigInt(Math.trunc(v))));
    case 'uint64':
      return BigUint64Array.from(Array.from(values, (v) => BigInt(Math.trunc(v))));
    case 'int32':
      return new Int32Array(values);
    case 'uint32':
      return new Uint32Array(values);
    case 'int16':
      return new Int16Array(values);
    case 'uint16':
      return new Uint16Array(values);
    case 'int8':
      return new Int8Array(values);
    case 'uint8':
      return new Uint8Array(values);
    case 'bool':
      return Uint8Array.from(values, (v) => Number(v !== 0));
    case 'string':
      return Array.from(values, String);
    default:
      return new Float32Array(values);
  }
};

export const isWholeType = (dtype: DType): boolean => /^u?int\d/.test(dtype);
