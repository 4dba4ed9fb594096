import { readdir, readFile } from 'node:fs/promises';
import { delimiter } from 'node:path';

export type Env = Readonly<Record<string, string | undefined>>;

export const folders = (value: string | undefined): string[] => (value ?? '').split(delimiter).filter(Boolean);
export const list = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);

/** Where Linux's loader looks: its cache, then folders. */
export const loadable = async (env: Env, cacheFile = '/etc/ld.so.cache'): Promise<(library: string) => boolean> => {
  const cache = await readFile(cacheFile, 'latin1').catch(() => '');
  const places = [...folders(env.LD_LIBRARY_PATH), '/lib64', '/usr/lib64', '/usr/lib', '/usr/local/lib', '/usr/lib/wsl/lib'];
  const files = new Set((await Promise.all(places.map(list))).flat());
  return (library) => cache.includes(`/${library}\0`) || files.has(library);
};
