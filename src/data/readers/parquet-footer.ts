import type { ColumnMetaData, FileMetaData } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { crc32 } from '../inflate.ts';

/** Bytes of one column of a row group that can be held in one buffer. */
const mostChunkBytes = 2 ** 31 - 1;

/** Rows [from, to) of the file, and what the footer says of each column's bytes. */
export interface Group {
  readonly from: number;
  readonly to: number;
  readonly chunks: ReadonlyMap<string, ColumnMetaData>;
}

/** Row groups one after the other; the footer's own sums must agree. */
export const groupsOf = (metadata: FileMetaData): Group[] => {
  let at = 0;
  const groups = metadata.row_groups.map((group) => {
    const from = at;
    at += Number(group.num_rows);
    if (!(at >= from)) throw new Error('a row group has a negative number of rows');
    const chunks = new Map<string, ColumnMetaData>();
    for (const { meta_data } of group.columns) {
      if (!meta_data) throw new Error('a row group lacks the place of a column');
      if (meta_data.num_values < group.num_rows) throw new Error(`column '${meta_data.path_in_schema[0]}' has fewer values than rows`);
      if (meta_data.total_uncompressed_size > mostChunkBytes)
        throw new Error(
          `column '${meta_data.path_in_schema[0]}' takes ${meta_data.total_uncompressed_size} bytes in one row group, more than fits a buffer; smaller row groups are needed`,
        );
      chunks.set(meta_data.path_in_schema[0], meta_data);
    }
    return { from, to: at, chunks };
  });
  if (at !== Number(metadata.num_rows)) throw new Error(`it announces ${metadata.num_rows} rows, but its row groups hold ${at}`);
  return groups.filter(({ from, to }) => to > from);
};

/** Values of one column over the file, and how many of them are missing; the latter unknown where a writer left that out. */
export const totalsOf = (
  metadata: FileMetaData,
  path: readonly string[],
): { readonly values: number; readonly missing: number | undefined } => {
  let values = 0;
  let missing: number | undefined = 0;
  for (const { columns } of metadata.row_groups) {
    const found = columns.find((c) => c.meta_data?.path_in_schema.join('\0') === path.join('\0'))?.meta_data;
    if (!found) throw new Error(`a row group lacks column '${path[0]}'`);
    values += Number(found.num_values);
    const count = found.statistics?.null_count;
    missing = missing === undefined || count === undefined ? undefined : missing + Number(count);
  }
  return { values, missing };
};

/** Class names that Hugging Face `datasets` keeps in the footer. */
export const classNamesOf = ({ key_value_metadata }: FileMetaData): readonly string[] | undefined => {
  const text = key_value_metadata?.find(({ key }) => key === 'huggingface')?.value;
  if (text === undefined) return undefined;
  try {
    const { info } = JSON.parse(text) as { info?: { features?: Record<string, { _type?: unknown; names?: unknown } | undefined> } };
    const named = Object.values(info?.features ?? {}).filter((f) => f?._type === 'ClassLabel');
    const names = named.length === 1 ? named[0]?.names : undefined;
    return Array.isArray(names) && names.every((n) => typeof n === 'string') ? names : undefined;
  } catch {
    return undefined;
  }
};

/** Walks the pages of a column, so that the decoder meets none that stands still, runs back or claims more than its column has. */
export const checkPages = (bytes: ArrayBuffer, chunk: ColumnMetaData | undefined): ArrayBuffer => {
  const reader = { view: new DataView(bytes), offset: 0 };
  const [values, size] = [Number(chunk?.num_values), Number(chunk?.total_uncompressed_size)];
  while (reader.offset < bytes.byteLength - 1) {
    const page = parquetHeader(reader);
    const counts = [page.data_page_header, page.data_page_header_v2, page.dictionary_page_header].flatMap((h) => (h ? [h.num_values] : []));
    const { compressed_page_size: packed, uncompressed_page_size: unpacked } = page;
    if (
      !(packed >= 0 && packed <= bytes.byteLength - reader.offset && unpacked >= 0 && unpacked <= size) ||
      counts.some((n) => !(n >= 0 && n <= values))
    )
      throw new Error('a page claims more than its column has');
    if (page.crc !== undefined && crc32(new Uint8Array(bytes, reader.offset, packed)) !== page.crc >>> 0)
      throw new Error('the checksum of a page does not match its contents');
    reader.offset += packed;
  }
  return bytes;
};
