import { type FileMetaData, parquetMetadataAsync, parquetSchema, type SchemaTree } from 'hyparquet';
import { parquetReadColumn } from 'hyparquet/src/read.js';
import { compressors } from 'hyparquet-compressors';
import { Fault } from '../../base/fault.ts';
import { sizeOf, type Tensor } from '../../base/tensor.ts';
import { type Column, type Dataset, defineReader, type Reader, type Source } from '../define.ts';
import { joinRows, takeRows } from '../rows.ts';
import { checkPages, classNamesOf, type Group, groupsOf, totalsOf } from './parquet-footer.ts';
import { type ListLeaf, leafOf, packed, typeOf } from './parquet-types.ts';

/** Row groups kept decoded: the one in use and the one read ahead. */
const kept = 2;

/** What the decoder says, where it says it in words; bytes that lead it astray have none. */
const reasonOf = (error: unknown): string =>
  error instanceof TypeError || error instanceof RangeError || !(error instanceof Error)
    ? 'its bytes cannot be decoded'
    : error.message.replace(/^parquet (file )?/, '').replace(/\.$/, '');

const corrupt = (path: string, where: string, error: unknown): Fault =>
  error instanceof Fault ? error : new Fault('data/corrupt', { path, where, reason: reasonOf(error) }, { cause: error });

/** The decoder reads ahead; what it then does not use may fail unheard. */
const heard = <T>(work: Promise<T>): Promise<T> => {
  work.catch(() => {});
  return work;
};

interface Bytes {
  readonly byteLength: number;
  slice(from: number, to?: number): Promise<ArrayBuffer>;
}

const fileOf = (source: Source, signal?: AbortSignal): Bytes => ({
  byteLength: source.size,
  async slice(from, to = source.size) {
    if (!(from >= 0 && to >= from && to <= source.size)) throw new Error('it names bytes beyond its end');
    const bytes = await source.read(from, to, signal);
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  },
});

/** A column of scalars, or of lists that are all as long as the first. */
interface Stored {
  readonly column: Column;
  readonly leaf: ListLeaf;
}

/**
 * Apache Parquet by hyparquet: flat columns of numbers, text, booleans and dates (as ISO text), and lists of one length, nested or not, as
 * arrays. Row groups are read and decoded when one of their rows is asked for. A column with missing numbers is read as floats.
 */
export const parquet: Reader = defineReader({
  id: 'parquet',
  title: 'Apache Parquet',
  endings: ['.parquet'],
  knows: (head) => String.fromCharCode(...head.subarray(0, 4)) === 'PAR1',
  async open(source, signal) {
    const { path } = source;
    try {
      const head = new TextDecoder().decode(await source.read(0, Math.min(4, source.size), signal));
      if (head === 'PARE') throw new Error('it is encrypted');
      if (head !== 'PAR1' || source.size < 12) throw new Error('it is not in Parquet form (PAR1 at both ends)');
      const end = new TextDecoder().decode(await source.read(source.size - 4, source.size, signal));
      if (end !== 'PAR1') throw new Error('it is cut off (PAR1 is due at its end)');
      const metadata = await parquetMetadataAsync(fileOf(source, signal), { geoparquet: false });
      return await datasetOf(source, metadata, signal);
    } catch (error) {
      throw corrupt(path, 'footer', error);
    }
  },
});

