import { randomBytes } from 'node:crypto';
import { access, constants, mkdir, open, readdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Fault } from '../base/fault.ts';
import { alive } from './alive.ts';

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of the disk is used up',
  EFBIG: 'it is larger than a file may be here',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of its path is a file',
  EEXIST: 'a part of its path is a file',
  ENOENT: 'its folder does not exist and cannot be made',
  ENAMETOOLONG: 'its name is too long',
};

const unwritable = async (path: string, cause: unknown): Promise<Fault> => {
  if (cause instanceof Fault) return cause;
  const { code = '', message } = cause as NodeJS.ErrnoException;
  // As below /proc, whose files are the system's own.
  if (code === 'ENOENT' && (await stat(dirname(path)).catch(() => undefined))?.isDirectory())
    return new Fault('file/unwritable', { path, reason: 'its folder takes no new files; name another folder' }, { cause });
  return new Fault('file/unwritable', { path, reason: reasons[code] ?? message }, { cause });
};

const swept = new Set<string>();
/** Removes what processes that were killed while they wrote this file left beside it; once for each file. */
const sweep = async (target: string): Promise<void> => {
  if (swept.has(target)) return;
  swept.add(target);
  const [folder, name] = [dirname(target), basename(target)];
  for (const entry of await readdir(folder).catch(() => [])) {
    const [, pid] = entry.startsWith(`${name}.`) ? (/^(\d+)-[0-9a-f]{6}\.part$/.exec(entry.slice(name.length + 1)) ?? []) : [];
    if (pid !== undefined && !alive(Number(pid))) await rm(join(folder, entry), { force: true }).catch(() => {});
  }
};

/**
 * All or nothing: to a file beside it, flushed, then renamed over it. Folders are made, a link stays a link, and what is no
 * file (a pipe, a terminal) is written to. Throws `file/unwritable`.
 */
export const writeWhole = async (path: string, content: Uint8Array | string | AsyncIterable<Uint8Array>): Promise<void> => {
  const target = await realpath(path).catch(() => path);
  const found = await stat(target).catch(() => undefined);
  const temporary = `${target}.${process.pid}-${randomBytes(3).toString('hex')}.part`;
  try {
    if (found && !found.isFile() && !found.isDirectory()) {
      await writeFile(target, content);
      return;
    }
    await mkdir(dirname(target), { recursive: true });
    const file = await open(temporary, 'w', found?.mode ?? 0o666);
    try {
      await writeFile(file, content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
    await sweep(target);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {});
    throw await unwritable(path, cause);
  }
};

/** Whether a file could be written there, as far as that can be told beforehand. Throws `file/directory`, `file/unwritable`. */
export const checkWritable = async (path: string): Promise<void> => {
  try {
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory()) throw new Fault('file/directory', { path });
    if (found) return await access(path, constants.W_OK);
    // The nearest folder that is there must take a file or a folder.
    for (let folder = dirname(resolve(path)); ; folder = dirname(folder)) {
      const above = await stat(folder).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
        return undefined;
      });
      if (!above && folder !== dirname(folder)) continue;
      if (!above?.isDirectory()) throw Object.assign(new Error('not a folder'), { code: 'ENOTDIR' });
      return await access(folder, constants.W_OK);
    }
  } catch (cause) {
    throw await unwritable(path, cause);
  }
};
