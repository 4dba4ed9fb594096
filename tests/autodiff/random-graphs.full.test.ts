import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examineMany } from './random-graphs.ts';
import { cases } from './random-program.ts';

test('thousands of random graphs, with every case of every operator in one of them at least', async (t) => {
  const { graphs, discarded, drawn } = await examineMany(4000, 2);
  t.diagnostic(`${graphs} graphs, ${discarded} at a kink or not finite`);
  assert.ok(discarded <= 0.05 * graphs, `${discarded} of ${graphs} graphs were discarded`);
  assert.deepEqual(
    cases.map((one) => one.name).filter((name) => !drawn.has(name)),
    [],
  );
});
