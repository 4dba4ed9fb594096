import { Fault } from '../base/fault.ts';
import { type DType, sizeOf } from '../base/tensor.ts';
import { elementBytes } from './constant.ts';
import { escapes } from './external.ts';
import { dtypes, type Message } from './schema.ts';
import type { Constant, SparseConstant } from './types.ts';

/** Bytes that `dims` elements of a type take in raw_data; sub-byte types fill whole bytes. */
export const bytesNeeded = (dtype: DType, dims: readonly number[]): number => Math.ceil(sizeOf(dims) * elementBytes[dtype]);

const joined = (chunks: readonly Uint8Array[]): Uint8Array => {
  if (chunks.length === 1) return chunks[0];
  const out = new Uint8Array(chunks.reduce((n, c) => n + c.length, 0));
  let at = 0;
  for (const c of chunks) {
    out.set(c, at);
    at += c.length;
  }
  return out;
};

/** Base-128 varints as little-endian integers of `width` bytes (two's complement, higher bits cut off). */
const fromVarints = (chunks: readonly Uint8Array[], width: number): Uint8Array => {
  const source = joined(chunks);
  let count = 0;
  for (let i = 0; i < source.length; i++) if (source[i] < 0x80) count++;
  const out = new Uint8Array(count * width);
  const view = new DataView(out.buffer);
  let at = 0;
  for (let i = 0; i < source.length; at += width) {
    let [low, high, shift] = [0, 0, 0];
    for (; i < source.length; shift += 7) {
      const byte = source[i++];
      if (shift < 28) low |= (byte & 0x7f) << shift;
      else if (shift === 28) {
        low |= (byte & 0x0f) << 28;
        high |= (byte & 0x7f) >>> 4;
      } else high |= (byte & 0x7f) << (shift - 32);
      if (byte < 0x80) break;
    }
    if (at + width > out.length) break;
    if (width === 1) out[at] = low;
    else if (width === 2) view.setUint16(at, low & 0xffff, true);
    else view.setUint32(at, low >>> 0, true);
    if (width === 8) view.setUint32(at + 4, high >>> 0, true);
  }
  return out;
};

type Field = 'floats' | 'doubles' | 'int32s' | 'int64s' | 'uint64s';
/** Which typed field holds a type's elements where raw_data is not used; `width` of a varint's target. */
const typedField = (dtype: DType): Field => {
  if (dtype === 'float32' || dtype === 'complex64') return 'floats';
  if (dtype === 'float64' || dtype === 'complex128') return 'doubles';
  if (dtype === 'int64') return 'int64s';
  return dtype === 'uint32' || dtype === 'uint64' ? 'uint64s' : 'int32s';
};

const external = (t: Message<'Tensor'>, needed: number): Exclude<Constant['external'], undefined> => {
  const entries = new Map(t.external.map((e) => [e.key, e.value]));
  const location = entries.get('location') ?? '';
  const reason = escapes(location);
  if (reason) throw new Fault('graph/external', { location, reason });
  return {
    location,
    offset: Number(entries.get('offset') ?? 0),
    length: Number(entries.get('length') ?? needed),
  };
};

/** A TensorProto as a constant. `bad` is told what is wrong and does not return. */
export const storedOf = (t: Message<'Tensor'>, bad: (reason: string) => never): Constant => {
  const dtype = dtypes[t.dtype ?? 0];
  const { dims } = t;
  const name = t.name ? `tensor '${t.name}'` : 'a tensor';
  if (!dtype || dtype === 'undefined') return bad(`${name} has the unknown element type ${t.dtype ?? 0}`);
  if (dims.some((d) => d < 0)) return bad(`${name} has the shape [${dims.join(', ')}]`);
  if (t.segment) return bad(`${name} is stored in segments, which no ONNX tool reads`);
  if (dtype === 'string') {
    if (t.strings.length !== sizeOf(dims)) return bad(`${name} of shape [${dims.join(', ')}] holds ${t.strings.length} strings`);
    return { dtype, dims, strings: t.strings };
  }
  const needed = bytesNeeded(dtype, dims);
  if (t.location === 1 || t.external.length > 0) return { dtype, dims, external: external(t, needed) };
  const field = typedField(dtype);
  const bytes =
    t.raw ?? (field === 'floats' || field === 'doubles' ? joined(t[field]) : fromVarints(t[field], Math.max(1, elementBytes[dtype])));
  if (bytes.length !== needed)
    return bad(`${name} of shape [${dims.join(', ')}] and type ${dtype} needs ${needed} bytes but ${bytes.length} are stored`);
  return { dtype, dims, bytes };
};

export const sparseOf = (s: Message<'Sparse'>, bad: (reason: string) => never): SparseConstant => {
  if (!s.values || !s.indices) return bad('a sparse tensor lacks its values or indices');
  return { values: storedOf(s.values, bad), indices: storedOf(s.indices, bad), dims: s.dims };
};
