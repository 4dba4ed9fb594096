/**
 * Makes tests/fixtures/data/{table,predictions}.parquet: `node --import tsx tests/golden/make/parquet.ts`. Columns are written by
 * hyparquet-writer, each with a codec or encoding of its own, in row groups of 7 rows; values follow from the row number, so that the
 * tests compute them anew.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';

const folder = join(import.meta.dirname, '../../fixtures/data');
const rows = 20;
const each = <T>(make: (row: number) => T): T[] => Array.from({ length: rows }, (_, row) => make(row));
const list = (name: string, type: 'FLOAT' | 'INT32'): object[] => [
  { name, repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST' },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', type, repetition_type: 'OPTIONAL' },
];
const compressors = {
  GZIP: (b: Uint8Array) => Uint8Array.from(gzipSync(b)),
  BROTLI: (b: Uint8Array) => Uint8Array.from(brotliCompressSync(b)),
};

const columnData = [
  { name: 'x', data: each((r) => [r, r / 2, 1 - r, 0.25]), codec: 'GZIP' },
  {
    name: 'grid',
    data: each((r) => [
      [r, r + 1],
      [r + 2, r + 3],
      [r + 4, r + 5],
    ]),
  },
  { name: 'uneven', data: each((r) => Array.from({ length: 1 + (r % 3) }, () => r)) },
  { name: 'label', data: each((r) => BigInt(r % 3)), encoding: 'DELTA_BINARY_PACKED', codec: 'BROTLI' },
  { name: 'byte', data: each((r) => r % 256) },
  { name: 'flag', data: each((r) => r % 2 === 0) },
  { name: 'gaps', data: each((r) => (r % 5 === 0 ? null : r)) },
  { name: 'name', data: each((r) => (r % 4 === 0 ? 'café' : `n${r}`)) },
  { name: 'day', data: each((r) => new Date(Date.UTC(2024, 1, r + 1))) },
  { name: 'bytes', data: each((r) => Uint8Array.of(255, 216, r)) },
  { name: 'record', data: each((r) => ({ bytes: Uint8Array.of(r), path: `${r}.png` })) },
];
const schema = [
  { name: 'root', num_children: columnData.length },
  ...list('x', 'FLOAT'),
  { name: 'grid', repetition_type: 'REQUIRED', num_children: 1, converted_type: 'LIST' },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', repetition_type: 'REQUIRED', num_children: 1, converted_type: 'LIST' },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', type: 'INT32', repetition_type: 'REQUIRED' },
  ...list('uneven', 'INT32'),
  { name: 'label', type: 'INT64', repetition_type: 'OPTIONAL' },
  { name: 'byte', type: 'INT32', converted_type: 'UINT_8', repetition_type: 'REQUIRED' },
  { name: 'flag', type: 'BOOLEAN', repetition_type: 'REQUIRED' },
  { name: 'gaps', type: 'INT32', repetition_type: 'OPTIONAL' },
  { name: 'name', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
  { name: 'day', type: 'INT32', converted_type: 'DATE', repetition_type: 'REQUIRED' },
  { name: 'bytes', type: 'BYTE_ARRAY', repetition_type: 'REQUIRED' },
  { name: 'record', repetition_type: 'OPTIONAL', num_children: 2 },
  { name: 'bytes', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL' },
  { name: 'path', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
];
const huggingface = { info: { features: { label: { names: ['ape', 'bat', 'cat'], _type: 'ClassLabel' } } } };
const write = (name: string, options: object): void =>
  writeFileSync(
    join(folder, name),
    Uint8Array.from(new Uint8Array(parquetWriteBuffer(options as Parameters<typeof parquetWriteBuffer>[0]))),
  );

write('table.parquet', {
  columnData,
  schema,
  compressors,
  rowGroupSize: 7,
  kvMetadata: [{ key: 'huggingface', value: JSON.stringify(huggingface) }],
});
write('predictions.parquet', {
  columnData: [
    { name: 'prob_ape', data: each((r) => (r % 4) / 4), type: 'DOUBLE' },
    { name: 'prob_bat', data: each((r) => 1 - (r % 4) / 4), type: 'DOUBLE' },
    { name: 'label', data: each((r) => (r % 3 === 0 ? 'ape' : 'bat')), type: 'STRING' },
    { name: 'group', data: each((r) => (r < 10 ? 'a' : 'b')), type: 'STRING' },
  ],
  rowGroupSize: 7,
});
