import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examine, examineMany } from './random-graphs.ts';
import { cases, type Program } from './random-program.ts';

/** A graph with this case between two other steps, in float32, of which every case has kernels. */
const around = (index: number): Program => {
  let op = index;
  while (op % 5 < 3) op += cases.length;
  const steps = [1, op, 2].map((step, seed) => ({ op: step, seed: seed + index }));
  return { sizes: 'known', float: 'float32', optimize: false, leaves: [[2, 3]], steps };
};

test('thousands of random graphs, with every case of every operator in one of them at least', async (t) => {
  const { graphs, discarded, drawn } = await examineMany(3000, 2);
  t.diagnostic(`${graphs} graphs, ${discarded} at a kink or not finite, ${drawn.size} of ${cases.length} cases`);
  assert.ok(discarded <= 0.05 * graphs, `${discarded} of ${graphs} graphs were discarded`);
  for (const [index, one] of cases.entries()) {
    if (drawn.has(one.name)) continue;
    const alone = await examine(around(index));
    assert.deepEqual(alone.drawn, [one.name]);
  }
});
