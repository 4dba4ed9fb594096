import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import { Fault } from '../../src/base/fault.ts';
import type { Tensor } from '../../src/base/tensor.ts';
import type { Dataset } from '../../src/data/define.ts';
import { readNpz } from '../../src/data/npz.ts';
import { openDataset } from '../../src/data/open.ts';
import { readers } from '../../src/data/readers/index.ts';
import { joinRows } from '../../src/data/rows.ts';
import { openSource } from '../../src/data/source.node.ts';
import { memorySource } from '../../src/data/source.ts';

const folder = join(import.meta.dirname, '../fixtures/data');
const fixture = (name: string): Promise<Dataset> => openSource(join(folder, name)).then((s) => openDataset(s));
const text = (body: string, name = 'table.csv'): Promise<Dataset> => openDataset(memorySource(name, new TextEncoder().encode(body)));
const fault = async (work: Promise<unknown>, code: string, ...parts: (string | RegExp)[]): Promise<void> => {
  const error = await work.then(
    () => assert.fail(`expected ${code}`),
    (e: unknown) => e,
  );
  assert.ok(error instanceof Fault, String(error));
  assert.equal(error.code, code);
  for (const part of parts)
    assert.match(error.message, part instanceof RegExp ? part : new RegExp(part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')));
};
const numbers = (t: Tensor): number[] => Array.from(t.data as ArrayLike<number | bigint>, Number);
const half = (bits: number): number => {
  const [s, e, m] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  return e === 0 ? s * m * 2 ** -24 : s * (1 + m / 1024) * 2 ** (e - 15);
};

// One law for every reader, present and future: a slice is made of its parts, and taking rows is slicing them.
const cases = [
  'types.npz',
  'types-deflated.npz',
  'digits.npz',
  'fortran.npy',
  'iris.csv',
  'predictions.parquet',
  'generations.jsonl',
  't10k-100-images-idx3-ubyte.gz',
  't10k-100-labels-idx1-ubyte',
];
for (const name of cases) {
  test(`${name}: slice(a,b) ++ slice(b,c) = slice(a,c), take(rows) = their slices`, async () => {
    const data = await fixture(name);
    const columns = data.columns.map((c) => c.name);
    const cut = fc.tuple(fc.nat(data.length), fc.nat(data.length), fc.nat(data.length)).map((t) => t.toSorted((a, b) => a - b));
    const rows = fc.array(fc.nat(data.length - 1), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(cut, rows, async ([a, b, c], wanted) => {
        const [left, right, whole] = await Promise.all([data.slice(columns, a, b), data.slice(columns, b, c), data.slice(columns, a, c)]);
        const taken = await data.take(columns, wanted);
        const single = await Promise.all(wanted.map((r) => data.slice(columns, r, r + 1)));
        for (const [k, column] of data.columns.entries()) {
          assert.deepEqual(joinRows([left[k], right[k]]), whole[k]);
          assert.deepEqual(whole[k].dims, [c - a, ...column.dims]);
          assert.equal(whole[k].dtype, column.dtype);
          assert.deepEqual(taken[k], joinRows(single.map((s) => s[k])));
        }
      }),
      { numRuns: 20 },
    );
  });
}

test('every reader has a case of the law above', () => {
  for (const { id, endings } of readers)
    assert.ok(
      cases.some((c) => endings.some((e) => c.endsWith(e))),
      `add a fixture of reader '${id}' to the cases`,
    );
});

test('every element type, byte order and array order of npz, stored and deflated', async () => {
  const want = Array.from({ length: 24 }, (_, i) => i - 5);
  for (const file of ['types.npz', 'types-deflated.npz']) {
    const data = await fixture(file);
    const whole = readNpz(readFileSync(join(folder, file)));
    for (const [name, tensor] of Object.entries(whole)) assert.deepEqual(await data.extra(name), tensor, name);
    for (const type of ['f4', 'f8', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8']) {
      for (const order of ['le', 'be'])
        assert.deepEqual(numbers(whole[`${order}_${type}`]), type[0] === 'u' ? want.map((n) => n + 5) : want, type);
    }
    for (const order of ['le', 'be']) assert.deepEqual(numbers(whole[`${order}_f2`]).map(half), want);
    assert.deepEqual(numbers(whole.fortran), want);
    assert.deepEqual(numbers(whole.fortran_be), want);
    assert.deepEqual(whole.unicode.data, ['a', 'bé', '日本', '']);
    assert.deepEqual(whole.unicode_be.data, whole.unicode.data);
    assert.deepEqual(whole.bytes.data, ['ab', 'c', '', 'def']);
    assert.deepEqual(whole.scalar, { dtype: 'float64', dims: [], data: Float64Array.of(2.5) });
    assert.deepEqual(whole.empty.dims, [0, 3]);
    assert.deepEqual(Array.from(whole.big.data as BigInt64Array), [2n ** 63n - 1n, -(2n ** 63n), 0n, 1n]);
    assert.equal(whole.flag.dtype, 'bool');
  }
});

test('zip64 archives', async () => {
  const data = await fixture('zip64.npz');
  assert.deepEqual(numbers((await data.slice(['x'], 2, 5))[0]), [2, 3, 4]);
});

test('npz: arrays of another length are extras, and can be looked at in their own right', async () => {
  const data = await fixture('digits.npz');
  assert.equal(data.length, 1797);
  assert.deepEqual(
    data.columns.map((c) => c.name),
    ['x', 'y', 'split'],
  );
  assert.deepEqual(
    data.extras.map((e) => [e.name, e.length]),
    [
      ['train_idx', 1438],
      ['test_idx', 359],
      ['feature_names', 64],
      ['class_names', 10],
    ],
  );
  const view = data.view?.('test_idx');
  assert.equal(view?.length, 359);
  assert.deepEqual(
    view?.columns.map((c) => c.name),
    ['test_idx'],
  );
});

test('IDX: the known first digits of MNIST, plain and gzip alike', async () => {
  const labels = await fixture('t10k-100-labels-idx1-ubyte');
  assert.deepEqual(numbers((await labels.slice(['y'], 0, 10))[0]), [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
  const packed = await fixture('t10k-100-labels-idx1-ubyte.gz');
  assert.deepEqual(await packed.slice(['y'], 0, 100), await labels.slice(['y'], 0, 100));
  const images = await fixture('t10k-100-images-idx3-ubyte.gz');
  assert.deepEqual(images.columns, [{ name: 'x', dtype: 'uint8', dims: [28, 28] }]);
  // The sum of the first image's bytes, by numpy.
  const seven = numbers((await images.slice(['x'], 0, 1))[0]);
  assert.equal(
    seven.reduce((a, b) => a + b),
    18454,
  );
});

test('csv: types, missing values, quotes, line ends and separators', async () => {
  const data = await text('﻿name,n,ok,note\r\n"Smith, ""J""",1.5,true,\r\n\r\nZoë,NA,FALSE,"two\nlines"\r\n,-inf,true,1\r\n');
  assert.deepEqual(
    data.columns.map((c) => [c.name, c.dtype]),
    [
      ['name', 'string'],
      ['n', 'float64'],
      ['ok', 'bool'],
      ['note', 'string'],
    ],
  );
  const [name, n, ok, note] = await data.slice(['name', 'n', 'ok', 'note'], 0, 3);
  assert.deepEqual(name.data, ['Smith, "J"', 'Zoë', '']);
  assert.deepEqual(numbers(n), [1.5, Number.NaN, Number.NEGATIVE_INFINITY]);
  assert.deepEqual(numbers(ok), [1, 0, 1]);
  assert.deepEqual(note.data, ['', 'two\nlines', '1']);
  assert.deepEqual(
    (await text('a;b\n1;2\n')).columns.map((c) => c.name),
    ['a', 'b'],
  );
});

test('csv: what counts as a number', async () => {
  const kind = async (value: string): Promise<string> => (await text(`a,b\n${value},1\n`)).columns[0].dtype;
  for (const number of ['1', ' -2.5 ', '+3', '1e5', '.5', 'inf', '-Infinity', 'NaN', 'NA', '', '0', '00', '-0'])
    assert.equal(await kind(number), 'float64', number);
  for (const word of ['0x10', ' 0b1', '-0x10', '1_000', '1.5x', 'one', '12 34', '0o7']) assert.equal(await kind(word), 'string', word);
});

test('csv: names are told from data by the numbers below them', async () => {
  const headless = await text('5.1,3.5,setosa\n4.9,3.0,setosa\n');
  assert.equal(headless.length, 2);
  assert.deepEqual(
    headless.columns.map((c) => c.name),
    ['column_1', 'column_2', 'column_3'],
  );
  assert.match(headless.notes?.[0] ?? '', /read as data/);
  assert.deepEqual(
    (await text('label,0,1\n5,0,9\n')).columns.map((c) => c.name),
    ['label', '0', '1'],
  );
  assert.deepEqual(
    (await text('0,1,2\n5,0,9\n')).columns.map((c) => c.name),
    ['0', '1', '2'],
  );
  assert.deepEqual(
    (await text(',a,a\n0,1,2\n')).columns.map((c) => c.name),
    ['id', 'a', 'a#2'],
  );
});

test('csv: a first line whose words are values of the rows below is a row', async () => {
  const shape = async (body: string, name?: string): Promise<unknown> => {
    const data = await text(body, name);
    return [data.length, data.columns.map((c) => c.name)];
  };
  const mails = 'ham\ttest\tGo, then, now, or, never\nham\ttrain\tOk\nspam\ttrain\tFree\nspam\ttest\tWin\n';
  const headless = await text(mails, 'mails.tsv');
  assert.equal(headless.length, 4);
  assert.match(headless.notes?.[0] ?? '', /'mails.tsv' holds values of the rows below it.*column_1 to column_3/);
  assert.deepEqual(
    (await headless.slice(['column_1', 'column_3'], 0, 2)).map((t) => t.data),
    [
      ['ham', 'ham'],
      ['Go, then, now, or, never', 'Ok'],
    ],
  );
  assert.deepEqual(await shape('ham\nspam\nham\n'), [3, ['column_1']]);
  // Names: two files one after the other, usual names, a column of numbers, a word that is a value of one column in three, a rare one.
  assert.deepEqual(await shape('kind,note\na,b\nkind,note\nc,d\n'), [3, ['kind', 'note']]);
  assert.deepEqual(await shape('label,note\nlabel,b\nlabel,d\n'), [2, ['label', 'note']]);
  assert.deepEqual(await shape('kind,size\nkind,1\nb,2\n'), [2, ['kind', 'size']]);
  assert.deepEqual(await shape('sex,smoker,town\nm,smoker,A\nf,no,B\n'), [2, ['sex', 'smoker', 'town']]);
  const rare = Array.from({ length: 200 }, (_, i) => `a,message ${i}`).join('\n');
  assert.deepEqual(await shape(`kind,message\n${rare}\nb,message\n`), [201, ['kind', 'message']]);
});

test('csv: a table longer than a chunk and a block reads the same everywhere', async () => {
  const lines = Array.from({ length: 60000 }, (_, i) => `${i},"v,${i}",${i % 7 === 0 ? '' : i / 4}`);
  const data = await text(`i,t,q\n${lines.join('\n')}\n`);
  assert.equal(data.length, 60000);
  for (const row of [0, 255, 256, 31000, 59999]) {
    const [i, t, q] = await data.slice(['i', 't', 'q'], row, row + 1);
    assert.deepEqual([numbers(i)[0], t.data[0], numbers(q)[0]], [row, `v,${row}`, row % 7 === 0 ? Number.NaN : row / 4]);
  }
});

// Any table, written with quotes where RFC 4180 wants them, reads back as it was.
test('csv: parse ∘ write = id', async () => {
  const field = fc.string({ unit: fc.constantFrom('a', 'é', ',', '"', '\n', ' ', '7'), maxLength: 6 });
  const table = fc
    .integer({ min: 2, max: 4 })
    .chain((n) => fc.array(fc.array(field, { minLength: n, maxLength: n }), { minLength: 1, maxLength: 5 }));
  await fc.assert(
    fc.asyncProperty(table, async (rows) => {
      const head = rows[0].map((_, i) => `c${i}`);
      // A first row of words makes every column text.
      const all = [head, head.map(() => 'word'), ...rows];
      const body = all.map((r) => r.map((f) => (/[",\n]/.test(f) ? `"${f.replaceAll('"', '""')}"` : f)).join(',')).join('\n');
      const data = await text(`${body}\n`);
      const columns = await data.slice(head, 1, data.length);
      assert.deepEqual(
        rows.map((_, r) => columns.map((c) => c.data[r])),
        rows,
      );
    }),
    { numRuns: 200 },
  );
});

test('bad files are refused in one sentence', async () => {
  await fault(fixture('absent.csv'), 'file/missing', 'absent.csv');
  await fault(fixture('.'), 'file/directory');
  const empty = join(await mkdtemp(join(tmpdir(), 'assay-')), 'empty.csv');
  await writeFile(empty, '');
  await fault(
    openSource(empty).then((s) => openDataset(s)),
    'file/empty',
    'empty.csv',
  );
  await fault(fixture('pickled.npy'), 'data/pickled', /pickled/, 'pickled.npy');
  await fault(fixture('structured.npy'), 'data/dtype', 'structured');
  await fault(text('a,b\n1,2\n3\n'), 'data/ragged', 'line 3', '1 fields where 2');
  await fault(text('a,b\n1,"2\n'), 'data/corrupt', 'line 2', 'never closed');
  await fault(text('a,b\n'), 'data/no-rows');
  await fault(text('a,b\n1,\0\n'), 'data/corrupt', 'zero bytes');
  await fault(text('hello', 'model.onnx'), 'data/format', '.npz');
  await fault(text('hello', 'x.npz'), 'data/corrupt', 'zip');
  const partly = await fixture('partly-pickled.npz');
  assert.deepEqual(
    partly.columns.map((c) => c.name),
    ['x'],
  );
  await fault(partly.extra('names'), 'data/pickled', 'names');
  await fault(partly.slice(['z'], 0, 1), 'data/column', "'z'", 'It has: x');
});

// Cutting or flipping bytes anywhere must give a fault or the right rows, never another error or wrong numbers.
for (const file of ['digits.npz', 't10k-100-labels-idx1-ubyte.gz', 'zip64.npz', 'fortran.npy']) {
  test(`${file} cut short or with a flipped byte`, async () => {
    const bytes = new Uint8Array(readFileSync(join(folder, file)));
    const name = file.includes('ubyte') ? 'y' : 'x';
    const load = async (b: Uint8Array): Promise<Tensor> => {
      const data = await openDataset(memorySource(file, b));
      return (await data.slice([name], 0, data.length))[0];
    };
    const good = await load(bytes);
    const attempt = async (b: Uint8Array, mayDiffer: boolean): Promise<void> => {
      const found = await load(b).catch((e: unknown) => e);
      if (found instanceof Error) assert.ok(found instanceof Fault, found.stack);
      else if (!mayDiffer) assert.deepEqual(found, good);
    };
    for (let k = 1; k <= 12; k++) await attempt(bytes.slice(0, Math.floor((bytes.length * k) / 13)), false);
    // Stored arrays carry no checksum that a range read could check; deflated members do.
    for (let k = 0; k < 12; k++) {
      const b = bytes.slice();
      b[Math.floor((bytes.length * k) / 12)] ^= 0x55;
      await attempt(b, file !== 'digits.npz');
    }
  });
}

const lines = (body: string): Promise<Dataset> => text(body, 'rows.jsonl');

test('JSON lines: numbers, truth values, text, lists of one shape, ragged lists, objects inside', async () => {
  const data = await lines(
    '{"n":1,"v":[[1,2],[3,4]],"o":{"k":"a"},"f":true,"r":[0.5]}\r\n\n{"v":[[5,6],[7,8]],"f":false,"r":[0.25,null],"o":{"k":7}}',
  );
  assert.deepEqual(
    data.columns.map(({ name, dtype, dims }) => [name, dtype, dims]),
    [
      ['n', 'float64', []],
      ['v', 'float64', [2, 2]],
      ['o.k', 'string', []],
      ['f', 'bool', []],
      ['r', 'string', []],
    ],
  );
  const [n, v, k, f, r] = await data.slice(['n', 'v', 'o.k', 'f', 'r'], 0, 2);
  assert.deepEqual(numbers(n), [1, Number.NaN]);
  assert.deepEqual(numbers(v), [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.deepEqual(
    [k.data, r.data, numbers(f)],
    [
      ['a', '7'],
      ['[0.5]', '[0.25,null]'],
      [1, 0],
    ],
  );
  assert.match(data.notes?.join() ?? '', /'r' differ in length/);
});

test('JSON lines: NaN and Infinity of Python, a mark at the start, rows longer than a chunk', async () => {
  const odd = await lines('\uFEFF{"a":NaN,"b":-Infinity,"c":"NaN, \\"Infinity"}');
  const [a, b, c] = await odd.slice(['a', 'b', 'c'], 0, 1);
  assert.deepEqual([numbers(a), numbers(b), c.data], [[Number.NaN], [-Infinity], ['NaN, "Infinity']]);
  const long = 'é'.repeat(800_000);
  const data = await lines(`{"s":"${long}","n":1}\n{"s":"x","n":2}`);
  const [s, n] = await data.slice(['s', 'n'], 0, 2);
  assert.deepEqual([(s.data as string[])[0] === long, numbers(n)], [true, [1, 2]]);
});

test('JSON lines that are none are refused with their line', async () => {
  await fault(lines('{"a":1}\n\n{"a":'), 'data/corrupt', 'line 3', 'no JSON');
  await fault(lines('{"a":1}\n[1,2]'), 'data/corrupt', 'line 2', 'no JSON object');
  await fault(lines(`{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`), 'data/corrupt', 'line 1', 'nested too deeply');
  await fault(lines(' \n\n'), 'data/no-rows');
  const names = Array.from({ length: 10_001 }, (_, i) => `"k${i}":0`).join();
  await fault(lines(`{${names}}`), 'data/corrupt', 'line 1', 'more than 10000 different names');
});
