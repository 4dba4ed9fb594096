import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { latest } from '../../../src/vscode/insight/latest.ts';

/** Questions that are answered when told, with what became of each. */
const questions = () => {
  const asked: { readonly signal: AbortSignal; answer(): void }[] = [];
  const own = latest(
    (signal) =>
      new Promise((answer) => {
        asked.push({ signal, answer });
      }),
  );
  return { asked, own };
};
const turn = (): Promise<void> => pause(1);

test('of questions that follow each other at once only the last is asked, after the pause', async () => {
  const { asked, own } = questions();
  for (let i = 0; i < 5; i++) own.due(20);
  assert.equal(asked.length, 0);
  await pause(60);
  assert.equal(asked.length, 1);
  assert.ok(!asked[0].signal.aborted);
});

test('the next question stops the one being asked, and waits until it is done', async () => {
  const { asked, own } = questions();
  own.due(0);
  await pause(20);
  own.due(0);
  await pause(20);
  assert.deepEqual([asked.length, asked[0].signal.aborted], [1, true]);
  // A third takes the place of the second.
  own.due(0);
  await pause(20);
  asked[0].answer();
  await turn();
  assert.deepEqual([asked.length, asked[1].signal.aborted], [2, false]);
  asked[1].answer();
  await turn();
  assert.equal(asked.length, 2);
});

test('stopped, nothing more is asked', async () => {
  const { asked, own } = questions();
  own.due(0);
  await pause(20);
  own.due(0);
  await pause(20);
  own.stop();
  asked[0].answer();
  await turn();
  own.due(10);
  own.stop();
  await pause(40);
  assert.equal(asked.length, 1);
});
