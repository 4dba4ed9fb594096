import { lstat, mkdir, readFile, readlink, rename, rm, statfs, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Fault } from '../../base/fault.ts';
import { type DownloadWatch, download } from './download.ts';
import { findPackage, inPackage, libraries, nuget, type PublishedPackage } from './source.ts';
import { type Unpacked, unpack } from './unpack.ts';

export interface CudaPlaces {
  /** Where the libraries are kept, outside the extension: an update of it does not take them away. */
  readonly folder: string;
  /** Where ONNX Runtime looks for them: beside its own library. */
  readonly binaries: string;
  /** Of ONNX Runtime; libraries of another version do not load. */
  readonly version: string;
  /** Index of the package feed. */
  readonly feed?: string;
  /** `process.platform`-`process.arch`. */
  readonly platform?: string;
  /** Free bytes of a folder's disk. */
  readonly free?: (folder: string) => Promise<number>;
}

export interface Installed {
  readonly version: string;
  readonly files: readonly Unpacked[];
}

export interface CudaSupport {
  /** What is installed for this version of ONNX Runtime. */
  installed(): Promise<Installed | undefined>;
  /** Asks the feed for the package; `have` is what an earlier attempt left of it. */
  plan(signal?: AbortSignal): Promise<{ readonly wanted: PublishedPackage; readonly have: number; readonly disk: number }>;
  install(wanted: PublishedPackage, watch?: DownloadWatch): Promise<Installed>;
  /** Puts what is installed beside ONNX Runtime again: after an update of the extension the links are gone. */
  link(): Promise<void>;
  /** Bytes that became free. */
  remove(): Promise<number>;
}

/** The package and, beside it, its libraries: they unpack to about twice its size. */
const DISK = 3;

const freeOf = async (folder: string): Promise<number> => {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
};
const there = async (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );
const sizeOf = async (path: string): Promise<number> =>
  lstat(path).then(
    ({ size }) => size,
    () => 0,
  );

/** ONNX Runtime's CUDA libraries: fetched on demand, kept in a folder of their own, linked to where it looks for them. */
export const cudaSupport = (places: CudaPlaces): CudaSupport => {
  const { folder, binaries, version, feed = nuget, platform = `${process.platform}-${process.arch}`, free = freeOf } = places;
  const home = join(folder, version);
  const record = join(home, 'installed.json');
  const part = join(folder, `${version}.part`);

  const installed = async (): Promise<Installed | undefined> => {
    const text = await readFile(record, 'utf8').catch(() => '');
    const known = text === '' ? undefined : (JSON.parse(text) as Installed);
    const sizes = await Promise.all((known?.files ?? []).map(async ({ name, bytes }) => (await sizeOf(join(home, name))) === bytes));
    return known && sizes.every(Boolean) ? known : undefined;
  };

  const unlink = async (): Promise<void> => {
    for (const name of libraries) {
      const at = join(binaries, name);
      const target = await readlink(at).catch(() => '');
      if (target.startsWith(folder)) await rm(at);
    }
  };

  const link = async (): Promise<void> => {
    const known = await installed();
    for (const { name } of known?.files ?? []) {
      const at = join(binaries, name);
      if ((await readlink(at).catch(() => '')) === join(home, name)) continue;
      // A library that was put there by hand stays.
      if ((await there(at)) && !(await lstat(at)).isSymbolicLink()) continue;
      try {
        await rm(at, { force: true });
        await symlink(join(home, name), at);
      } catch (cause) {
        throw new Fault('cuda/place', { path: binaries, reason: cause instanceof Error ? cause.message : String(cause) }, { cause });
      }
    }
  };

  return {
    installed,
    link,
    async plan(signal) {
      if (platform !== 'linux-x64') throw new Fault('cuda/platform', { platform });
      const wanted = await findPackage(feed, version, signal);
      const have = await sizeOf(part);
      return { wanted, have: have <= wanted.bytes ? have : 0, disk: wanted.bytes * DISK };
    },
    async install(wanted, watch = {}) {
      await mkdir(folder, { recursive: true });
      const needed = wanted.bytes * DISK - (await sizeOf(part));
      const left = await free(folder);
      if (left < needed) throw new Fault('cuda/disk', { folder, needed, free: left });
      await download(wanted, part, watch);
      const fresh = `${home}.new`;
      await rm(fresh, { recursive: true, force: true });
      await mkdir(fresh, { recursive: true });
      try {
        const files = await unpack(
          part,
          new Map(libraries.map((name) => [inPackage + name, join(fresh, name)])),
          wanted.name,
          watch.signal,
        );
        const made: Installed = { version, files: files.map((one) => ({ ...one, name: basename(one.name) })) };
        await writeFile(join(fresh, 'installed.json'), `${JSON.stringify(made, undefined, 1)}\n`);
        await rm(home, { recursive: true, force: true });
        await rename(fresh, home);
        await rm(part, { force: true });
        await link();
        return made;
      } catch (error) {
        await rm(fresh, { recursive: true, force: true });
        if (error instanceof Error && 'code' in error && error.code === 'ENOSPC')
          throw new Fault('cuda/disk', { folder, needed, free: null }, { cause: error });
        // A package that cannot be unpacked is of no use to a later attempt.
        if (Fault.is(error, 'cuda/package')) await rm(part, { force: true });
        throw error;
      }
    },
    async remove() {
      const known = await installed();
      const freed = (known?.files ?? []).reduce((sum, { bytes }) => sum + bytes, await sizeOf(part));
      await unlink();
      await rm(folder, { recursive: true, force: true });
      return freed;
    },
  };
};
