import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { quietJob } from '../../src/base/job.ts';
import { random } from '../../src/base/random.ts';
import { sortRows } from '../../src/base/row-order.ts';

const plain = (rows: readonly number[], keys: readonly number[], descending: boolean): readonly number[] => {
  const known = rows.filter((r) => !Number.isNaN(keys[r])).sort((a, b) => (descending ? keys[b] - keys[a] : keys[a] - keys[b]) || a - b);
  return [...known, ...rows.filter((r) => Number.isNaN(keys[r])).sort((a, b) => a - b)];
};

test('rows are sorted by key, ties by row, rows without a key last both ways', async () => {
  const key = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constant(Number.NaN));
  await fc.assert(
    fc.asyncProperty(fc.array(key), fc.boolean(), async (keys, descending) => {
      const rows = keys.map((_, i) => i);
      assert.deepEqual([...(await sortRows(Uint32Array.from(rows), keys, descending, quietJob()))], plain(rows, keys, descending));
    }),
  );
});

test('lists longer than one run are merged, over shuffled runs of all lengths', async () => {
  const draw = random(1, 'keys');
  for (const n of [65536, 65537, 200_001]) {
    const keys = Float64Array.from({ length: n }, () => (draw.next() < 0.01 ? Number.NaN : Math.floor(draw.next() * 5000)));
    const kept = Uint32Array.from({ length: n }, (_, i) => i).filter((i) => i % 3 !== 1);
    const sorted = await sortRows(kept.slice(), keys, true, quietJob());
    assert.deepEqual(sorted, Uint32Array.from(plain([...kept], [...keys], true)));
  }
});

test('a sort that was cancelled ends', async () => {
  const stop = new AbortController();
  stop.abort();
  const rows = Uint32Array.from({ length: 300_000 }, (_, i) => i);
  await assert.rejects(sortRows(rows, rows, true, { signal: stop.signal }), /[Ss]topped/);
});
