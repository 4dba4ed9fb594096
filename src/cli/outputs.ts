import { realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Fault } from '../base/fault.ts';
import { checkWritable } from '../jobs/write-file.ts';
import type { Typed } from './define.ts';

/** A path as the file system knows it; the part that is not there yet stays as it was typed. */
const real = async (path: string): Promise<string> => {
  const whole = resolve(path);
  const parent = dirname(whole);
  return realpath(whole).catch(async () => (parent === whole ? whole : join(await real(parent), basename(whole))));
};

const outputs = ['out', 'json', 'html', 'junit'] as const;
const shown = (name: string): string => (name === 'out' ? '-o' : `--${name}`);

/**
 * The files that a command writes must be writable, differ from each other and be none of those that it reads: told before
 * any work is done. `inputs` may hold names that are no files; `own` are flags of this command
 * that name files it writes.
 */
export const checkOutputs = async (
  { flags }: Typed,
  inputs: readonly (string | undefined)[],
  own: readonly string[] = [],
): Promise<void> => {
  const read = new Map<string, string>();
  for (const path of inputs) if (path) read.set(await real(path), path);
  const written = new Map<string, string>();
  for (const name of [...outputs, ...own]) {
    const path = flags[name];
    if (!path) continue;
    const place = path === '-' ? '-' : await real(path);
    const input = read.get(place);
    if (input !== undefined) throw new Fault('file/overwrites', { option: shown(name), path, input });
    const other = written.get(place);
    if (other !== undefined && !place.startsWith('/dev/')) throw new Fault('file/same', { path, options: [other, shown(name)] });
    written.set(place, shown(name));
    if (path !== '-') await checkWritable(path);
  }
};
