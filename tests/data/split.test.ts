import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import { Fault } from '../../src/base/fault.ts';
import { batches } from '../../src/data/batches.ts';
import type { Dataset } from '../../src/data/define.ts';
import { writeNpz } from '../../src/data/npz-write.ts';
import { openDataset } from '../../src/data/open.ts';
import { openSource } from '../../src/data/source.node.ts';
import { memorySource } from '../../src/data/source.ts';
import { holdOut, splitRows } from '../../src/data/split.ts';

const fixture = (name: string): Promise<Dataset> =>
  openSource(join(import.meta.dirname, '../fixtures/data', name)).then((s) => openDataset(s));
const text = (body: string): Promise<Dataset> => openDataset(memorySource('table.csv', new TextEncoder().encode(body)));
const rows = async (data: Dataset, split: string, label?: string): Promise<number[]> =>
  Array.from((await splitRows(data, split, label)).rows ?? []);

test('hold out: disjoint, complete, ⌊n·f⌋ in all and each class within one row of its share', () => {
  const cases = fc.record({
    classes: fc.array(fc.nat(4), { minLength: 1, maxLength: 200 }),
    percent: fc.integer({ min: 1, max: 100 }),
    seed: fc.nat(1000),
  });
  fc.assert(
    fc.property(cases, ({ classes, percent, seed }) => {
      const n = classes.length;
      const { kept, held } = holdOut(n, Int32Array.from(classes), percent / 100, seed);
      assert.deepEqual(
        [...kept, ...held].sort((a, b) => a - b),
        Array.from({ length: n }, (_, i) => i),
      );
      assert.equal(held.length, Math.floor((n * percent) / 100));
      for (let c = 0; c <= 4; c++) {
        const share = (classes.filter((k) => k === c).length * percent) / 100;
        assert.ok(Math.abs(held.filter((r) => classes[r] === c).length - share) < 1 + 1e-9);
      }
      assert.deepEqual(holdOut(n, Int32Array.from(classes), percent / 100, seed).held, held);
    }),
  );
  assert.notDeepEqual(holdOut(100, undefined, 0.2, 0).held, holdOut(100, undefined, 0.2, 1).held);
});

test('train and test: what the file lists comes first', async () => {
  const digits = await fixture('digits.npz');
  const [train, held] = [await rows(digits, 'train'), await rows(digits, 'test')];
  assert.deepEqual([train.length, held.length], [1438, 359]);
  assert.deepEqual(
    [...train, ...held].sort((a, b) => a - b),
    Array.from({ length: 1797 }, (_, i) => i),
  );
  // A text column called `split` does as well.
  const iris = await fixture('iris.csv');
  assert.equal((await rows(iris, 'test')).length, 30);
  assert.deepEqual(await rows(iris, 'split=test'), await rows(iris, 'test'));
});

test('train and test: otherwise a fixed stratified fifth, and the report is told', async () => {
  const data = await text(`a,y\n${Array.from({ length: 50 }, (_, i) => `${i},${i % 5 === 0 ? 'x' : 'z'}`).join('\n')}\n`);
  const found = await splitRows(data, 'test', 'y');
  assert.equal(found.rows?.length, 10);
  assert.equal(Array.from(found.rows ?? []).filter((r) => r % 5 === 0).length, 2);
  assert.match(found.note ?? '', /names no train and test rows.*20 %.*stratified/);
  assert.deepEqual(await rows(data, '0.2@0', 'y'), await rows(data, 'test', 'y'));
  assert.equal((await rows(data, 'train', 'y')).length, 40);
});

test('columns, arrays and fractions', async () => {
  const digits = await fixture('digits.npz');
  assert.deepEqual(await rows(digits, '@test_idx'), await rows(digits, 'test'));
  assert.equal((await rows(digits, 'y=3')).length, 183);
  assert.equal((await rows(digits, '0.5@7')).length, 898);
  assert.equal((await splitRows(digits, undefined)).rows, undefined);
  const masked = await text('a,keep\n1,true\n2,false\n3,true\n');
  assert.deepEqual(await rows(masked, '@keep'), [0, 2]);
  assert.deepEqual(await rows(masked, 'keep=false'), [1]);
});

test('splits that cannot be are refused', async () => {
  const digits = await fixture('digits.npz');
  const code = (split: string, wanted: string, message: RegExp): Promise<void> =>
    assert.rejects(splitRows(digits, split), (e) => e instanceof Fault && e.code === wanted && message.test(e.message));
  await code('tset', 'option/value', /`train`, `test`/);
  await code('1.5', 'option/value', /fraction/);
  await code('@test_ids', 'data/column', /Did you mean 'test_idx'/);
  await code('y=11', 'data/split-empty', /found: /);
  await code('color=3', 'data/column', /'color'/);
  await code('0.0001', 'data/split-empty', /0\.0001/);
  await assert.rejects(splitRows(await text('a,i\n1,0\n2,9\n'), '@i'), (e) => Fault.is(e, 'data/split-row') && /row 9/.test(e.message));
  // Row numbers that are no whole numbers, or none at all: not another split in their place.
  const x = { dtype: 'float32' as const, dims: [3, 1], data: Float32Array.of(1, 2, 3) };
  const listing = (...rows: number[]) =>
    openDataset(memorySource('s.npz', writeNpz({ x, test_idx: { dtype: 'float64', dims: [rows.length], data: Float64Array.from(rows) } })));
  assert.deepEqual(await rows(await listing(2, 0), 'test'), [0, 2]);
  await assert.rejects(splitRows(await listing(0.5, 1), 'test'), (e) => Fault.is(e, 'data/split-row') && /row 0\.5/.test(e.message));
  await assert.rejects(splitRows(await listing(), 'test'), (e) => Fault.is(e, 'data/split-empty') && /@test_idx/.test(e.message));
});

test('batches: every row once, in order, at most one read ahead', async () => {
  const digits = await fixture('digits.npz');
  const split = await splitRows(digits, 'test');
  const seen: number[] = [];
  let [reads, used] = [0, 0];
  const counted: Dataset = {
    ...digits,
    take: (...args) => {
      reads++;
      return digits.take(...args);
    },
  };
  for await (const { rows: batch, columns } of batches(counted, ['x', 'y'], { ...(split.rows && { rows: split.rows }), size: 100 })) {
    used++;
    assert.ok(reads <= used + 1);
    assert.deepEqual(columns[0].dims, [batch.length, 64]);
    seen.push(...batch);
  }
  assert.deepEqual(seen, Array.from(split.rows ?? []));
  assert.equal(used, 4);
});

test('batches: a stopped job ends between two of them', async () => {
  const stop = new AbortController();
  const work = async (): Promise<void> => {
    for await (const _ of batches(await fixture('digits.npz'), ['y'], { size: 10, signal: stop.signal })) stop.abort();
  };
  await assert.rejects(work(), (e) => Fault.is(e, 'job/stopped'));
});
