import { createHash } from 'node:crypto';
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

/** Of a folder: over the path, length and contents of each file under it, sorted. */
const folderSha256 = async (path: string): Promise<string> => {
  const folder = openFolder(path);
  const hash = createHash('sha256');
  for (const name of await folder.files()) {
    const file = join(folder.path, name);
    const { size } = await stat(file);
    hash.update(`${name}\0${size}\0`);
    for await (const chunk of createReadStream(file, { highWaterMark: 2 ** 20 })) hash.update(chunk as Buffer);
  }
  return hash.digest('hex');
};

/** Streamed; remembered for as long as size and time of change stay. */
const sha256 = async (path: string): Promise<string> => {
  if (await isFolder(path)) return folderSha256(path);
  const { size, mtimeMs } = await stat((await openSource(path)).path);
  const key = `${resolve(path)}\0${size}\0${mtimeMs}`;
  const known = digests.get(key);
  if (known) return known;
  const digest = (async () => {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(chunk as Buffer);
    return hash.digest('hex');
  })();
  digests.set(key, digest);
  digest.catch(() => digests.delete(key));
  return digest;
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
