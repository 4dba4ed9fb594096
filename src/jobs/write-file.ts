import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Fault } from '../base/fault.ts';

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of its path is a file',
};

/** All or nothing: to a file beside it, flushed, then renamed over it. Folders are made. Throws `file/unwritable`. */
export const writeWhole = async (path: string, content: Uint8Array | string): Promise<void> => {
  const temporary = `${path}.${process.pid}-${randomBytes(3).toString('hex')}.part`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(temporary, 'w');
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {});
    const { code = '', message } = cause as NodeJS.ErrnoException;
    throw new Fault('file/unwritable', { path, reason: reasons[code] ?? message }, { cause });
  }
};
