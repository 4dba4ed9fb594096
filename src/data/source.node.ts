import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { Fault } from '../base/fault.ts';
import type { Folder, Source } from './define.ts';

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

export const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

/** A folder on disk. Links to files count, links to folders are not followed. */
export const openFolder = (path: string): Folder => {
  const root = path.replace(/(?<=.)[\\/]+$/, '');
  return {
    path: root,
    async files() {
      const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
        throw unreadable(root, error);
      });
      return entries
        .filter((entry) => entry.isFile() || entry.isSymbolicLink())
        .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
        .filter((name) => !name.split('/').some((part) => part.startsWith('.')))
        .sort();
    },
    open: (file) => openSource(join(root, file)),
  };
};
