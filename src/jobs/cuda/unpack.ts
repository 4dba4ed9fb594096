import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';
import { Fault } from '../../base/fault.ts';

interface Entry {
  readonly method: number;
  readonly packed: number;
  readonly bytes: number;
  readonly offset: number;
}

const LONGEST_TAIL = 22 + 0xffff;

/** The directory at the end of a ZIP file (APPNOTE 4.3.12, 4.3.16). Packages of 4 GB and more, which need ZIP64, are refused. */
const directory = async (file: FileHandle, refuse: (reason: string) => Fault): Promise<ReadonlyMap<string, Entry>> => {
  const { size } = await file.stat();
  const tail = Buffer.alloc(Math.min(size, LONGEST_TAIL));
  await file.read(tail, 0, tail.length, size - tail.length);
  const end = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0 || end + 22 > tail.length) throw refuse('it is not a ZIP file');
  const [bytes, at] = [tail.readUInt32LE(end + 12), tail.readUInt32LE(end + 16)];
  if (at === 0xffffffff || at + bytes > size) throw refuse('its directory lies outside the file');
  const table = Buffer.alloc(bytes);
  await file.read(table, 0, bytes, at);
  const entries = new Map<string, Entry>();
  for (let p = 0; p + 46 <= bytes && table.readUInt32LE(p) === 0x02014b50; ) {
    const name = table.toString('utf8', p + 46, p + 46 + table.readUInt16LE(p + 28));
    entries.set(name, {
      method: table.readUInt16LE(p + 10),
      packed: table.readUInt32LE(p + 20),
      bytes: table.readUInt32LE(p + 24),
      offset: table.readUInt32LE(p + 42),
    });
    p += 46 + table.readUInt16LE(p + 28) + table.readUInt16LE(p + 30) + table.readUInt16LE(p + 32);
  }
  return entries;
};

export interface Unpacked {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Streams entries of a package to files. `wanted`: path in the package → file to write. */
export const unpack = async (
  path: string,
  wanted: ReadonlyMap<string, string>,
  title: string,
  signal?: AbortSignal,
): Promise<readonly Unpacked[]> => {
  const refuse = (reason: string, cause?: unknown): Fault => new Fault('cuda/package', { name: title, reason }, { cause });
  const file = await open(path);
  try {
    const entries = await directory(file, refuse);
    const done: Unpacked[] = [];
    for (const [name, target] of wanted) {
      const entry = entries.get(name);
      if (!entry) throw refuse(`it holds no '${name}'`);
      if (entry.method !== 0 && entry.method !== 8) throw refuse(`'${name}' is compressed by method ${entry.method}`);
      const head = Buffer.alloc(30);
      await file.read(head, 0, 30, entry.offset);
      const start = entry.offset + 30 + head.readUInt16LE(26) + head.readUInt16LE(28);
      const hash = createHash('sha256');
      let bytes = 0;
      const count = new Transform({
        transform(chunk: Buffer, _, next) {
          hash.update(chunk);
          bytes += chunk.length;
          next(null, chunk);
        },
      });
      const raw = createReadStream(path, { start, end: start + entry.packed - 1, highWaterMark: 2 ** 20 });
      const out = createWriteStream(target, { mode: 0o755 });
      const options = signal ? { signal } : {};
      await (entry.method === 8 ? pipeline(raw, createInflateRaw(), count, out, options) : pipeline(raw, count, out, options));
      if (bytes !== entry.bytes) throw refuse(`'${name}' has ${bytes} bytes instead of ${entry.bytes}`);
      done.push({ name: target, bytes, sha256: hash.digest('hex') });
    }
    return done;
  } catch (error) {
    if (error instanceof Fault) throw error;
    if (signal?.aborted) throw new Fault('job/stopped', {});
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') throw error;
    throw refuse(error instanceof Error ? error.message : String(error), error);
  } finally {
    await file.close();
  }
};
