import assert from 'node:assert/strict';
import test from 'node:test';
import { timeLeft } from '../../src/cli/time-left.ts';

test('time left at the pace so far, in its unit, and nothing before it can be told', () => {
  assert.deepEqual(
    [
      [2, 0.5],
      [10, 0.04],
      [10, 1],
      [10, 0.25],
      [10, 0.999],
      [60, 0.25],
      [3600, 0.25],
    ].map(([seconds, done]) => timeLeft(seconds, done)),
    ['', '', '', 'about 30 s left', 'about 1 s left', 'about 3 min left', 'about 3.0 h left'],
  );
});
