import { createHash } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import type { Ports } from '../../src/app/ports.ts';
import { Fault } from '../../src/base/fault.ts';
import type { Source } from '../../src/data/define.ts';
import { onnxruntime } from '../../src/runtime/onnxruntime.ts';

const absent = (): never => {
  throw new Error('not needed');
};

/** Ports of a use case that only reads: its files are given. */
export const memoryPorts = (files: Readonly<Record<string, Uint8Array>>): Ports => ({
  runtime: onnxruntime(),
  versions: {},
  source: async (path): Promise<Source> => {
    const bytes = files[path];
    if (!bytes) throw new Fault('file/missing', { path });
    return { name: path, path, size: bytes.length, read: async (from, to) => bytes.subarray(from, to), beside: absent };
  },
  dataset: absent,
  sha256: async (path) => createHash('sha256').update(files[path]).digest('hex'),
  write: absent,
  resolve: (from, path) => resolve(dirname(from), path),
});
