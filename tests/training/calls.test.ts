import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { stepsOfCall } from '../../src/app/train-calls.ts';

test('the first call, whose length is not known, is one step', () => {
  assert.equal(stepsOfCall(Number.POSITIVE_INFINITY, 1000), 1);
});

test('calls last 0.2 to 0.5 s wherever steps and what is left allow it', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-6, max: 0.5, noNaN: true }), fc.integer({ min: 1, max: 1_000_000 }), (seconds, left) => {
      const k = stepsOfCall(seconds, left);
      assert.ok(k >= 1 && k <= left);
      assert.ok(k * seconds <= 0.5);
      if (left * seconds >= 0.5 + seconds) assert.ok(k * seconds >= 0.2 * (1 - 1e-9), `${k} steps`);
    }),
  );
});

test('twenty steps are in a call wherever twenty fit in 0.5 s', () => {
  for (const seconds of [1e-5, 0.005, 0.012, 0.0126, 0.02, 0.025]) assert.ok(stepsOfCall(seconds, 10_000) >= 20);
});

test('what is left of an epoch is shared evenly: no call is a mere rest', () => {
  // 468 steps of 10 ms: 25 at a time would leave 18; 26 at a time leave none.
  assert.equal(stepsOfCall(0.01, 468), 26);
  assert.equal(stepsOfCall(0.01, 27), 27);
  assert.equal(stepsOfCall(0.01, 40), 40);
  assert.equal(stepsOfCall(0.01, 70), 35);
});
