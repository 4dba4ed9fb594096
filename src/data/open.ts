import { Fault } from '../base/fault.ts';
import type { Dataset, Source } from './define.ts';
import { imageEndings } from './image-decode.ts';
import { openImageFile } from './image-folder.ts';
import { gunzipped } from './inflate.ts';
import { readers } from './readers/index.ts';

const endsLike = (name: string, endings: readonly string[]): boolean => endings.some((ending) => name.toLowerCase().endsWith(ending));

/** Whether a name could be that of a data file (and not of an array or column). */
export const isDataFile = (name: string): boolean => readers.some(({ endings }) => endsLike(name, endings));

/** Opens a file by what its first bytes say, else by its ending; gzip is unpacked first. A picture is a dataset of one row. */
export const openDataset = async (source: Source, signal?: AbortSignal): Promise<Dataset> => {
  if (endsLike(source.name, imageEndings)) return openImageFile(source, signal);
  const start = await source.read(0, Math.min(source.size, 512), signal);
  const plain = start[0] === 0x1f && start[1] === 0x8b ? await gunzipped(source, signal) : source;
  const head = plain === source ? start : await plain.read(0, Math.min(plain.size, 512), signal);
  const reader = readers.find((r) => r.knows(head, plain.name)) ?? readers.find((r) => endsLike(plain.name, r.endings));
  if (!reader) throw new Fault('data/format', { path: source.path, known: readers.flatMap((r) => r.endings) });
  return reader.open(plain, signal);
};