const datasetOf = async (source: Source, metadata: FileMetaData, opening?: AbortSignal): Promise<Dataset> => {
  const { path } = source;
  const groups = groupsOf(metadata);
  const length = Number(metadata.num_rows);
  if (length === 0) throw new Fault('data/no-rows', { path });

  const values = async (name: string, { from, to, chunks }: Group, signal?: AbortSignal): Promise<ArrayLike<unknown>> => {
    const file = fileOf(source, signal);
    try {
      const found = await parquetReadColumn({
        file: {
          byteLength: file.byteLength,
          slice: (a, b) => heard(file.slice(a, b).then((bytes) => checkPages(bytes, chunks.get(name)))),
        },
        metadata,
        columns: [name],
        rowStart: from,
        rowEnd: to,
        compressors,
        parsers: {
          stringFromBytes: (bytes) => bytes && new TextDecoder('utf-8', { fatal: true }).decode(bytes),
          jsonFromBytes: (bytes) => bytes && new TextDecoder('utf-8', { fatal: true }).decode(bytes),
        },
      });
      if (found.length !== to - from) throw new Error(`${found.length} values where ${to - from} are due`);
      return found;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof TypeError && /utf-8|encoded data/i.test(error.message))
        throw new Fault('data/dtype', { path, array: name, dtype: 'raw bytes' });
      throw corrupt(path, `column '${name}', rows ${from} to ${to - 1}`, error);
    }
  };

  const refused = new Map<string, Fault>();
  const stored = new Map<string, Stored>();
  const open = async (node: SchemaTree): Promise<Stored | undefined> => {
    const name = node.element.name;
    const leaf = leafOf(node);
    if (typeof leaf === 'string') {
      refused.set(name, new Fault('data/dtype', { path, array: name, dtype: leaf }));
      return undefined;
    }
    const { values: count, missing } = totalsOf(metadata, leaf.path);
    const dtype = typeOf(leaf.type, leaf.required ? 0 : missing);
    if (leaf.depth === 0) return { column: { name, dtype, dims: [] }, leaf };
    const dims: number[] = [];
    if (leaf.depth === 1) dims.push(count / length);
    else
      for (let [item, d]: [unknown, number] = [(await values(name, groups[0], opening))[0], 0]; d < leaf.depth; d++) {
        dims.push(Array.isArray(item) ? item.length : 0);
        item = Array.isArray(item) ? item[0] : undefined;
      }
    if (sizeOf(dims) * length !== count || !dims.every(Number.isInteger)) {
      refused.set(name, new Fault('data/list-lengths', { path, column: name }));
      return undefined;
    }
    return { column: { name, dtype, dims }, leaf };
  };
  for (const node of parquetSchema(metadata).children) {
    const found = await open(node);
    if (found) stored.set(node.element.name, found);
  }
  const [why] = refused.values();
  if (stored.size === 0) throw why ?? new Error('it has no columns');

  const find = (name: string): Stored => {
    const found = stored.get(name);
    if (found) return found;
    throw refused.get(name) ?? new Fault('data/column', { path, name, nearest: '', known: [...stored.keys()] });
  };
  const decoded = new Map<Group, Map<string, Promise<Tensor>>>();
  const tensorOf = (name: string, group: Group, signal?: AbortSignal): Promise<Tensor> => {
    const { column, leaf } = find(name);
    const own = decoded.get(group) ?? new Map<string, Promise<Tensor>>();
    decoded.delete(group);
    decoded.set(group, own);
    for (const oldest of decoded.keys()) if (decoded.size > kept) decoded.delete(oldest);
    const found =
      own.get(name) ??
      values(name, group, signal).then((read): Tensor => {
        const dims = [group.to - group.from, ...column.dims];
        return { dtype: column.dtype, dims, data: packed(path, column, leaf, read, group.from) };
      });
    own.set(name, found);
    found.catch(() => own.delete(name));
    return found;
  };
  const part = ({ dtype, dims, data }: Tensor, from: number, to: number): Tensor => {
    const size = sizeOf(dims.slice(1));
    return { dtype, dims: [to - from, ...dims.slice(1)], data: data.slice(from * size, to * size) };
  };
  const slice: Dataset['slice'] = async (names, from, to, signal) => {
    const touched = groups.filter((g) => g.from < to && g.to > from);
    const parts: Tensor[][] = names.map(() => []);
    for (const group of touched.length > 0 ? touched : [groups[0]]) {
      const tensors = await Promise.all(names.map((name) => tensorOf(name, group, signal)));
      const [a, b] = touched.length > 0 ? [Math.max(from, group.from) - group.from, Math.min(to, group.to) - group.from] : [0, 0];
      for (const [k, tensor] of tensors.entries()) parts[k].push(part(tensor, a, b));
    }
    return parts.map((p) => (p.length === 1 ? p[0] : joinRows(p)));
  };
  const classNames = classNamesOf(metadata);
  return {
    format: 'parquet',
    path,
    length,
    columns: [...stored.values()].map((s) => s.column),
    extras: classNames ? [{ name: 'class_names', dtype: 'string', dims: [], length: classNames.length }] : [],
    refused,
    slice,
    take: (names, rows, signal) => takeRows((a, b) => slice(names, a, b, signal), rows, { gap: 64, most: 65536 }),
    async extra(name) {
      if (name !== 'class_names' || !classNames) throw new Fault('data/column', { path, name, nearest: '', known: [...stored.keys()] });
      return { dtype: 'string', dims: [classNames.length], data: [...classNames] };
    },
    close: async () => decoded.clear(),
  };
};
