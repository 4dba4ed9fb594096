import type { Stats } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { Fault } from '../base/fault.ts';
import type { Folder, Source } from './define.ts';

/** What the system says in its own words, said so that it can be mended. */
const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENAMETOOLONG: 'its name is longer than this system allows',
  ELOOP: 'it is a link that leads back to itself',
  EIO: 'the system cannot read it there',
};

const unreadable = (path: string, error: unknown): Fault => {
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return new Fault('file/missing', { path });
  if (code === 'EISDIR') return new Fault('file/directory', { path });
  return new Fault('file/unreadable', { path, reason: reasons[code] ?? message }, { cause: error });
};

/** A device, a pipe or a socket has no size and no place to read from twice. */
const special = (found: Stats): string =>
  found.isFIFO()
    ? 'a pipe'
    : found.isSocket()
      ? 'a socket'
      : found.isCharacterDevice() || found.isBlockDevice()
        ? 'a device'
        : 'no plain file';

/** A file without a size: empty, or one that the system makes up while it is read (as below /proc). */
const sizeless = async (path: string): Promise<Fault> => {
  try {
    const file = await open(path, 'r');
    try {
      const { bytesRead } = await file.read(new Uint8Array(1), 0, 1, 0);
      if (bytesRead === 0) return new Fault('file/empty', { path });
    } finally {
      await file.close();
    }
  } catch (error) {
    return unreadable(path, error);
  }
  return new Fault('file/unreadable', { path, reason: 'the system makes it up while it is read; copy it to a plain file' });
};

/** A file on disk. It is opened for each read, so nothing is left open when a job is killed. */
export const openSource = async (path: string): Promise<Source> => {
  const found = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (found.isDirectory()) throw new Fault('file/directory', { path });
  if (!found.isFile()) throw new Fault('file/unreadable', { path, reason: `it is ${special(found)}; name a plain file` });
  if (found.size === 0) throw await sizeless(path);
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
