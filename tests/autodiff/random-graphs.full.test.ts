import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examine, examineMany } from './random-graphs.ts';
import { cases } from './random-program.ts';

/** The number of a step that draws case `at`: of every five numbers the last two draw a case. */
const stepOf = (at: number): number => {
  const found = [0, 1, 2, 3, 4].map((k) => at + k * cases.length).find((op) => op % 5 >= 3);
  assert.ok(found !== undefined, 'no number draws this case: the table has a multiple of five cases');
  return found;
};

test('thousands of random graphs, with every case of every operator in one of them at least', async (t) => {
  const { graphs, discarded, drawn } = await examineMany(4000, 2);
  t.diagnostic(`${graphs} graphs, ${discarded} at a kink or not finite`);
  assert.ok(discarded <= 0.05 * graphs, `${discarded} of ${graphs} graphs were discarded`);
  // What chance has left out is put into a graph of its own.
  for (const [at, { name }] of cases.entries()) {
    if (drawn.has(name)) continue;
    const op = stepOf(at);
    const steps = [0, op, 0].map((of, seed) => ({ op: of, seed }));
    const found = await examine({ sizes: 'known', float: 'float32', optimize: false, leaves: [[2, 3]], steps });
    assert.deepEqual(found, { outcome: 'agrees', drawn: [name] });
  }
});
