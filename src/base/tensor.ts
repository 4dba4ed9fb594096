/** Element types as ONNX names them. */
export type DType =
  | 'float32'
  | 'float64'
  | 'float16'
  | 'bfloat16'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'bool'
  | 'string'
  | 'int4'
  | 'uint4'
  | 'float8e4m3fn'
  | 'float8e4m3fnuz'
  | 'float8e5m2'
  | 'float8e5m2fnuz'
  | 'float4e2m1'
  | 'float8e8m0'
  | 'int2'
  | 'uint2'
  | 'complex64'
  | 'complex128'
  | 'undefined';

/** float16/bfloat16 are carried as their 16 bits (Uint16Array), bool as 0/1 bytes. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | string[];

/** A dense row-major array on the host. */
export interface Tensor {
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly data: TensorData;
}

/** Number of elements of a shape; 1 for a scalar. */
export const sizeOf = (dims: readonly number[]): number => dims.reduce((n, d) => n * d, 1);

export const float32 = (dims: readonly number[], data: Float32Array | readonly number[]): Tensor => ({
  dtype: 'float32',
  dims,
  data: data instanceof Float32Array ? data : Float32Array.from(data),
});

const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
export const int64 = (dims: readonly number[], data: ArrayLike<number>): Tensor => {
  const values = new BigInt64Array(data.length);
  // Whole numbers from 0 to 2³² − 1 are their lower half: a BigInt for each row of a call would take longer than its steps.
  const halves = new Uint32Array(values.buffer);
  for (let i = 0; i < values.length; i++) {
    if (littleEndian && data[i] >>> 0 === data[i]) halves[2 * i] = data[i];
    else values[i] = BigInt(data[i]);
  }
  return { dtype: 'int64', dims, data: values };
};
