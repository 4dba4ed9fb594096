import { Gunzip, Inflate } from 'fflate';
import { Fault } from '../base/fault.ts';
import type { Source } from './define.ts';
import { memorySource, within } from './source.ts';

const chunk = 1 << 20;

/** Feeds a source to a decompressor, chunk by chunk; its own errors become `data/corrupt`. */
const pour = async (
  source: Source,
  where: string,
  into: { push(bytes: Uint8Array, final: boolean): void },
  signal: AbortSignal | undefined,
): Promise<void> => {
  for (let at = 0; at < source.size; at += chunk) {
    const to = Math.min(source.size, at + chunk);
    const bytes = await source.read(at, to, signal);
    try {
      into.push(bytes, to === source.size);
    } catch (error) {
      if (error instanceof Fault) throw error;
      throw new Fault('data/corrupt', { path: source.path, where, reason: 'its compressed data are damaged or cut off' }, { cause: error });
    }
  }
};

/** The first `count` unpacked bytes of a raw deflate stream, or all of it where it is shorter. */
export const inflatedHead = async (source: Source, where: string, count: number, signal?: AbortSignal): Promise<Uint8Array> => {
  const out = new Uint8Array(count);
  let at = 0;
  const stream = new Inflate((bytes) => {
    const part = bytes.subarray(0, count - at);
    out.set(part, at);
    at += part.length;
  });
  for (let from = 0, step = 4096; from < source.size && at < count; from += step, step *= 4) {
    await pour(
      within(source, source.name, from, Math.min(source.size, from + step)),
      where,
      { push: (bytes) => stream.push(bytes, from + step >= source.size) },
      signal,
    );
  }
  return out.subarray(0, at);
};

const crcTable = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});
export const crc32 = (bytes: Uint8Array): number => {
  let c = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) c = crcTable[(c ^ bytes[i]) & 0xff] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
};

/** A raw deflate stream of known unpacked size and checksum. */
export const inflated = async (source: Source, where: string, size: number, crc: number, signal?: AbortSignal): Promise<Uint8Array> => {
  const wrong = (reason: string): Fault => new Fault('data/corrupt', { path: source.path, where, reason });
  let out: Uint8Array;
  try {
    out = new Uint8Array(size);
  } catch {
    throw wrong(`it unpacks to ${size} bytes, more than can be held; store it uncompressed`);
  }
  let at = 0;
  const stream = new Inflate((bytes) => {
    if (at + bytes.length > size) throw wrong(`it unpacks to more than the ${size} bytes it states`);
    out.set(bytes, at);
    at += bytes.length;
  });
  await pour(source, where, stream, signal);
  if (at !== size) throw wrong(`it unpacks to ${at} bytes, not the ${size} it states`);
  if (crc32(out) !== crc) throw wrong('its checksum does not match its contents');
  return out;
};

/** A gzip file unpacked into memory, under its name without `.gz`. */
export const gunzipped = async (source: Source, signal?: AbortSignal): Promise<Source> => {
  const parts: Uint8Array[] = [];
  let size = 0;
  const stream = new Gunzip((bytes) => {
    parts.push(bytes);
    size += bytes.length;
  });
  await pour(source, 'gzip', stream, signal);
  // The last four bytes state the unpacked size modulo 2^32 (RFC 1952).
  const tail = source.size < 18 ? undefined : await source.read(source.size - 4, source.size, signal);
  const stated = tail && new DataView(tail.buffer, tail.byteOffset, 4).getUint32(0, true);
  if (stated === undefined || size === 0 || (size < stated && parts.length > 0))
    throw new Fault('data/corrupt', { path: source.path, where: 'gzip', reason: 'its compressed data are damaged or cut off' });
  const out = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return { ...memorySource(source.path, out, (name) => source.beside(name)), name: source.name.replace(/\.gz$/i, '') };
};
