import type { FileOutline } from '../../report/tasks.ts';

export interface OutlinePorts {
  /** Undefined where there is no such file or folder. */
  stat(path: string): Promise<{ readonly mtimeMs: number; readonly size: number } | undefined>;
  /** Asks a job; none come back where jobs may not run. */
  outline(paths: readonly string[]): Promise<readonly FileOutline[]>;
}

/** What files are, by their headers; each file is read once until it changes. */
export interface Outlines {
  /** Path → its outline, null where there is no such file, undefined where it is not known. */
  look(paths: readonly string[]): Promise<ReadonlyMap<string, FileOutline | null | undefined>>;
  /** Only whether the files are there: null where not. */
  there(paths: readonly string[]): Promise<ReadonlyMap<string, null | undefined>>;
}

/** Files remembered; the oldest are forgotten first. */
const kept = 500;

export const outlines = ({ stat, outline }: OutlinePorts): Outlines => {
  const known = new Map<string, { readonly key: string; readonly outline: Promise<FileOutline | undefined> }>();
  return {
    async there(paths) {
      const stats = await Promise.all(paths.map(stat));
      return new Map(paths.map((path, i) => [path, stats[i] ? undefined : null]));
    },
    async look(paths) {
      const stats = await Promise.all(paths.map(stat));
      const fresh: { readonly path: string; readonly key: string }[] = [];
      for (const [i, path] of paths.entries()) {
        const found = stats[i];
        const key = found && `${found.mtimeMs} ${found.size}`;
        if (key !== undefined && known.get(path)?.key !== key) fresh.push({ path, key });
      }
      if (fresh.length > 0) {
        const asked = outline(fresh.map(({ path }) => path)).catch((): readonly FileOutline[] => []);
        for (const { path, key } of fresh) {
          const own = asked.then((all) => all.find((one) => one.path === path));
          known.delete(path);
          known.set(path, { key, outline: own });
          // What did not come back is asked for again.
          void own.then((one) => {
            if (!one && known.get(path)?.outline === own) known.delete(path);
          });
        }
        for (const path of [...known.keys()].slice(0, Math.max(0, known.size - kept))) known.delete(path);
      }
      const found = await Promise.all(paths.map(async (path, i) => (stats[i] ? await known.get(path)?.outline : null)));
      return new Map(paths.map((path, i) => [path, found[i]]));
    },
  };
};
