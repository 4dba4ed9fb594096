import { open, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { Fault } from '../base/fault.ts';
import type { Source } from './define.ts';

const unreadable = (path: string, error: unknown): Fault => {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return new Fault('file/missing', { path });
  if (code === 'EISDIR') return new Fault('file/directory', { path });
  return new Fault(
    'file/unreadable',
    { path, reason: code === 'EACCES' || code === 'EPERM' ? 'permission denied' : message },
    { cause: error },
  );
};

/** A file on disk. It is opened for each read, so nothing is left open when a job is killed. */
export const openSource = async (path: string): Promise<Source> => {
  const found = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (found.isDirectory()) throw new Fault('file/directory', { path });
  if (found.size === 0) throw new Fault('file/empty', { path });
  return {
    name: basename(path),
    path,
    size: found.size,
    async read(from, to, signal) {
      signal?.throwIfAborted();
      const file = await open(path, 'r').catch((error: unknown) => {
        throw unreadable(path, error);
      });
      try {
        const bytes = new Uint8Array(to - from);
        for (let at = 0; at < bytes.length; ) {
          const { bytesRead } = await file.read(bytes, at, Math.min(bytes.length - at, 2 ** 30), from + at);
          if (bytesRead === 0) throw new Fault('file/unreadable', { path, reason: 'it became shorter while it was read' });
          at += bytesRead;
        }
        return bytes;
      } finally {
        await file.close();
      }
    },
    beside: (name) => openSource(resolve(dirname(path), name)),
  };
};
