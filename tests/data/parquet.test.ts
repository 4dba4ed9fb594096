import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import type { Tensor } from '../../src/base/tensor.ts';
import type { Dataset, Source } from '../../src/data/define.ts';
import { openDataset } from '../../src/data/open.ts';
import { predictionsOf } from '../../src/data/predictions.ts';
import { memorySource } from '../../src/data/source.ts';

const bytesOf = (name: string): Uint8Array => Uint8Array.from(readFileSync(join(import.meta.dirname, '../fixtures/data', name)));
const open = (name: string): Promise<Dataset> => openDataset(memorySource(name, bytesOf(name)));
const one = async (data: Dataset, column: string, from = 0, to = data.length): Promise<Tensor> => (await data.slice([column], from, to))[0];
const values = (t: Tensor): unknown[] => Array.from(t.data as ArrayLike<unknown>);
const each = <T>(make: (row: number) => T): T[] => Array.from({ length: 20 }, (_, row) => make(row));

test('every kind of column, over row groups of 7 rows and four codecs', async () => {
  const data = await open('table.parquet');
  assert.deepEqual([data.format, data.length], ['parquet', 20]);
  assert.deepEqual(
    data.columns.map((c) => `${c.name} ${c.dtype} [${c.dims}]`),
    [
      'x float32 [4]',
      'grid int32 [3,2]',
      'label int64 []',
      'byte uint8 []',
      'flag bool []',
      'gaps float64 []',
      'name string []',
      'day string []',
      'bytes string []',
    ],
  );
  assert.deepEqual(values(await one(data, 'x')), each((r) => [r, r / 2, 1 - r, 0.25]).flat());
  assert.deepEqual(
    values(await one(data, 'grid', 5, 9)),
    [5, 6, 7, 8].flatMap((r) => [r, r + 1, r + 2, r + 3, r + 4, r + 5]),
  );
  assert.deepEqual(
    values(await one(data, 'label')),
    each((r) => BigInt(r % 3)),
  );
  assert.deepEqual(
    values(await one(data, 'byte')),
    each((r) => r),
  );
  assert.deepEqual(
    values(await one(data, 'flag')),
    each((r) => Number(r % 2 === 0)),
  );
  assert.deepEqual(
    values(await one(data, 'gaps')),
    each((r) => (r % 5 === 0 ? Number.NaN : r)),
  );
  assert.deepEqual(
    values(await one(data, 'name')),
    each((r) => (r % 4 === 0 ? 'café' : `n${r}`)),
  );
  assert.deepEqual(values(await one(data, 'day', 0, 2)), ['2024-02-01', '2024-02-02']);
  assert.deepEqual((await one(data, 'grid', 3, 3)).dims, [0, 3, 2]);
  assert.deepEqual((await data.extra('class_names')).data, ['ape', 'bat', 'cat']);
});

test('columns that have no shape are refused when they are asked for, each with its reason', async () => {
  const data = await open('table.parquet');
  const refusal = (name: string): Promise<unknown> => one(data, name).catch((e: unknown) => e);
  assert.match(String(await refusal('uneven')), /'uneven'.* lists of different lengths/);
  assert.match(String(await refusal('record')), /'record'.* record \(bytes, path\)/);
  assert.match(String(await refusal('bytes')), /'bytes'.* raw bytes/);
  assert.ok(Fault.is(await refusal('nothing'), 'data/column'));
});

test('a table of predictions', async () => {
  const data = await open('predictions.parquet');
  const table = predictionsOf(data, undefined, undefined);
  assert.deepEqual([table.scores, table.classes, table.label], ['probabilities', ['ape', 'bat'], 'label']);
  assert.deepEqual(Array.from(table.read(await data.slice(table.columns, 6, 8))), [0.5, 0.5, 0.75, 0.25]);
});

// Files of other writers, from the Apache Parquet project; the values are those of its README files.
test('files of Impala, Arrow and parquet-mr', async () => {
  const impala = await open('apache-alltypes_plain.snappy.parquet');
  assert.deepEqual(values(await one(impala, 'bigint_col')), [0, 10]);
  assert.deepEqual(values(await one(impala, 'timestamp_col')), ['2009-04-01T00:00:00.000Z', '2009-04-01T00:01:00.000Z']);
  const normal = values(await one(await open('apache-byte_stream_split.zstd.parquet'), 'f32')) as number[];
  // 300 standard normal numbers of numpy's seed 0: 4 standard errors of their mean are 0.23.
  assert.ok(
    normal.length === 300 && Math.abs(normal[0] - 1.764052345967664) < 1e-6 && Math.abs(normal.reduce((a, b) => a + b) / 300) < 0.23,
  );
  assert.deepEqual(values(await one(await open('apache-lz4_raw_compressed.parquet'), 'v11')), [42, 7.7, 42.125, 7.7]);
  assert.deepEqual(values(await one(await open('apache-float16_nonzeros_and_nans.parquet'), 'x')).slice(1, 3), [1, -2]);
  assert.deepEqual((await one(await open('apache-map_no_value.parquet'), 'my_list')).dims, [3, 3]);
});

test('only the columns and row groups that are asked for are read', async () => {
  const bytes = bytesOf('table.parquet');
  let read = 0;
  const counted: Source = {
    ...memorySource('table.parquet', bytes),
    async read(from, to) {
      read += to - from;
      return bytes.subarray(from, to);
    },
  };
  const data = await openDataset(counted);
  read = 0;
  await one(data, 'x', 7, 14);
  const once = read;
  assert.ok(once > 0 && once < bytes.length / 10, `${once} of ${bytes.length} bytes`);
  await one(data, 'x', 8, 10);
  assert.equal(read, once);
});

test('a page whose checksum does not match is refused', async () => {
  const whole = bytesOf('apache-rle-dict-uncompressed-corrupt-checksum.parquet');
  const data = await openDataset(memorySource('a.parquet', whole));
  await assert.rejects(one(data, 'long_field', 0, 2), (e) => Fault.is(e, 'data/corrupt') && /checksum/.test(e.message));
});

test('what is cut off, encrypted or of another kind is refused in one sentence', async () => {
  const whole = bytesOf('table.parquet');
  const refusal = async (bytes: Uint8Array): Promise<string> =>
    openDataset(memorySource('a.parquet', bytes)).then(
      () => assert.fail('it was read'),
      (e: unknown) => (Fault.is(e, 'data/corrupt') ? e.message : assert.fail(String(e))),
    );
  assert.match(await refusal(whole.subarray(0, -100)), /footer: it is cut off/);
  assert.match(await refusal(whole.subarray(0, 8)), /not in Parquet form/);
  assert.match(await refusal(new TextEncoder().encode('PARE0123456789PARE')), /encrypted/);
  assert.match(await refusal(new TextEncoder().encode('name,age\na,1\nb,2\n')), /not in Parquet form/);
});
