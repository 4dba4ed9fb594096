import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Fault } from '../../base/fault.ts';
import type { PublishedPackage } from './source.ts';

/** A connection that sends nothing for so long is given up; the next attempt goes on from what came. */
const SILENCE_MS = 60_000;

const isStop = (signal: AbortSignal | undefined): boolean => signal?.aborted === true;
const reasonOf = (error: unknown): string => {
  const { cause, message } = error instanceof Error ? error : new Error(String(error));
  return cause instanceof Error && cause.message ? cause.message : message;
};

/** The one place of the product that asks the network for anything, and only when a person said so. */
export const fetched = async (url: string, headers: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<Response> => {
  try {
    return await fetch(url, { headers: { ...headers }, redirect: 'follow', ...(signal ? { signal } : {}) });
  } catch (error) {
    if (isStop(signal)) throw new Fault('job/stopped', {});
    throw new Fault('cuda/unreachable', { host: new URL(url).host, reason: reasonOf(error) }, { cause: error });
  }
};

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

const isFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');

/** Rejects where nothing comes for long; the reader is then left to the garbage collector. */
const nextChunk = (reader: ReadableStreamDefaultReader<Uint8Array>, silenceMs: number): Promise<Uint8Array | undefined> =>
  new Promise((done, fail) => {
    const timer = setTimeout(() => fail(new Error('nothing came for a minute')), silenceMs);
    reader
      .read()
      .then(({ value }) => done(value), fail)
      .finally(() => clearTimeout(timer));
  });

export interface DownloadWatch {
  readonly signal?: AbortSignal;
  readonly onProgress?: (bytes: number, of: number) => void;
  readonly silenceMs?: number;
}

/** Brings a package to `path`, going on from what an earlier attempt left there. Its checksum is not looked at. */
const receive = async (
  { url, bytes }: PublishedPackage,
  path: string,
  { signal, onProgress, silenceMs = SILENCE_MS }: DownloadWatch,
): Promise<void> => {
  const had = await sizeOf(path);
  if (had === bytes) return;
  const from = had < bytes ? had : 0;
  const response = await fetched(url, from > 0 ? { range: `bytes=${from}-` } : {}, signal);
  const goesOn = response.status === 206 && (response.headers.get('content-range') ?? '').startsWith(`bytes ${from}-`);
  const { host } = new URL(url);
  if (!response.body || (!goesOn && response.status !== 200))
    throw new Fault('cuda/unreachable', { host, reason: `status ${response.status}` });
  const file = await open(path, goesOn ? 'a' : 'w');
  let at = goesOn ? from : 0;
  const reader = response.body.getReader();
  try {
    onProgress?.(at, bytes);
    for (let chunk = await nextChunk(reader, silenceMs); chunk; chunk = await nextChunk(reader, silenceMs)) {
      await file.appendFile(chunk);
      at += chunk.length;
      onProgress?.(at, bytes);
      if (isStop(signal)) throw new Fault('job/stopped', {});
    }
  } catch (error) {
    if (error instanceof Fault) throw error;
    if (isStop(signal)) throw new Fault('job/stopped', {});
    if (isFull(error)) throw new Fault('cuda/disk', { folder: dirname(path), needed: bytes - at, free: null }, { cause: error });
    throw new Fault('cuda/unreachable', { host, reason: reasonOf(error) }, { cause: error });
  } finally {
    reader.cancel().catch(() => {});
    await file.close();
  }
  if (at !== bytes) throw new Fault('cuda/unreachable', { host, reason: `the transfer ended after ${at} of ${bytes} bytes` });
};

/** A package at `path`, whole and as it was published. One whose checksum is wrong is deleted. */
export const download = async (wanted: PublishedPackage, path: string, watch: DownloadWatch = {}): Promise<void> => {
  await receive(wanted, path, watch);
  const hash = createHash(wanted.algorithm);
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) {
    hash.update(chunk as Buffer);
    if (isStop(watch.signal)) throw new Fault('job/stopped', {});
  }
  if (hash.digest('base64') === wanted.digest) return;
  await rm(path, { force: true });
  throw new Fault('cuda/checksum', { name: wanted.name, algorithm: wanted.algorithm === 'sha256' ? 'SHA-256' : 'SHA-512' });
};
