import { Fault } from '../base/fault.ts';
import type { Source } from './define.ts';

/** Bytes in memory as a source: a test's array, or a member of an archive once it is unpacked. */
export const memorySource = (path: string, bytes: Uint8Array, beside: (name: string) => Promise<Source> = missing): Source => ({
  name: path.split(/[\\/]/).at(-1) ?? path,
  path,
  size: bytes.length,
  read: async (from, to) => bytes.subarray(from, to),
  beside,
});

const missing = async (name: string): Promise<Source> => {
  throw new Fault('file/missing', { path: name });
};

/** Part of a source, as a source. */
export const within = (source: Source, name: string, from: number, to: number): Source => ({
  name,
  path: source.path,
  size: to - from,
  read: (a, b, signal) => source.read(from + a, from + b, signal),
  beside: (other) => source.beside(other),
});
