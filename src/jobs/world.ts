import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Ports } from '../app/ports.ts';
import { openImageFolder } from '../data/image-folder.ts';
import { openDataset } from '../data/open.ts';
import { isFolder, openFolder, openSource } from '../data/source.node.ts';
import { onnxruntime } from '../runtime/onnxruntime.ts';
import { writeWhole } from './write-file.ts';

/** Of the package that this file runs from: bundled it lies in dist/, else in src/jobs/. */
const ownVersion = async (): Promise<string> => {
  for (const place of ['../package.json', '../../package.json']) {
    const text = await readFile(fileURLToPath(new URL(place, import.meta.url)), 'utf8').catch(() => '');
    const { name, version } = text ? (JSON.parse(text) as { name?: string; version?: string }) : {};
    if (name === 'assay' && version) return version;
  }
  return 'unknown';
};

const digests = new Map<string, Promise<string>>();

/** Remembered for as long as the key stays: path, size and time of change of what is read. */
const remembered = (key: string, feed: (hash: Hash) => Promise<void>): Promise<string> => {
  const known = digests.get(key);
  if (known) return known;
  const digest = (async () => {
    const hash = createHash('sha256');
    await feed(hash);
    return hash.digest('hex');
  })();
  digests.set(key, digest);
  digest.catch(() => digests.delete(key));
  return digest;
};

const feedFile = async (hash: Hash, path: string): Promise<void> => {
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(chunk as Buffer);
};

/** Of a folder: over the path, length and contents of each file under it, sorted. */
const folderSha256 = async (path: string): Promise<string> => {
  const folder = openFolder(path);
  const files: { readonly name: string; readonly size: number; readonly mtimeMs: number }[] = [];
  for (const name of await folder.files()) {
    const { size, mtimeMs } = await stat(join(folder.path, name));
    files.push({ name, size, mtimeMs });
  }
  const key = createHash('sha256').update(JSON.stringify(files)).digest('hex');
  return remembered(`${resolve(path)}\0${key}`, async (hash) => {
    for (const { name, size } of files) {
      hash.update(`${name}\0${size}\0`);
      await feedFile(hash, join(folder.path, name));
    }
  });
};

/** Streamed. */
const sha256 = async (path: string): Promise<string> => {
  if (await isFolder(path)) return folderSha256(path);
  const { size, mtimeMs } = await stat((await openSource(path)).path);
  return remembered(`${resolve(path)}\0${size}\0${mtimeMs}`, (hash) => feedFile(hash, path));
};

/** The real world of the use cases: this machine's files and ONNX Runtime. */
export const world = async (): Promise<Ports> => {
  const runtime = onnxruntime();
  return {
    runtime,
    versions: { assay: await ownVersion(), onnxruntime: runtime.version.replace(/^onnxruntime-node /, ''), node: process.versions.node },
    source: openSource,
    dataset: async (path, signal) =>
      (await isFolder(path)) ? openImageFolder(openFolder(path), signal) : openDataset(await openSource(path), signal),
    sha256,
    write: writeWhole,
    resolve: (from, path) => (isAbsolute(path) ? path : resolve(dirname(from), path)),
  };
};
