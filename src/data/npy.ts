import { Fault } from '../base/fault.ts';
import { type DType, sizeOf, type Tensor, type TensorData } from '../base/tensor.ts';

/** What the header of one `.npy` says. `at` is where the elements start. */
export interface NpyHeader {
  readonly dtype: DType;
  /** Bytes of one element. */
  readonly width: number;
  readonly bigEndian: boolean;
  readonly fortran: boolean;
  readonly dims: readonly number[];
  readonly at: number;
  /** `U` (UCS-4) or `S` (bytes) for text, '' otherwise. */
  readonly text: '' | 'U' | 'S';
}

/** Bytes that surely hold a header: numpy pads to 64, and only structured types (refused) grow long. */
export const headerBytes = 65536;

const types: Readonly<Record<string, DType>> = {
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
  i1: 'int8',
  i2: 'int16',
  i4: 'int32',
  i8: 'int64',
  u1: 'uint8',
  u2: 'uint16',
  u4: 'uint32',
  u8: 'uint64',
  b1: 'bool',
};

/** Format of numpy/lib/format.py: magic, version, header length, a Python dict literal. Nothing is ever unpickled. */
export const readHeader = (head: Uint8Array, path: string, array: string): NpyHeader => {
  const corrupt = (reason: string): never => {
    throw new Fault('data/corrupt', { path, where: `array '${array}'`, reason });
  };
  if (head.length < 12 || head[0] !== 0x93 || String.fromCharCode(...head.subarray(1, 6)) !== 'NUMPY')
    return corrupt('it is not in .npy format');
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const [lengthBytes, length] = head[6] === 1 ? [2, view.getUint16(8, true)] : [4, view.getUint32(8, true)];
  const at = 8 + lengthBytes + length;
  if (at > head.length) return corrupt(head.length < headerBytes ? 'its header is cut off' : 'its header is too long');
  const text = new TextDecoder('latin1').decode(head.subarray(8 + lengthBytes, at));
  const descr = /['"]descr['"]\s*:\s*(?:['"]([^'"]*)['"]|(\[))/.exec(text);
  const order = /['"]fortran_order['"]\s*:\s*(True|False)/.exec(text);
  const shape = /['"]shape['"]\s*:\s*\(([^)]*)\)/.exec(text);
  if (!descr || !order || !shape) return corrupt('its header is not understood');
  if (descr[2] || descr[1].includes('O'))
    throw descr[2] ? new Fault('data/dtype', { path, array, dtype: 'structured' }) : new Fault('data/pickled', { path, array });
  const [, endian, kind, digits] =
    /^([<>|=]?)([a-zA-Z])(\d*)/.exec(descr[1]) ?? corrupt(`its element type '${descr[1]}' is not understood`);
  const dims = shape[1]
    .split(',')
    .filter((d) => d.trim())
    .map((d) => Number(d.trim().replace(/L$/, '')));
  if (!dims.every((d) => Number.isSafeInteger(d) && d >= 0)) return corrupt(`its shape (${shape[1]}) is not understood`);
  const common = { bigEndian: endian === '>', fortran: order[1] === 'True' && dims.length > 1, dims, at };
  if (kind === 'U' || kind === 'S' || kind === 'a')
    return { ...common, dtype: 'string', width: Number(digits) * (kind === 'U' ? 4 : 1), text: kind === 'U' ? 'U' : 'S' };
  const dtype = types[kind + digits] ?? (kind === '?' ? 'bool' : undefined);
  if (!dtype) throw new Fault('data/dtype', { path, array, dtype: descr[1] });
  return { ...common, dtype, width: Number(digits || 1), text: '' };
};

const swapped = (bytes: Uint8Array, width: number): Uint8Array => {
  const out = bytes.slice();
  for (let i = 0; i + width <= out.length; i += width) out.subarray(i, i + width).reverse();
  return out;
};

const strings = (bytes: Uint8Array, { text, width, bigEndian }: NpyHeader, count: number): string[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder();
  return Array.from({ length: count }, (_, i) => {
    if (text === 'S') {
      let end = (i + 1) * width;
      while (end > i * width && bytes[end - 1] === 0) end--;
      return decoder.decode(bytes.subarray(i * width, end));
    }
    let out = '';
    for (let at = i * width; at < (i + 1) * width; at += 4) out += String.fromCodePoint(Math.min(view.getUint32(at, !bigEndian), 0x10ffff));
    return out.replace(/\0+$/, '');
  });
};

/** `count` elements from their stored bytes, in stored order: a view where byte order and alignment allow. */
export const elements = (bytes: Uint8Array, header: NpyHeader, count: number): TensorData => {
  if (header.text) return strings(bytes, header, count);
  const { width } = header;
  const raw = header.bigEndian && width > 1 ? swapped(bytes, width) : bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  const [buffer, at] = [raw.buffer as ArrayBuffer, raw.byteOffset];
  switch (header.dtype) {
    case 'float32':
      return new Float32Array(buffer, at, count);
    case 'float64':
      return new Float64Array(buffer, at, count);
    case 'int8':
      return new Int8Array(buffer, at, count);
    case 'int16':
      return new Int16Array(buffer, at, count);
    case 'int32':
      return new Int32Array(buffer, at, count);
    case 'int64':
      return new BigInt64Array(buffer, at, count);
    case 'float16':
    case 'uint16':
      return new Uint16Array(buffer, at, count);
    case 'uint32':
      return new Uint32Array(buffer, at, count);
    case 'uint64':
      return new BigUint64Array(buffer, at, count);
    default:
      return new Uint8Array(buffer, at, count);
  }
};

/** Column-major to row-major. */
export const rowMajor = <T extends TensorData>(data: T, dims: readonly number[]): T => {
  const out = data.slice() as T;
  const index = dims.map(() => 0);
  const strides = dims.map((_, i) => sizeOf(dims.slice(0, i)));
  for (let to = 0, from = 0; to < out.length; to++) {
    out[to] = data[from];
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < dims[axis]) break;
      from -= dims[axis] * strides[axis];
      index[axis] = 0;
    }
  }
  return out;
};

/** A whole array held in memory. */
export const readNpy = (bytes: Uint8Array, path: string, array: string = path): Tensor => {
  const header = readHeader(bytes.subarray(0, headerBytes), path, array);
  const count = sizeOf(header.dims);
  const found = bytes.length - header.at;
  if (found < count * header.width)
    throw new Fault('data/corrupt', {
      path,
      where: `array '${array}'`,
      reason: `it holds ${found} bytes of elements where ${count * header.width} are due`,
    });
  const data = elements(bytes.subarray(header.at, header.at + count * header.width), header, count);
  return { dtype: header.dtype, dims: header.dims, data: header.fortran ? rowMajor(data, header.dims) : data };
};
