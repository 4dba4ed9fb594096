import { Fault } from '../base/fault.ts';
import { type DType, sizeOf, type Tensor, type TensorData } from '../base/tensor.ts';
import type { Port } from './session.ts';

/** How the elements of each type are held; types that are missing cannot cross into ONNX Runtime's Node binding. */
const holders: Readonly<Partial<Record<DType, string>>> = {
  float32: 'Float32Array',
  float64: 'Float64Array',
  float16: 'Uint16Array',
  int8: 'Int8Array',
  int16: 'Int16Array',
  int32: 'Int32Array',
  int64: 'BigInt64Array',
  uint8: 'Uint8Array',
  uint16: 'Uint16Array',
  uint32: 'Uint32Array',
  uint64: 'BigUint64Array',
  bool: 'Uint8Array',
  string: 'Array',
  int4: 'Uint8Array',
  uint4: 'Uint8Array',
};

const holderOf = (data: TensorData): string => (Array.isArray(data) ? 'Array' : data[Symbol.toStringTag]);
const shape = (dims: readonly (number | string)[]): string => `[${dims.map((d) => (d === '' ? '?' : d)).join(', ')}]`;
const described = (dtype: DType, dims: readonly (number | string)[]): string => `${dtype} ${shape(dims)}`;

/** Two 4-bit elements share a byte. */
const lengthOf = (dtype: DType, dims: readonly number[]): number =>
  dtype === 'int4' || dtype === 'uint4' ? Math.ceil(sizeOf(dims) / 2) : sizeOf(dims);

/** ONNX Runtime gives a port of unknown rank the shape of a scalar: it is left to check those itself. */
const open = (port: Port): boolean => port.dims.length === 0;
const fits = (port: Port, dims: readonly number[]): boolean =>
  open(port) || (port.dims.length === dims.length && port.dims.every((d, i) => typeof d === 'string' || d === dims[i]));

/** What is wrong with a tensor in itself, or ''. */
const malformed = ({ dtype, dims, data }: Tensor): string => {
  const holder = holders[dtype];
  if (!holder) return `${dtype}, which ONNX Runtime's Node binding cannot pass`;
  if (holderOf(data) !== holder) return `${described(dtype, dims)} held in a ${holderOf(data)} instead of a ${holder}`;
  if (!dims.every((d) => Number.isSafeInteger(d) && d >= 0)) return `the shape ${shape(dims)}`;
  if (data.length !== lengthOf(dtype, dims)) return `${described(dtype, dims)} with ${data.length} elements`;
  return '';
};

/**
 * Every tensor is checked here, before native code sees it: a wrong element type has taken a whole process down.
 * Throws `runtime/input` or `runtime/feed`.
 */
export const checkFeeds = (model: string, inputs: readonly Port[], feeds: Readonly<Record<string, Tensor>>): void => {
  for (const name of Object.keys(feeds)) {
    if (!inputs.some((p) => p.name === name)) throw new Fault('runtime/feed', { model, input: name, known: inputs.map((p) => p.name) });
  }
  for (const port of inputs) {
    const bad = (given: string): never => {
      const expected = open(port) ? port.dtype : described(port.dtype, port.dims);
      throw new Fault('runtime/input', { model, input: port.name, expected, given });
    };
    const tensor = feeds[port.name];
    if (!tensor) bad('nothing');
    const flaw = malformed(tensor);
    if (flaw) bad(flaw);
    if (tensor.dtype !== port.dtype || !fits(port, tensor.dims)) bad(described(tensor.dtype, tensor.dims));
  }
};

/** Feeds of zeros, every open axis 1: only to see which kernels a device has, where no probe batch was given. */
export const zeroFeeds = (inputs: readonly Port[]): Record<string, Tensor> =>
  Object.fromEntries(
    inputs.map(({ name, dtype, dims: open }) => {
      const dims = open.map((d) => (typeof d === 'number' ? d : 1));
      const length = lengthOf(dtype, dims);
      return [name, { dtype, dims, data: zeros(dtype, length) }];
    }),
  );

const zeros = (dtype: DType, length: number): TensorData => {
  switch (dtype) {
    case 'float64':
      return new Float64Array(length);
    case 'float16':
    case 'uint16':
      return new Uint16Array(length);
    case 'int8':
      return new Int8Array(length);
    case 'int16':
      return new Int16Array(length);
    case 'int32':
      return new Int32Array(length);
    case 'int64':
      return new BigInt64Array(length);
    case 'uint32':
      return new Uint32Array(length);
    case 'uint64':
      return new BigUint64Array(length);
    case 'uint8':
    case 'bool':
    case 'int4':
    case 'uint4':
      return new Uint8Array(length);
    case 'string':
      return new Array<string>(length).fill('');
    default:
      return new Float32Array(length);
  }
};
