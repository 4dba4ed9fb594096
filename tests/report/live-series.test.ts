import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withLive } from '../../src/report/live-series.ts';
import type { Card } from '../../src/report/report.ts';
import type { Live, TrainLive } from '../../src/report/tasks.ts';

const steps = (step: readonly number[], monitors?: TrainLive['monitors']): TrainLive => ({
  kind: 'steps',
  step,
  epoch: 1,
  epochs: 1,
  totalSteps: 10_000,
  loss: step.map((s) => 1 / s),
  accuracy: [],
  learningRate: step,
  gradientNorm: step,
  seconds: step,
  stepsPerSecond: step.length,
  ...(monitors ? { monitors } : {}),
});
const all = (...lives: readonly Live[]): readonly Live[] => lives.reduce<readonly Live[]>(withLive, []);
const card: Card = { kind: 'text', title: 'A card' };

test('messages of steps that follow one another become one, whose columns stay of equal length', () => {
  const [one, ...rest] = all(steps([1, 2], { ratio: [5, 6] }), steps([3], { ratio: [7] }));
  assert.deepEqual(rest, []);
  assert.deepEqual(one, { ...steps([1, 2, 3], { ratio: [5, 6, 7] }), stepsPerSecond: 1 });
  // Another set of lines, or a message of before that says no seconds, is not mixed in.
  assert.equal(all(steps([1]), steps([2], { ratio: [1] })).length, 2);
  const { seconds: _, ...old } = steps([2]);
  assert.equal(all(steps([1]), old).length, 2);
});

test('epochs part the steps, and only the newest keeps its cards', () => {
  const told = all(steps([1]), { kind: 'epoch', epoch: 1, cards: [card] }, steps([2]), { kind: 'epoch', epoch: 2, cards: [card] });
  assert.deepEqual(
    told.map((one) => (one.kind === 'epoch' ? (one.cards?.length ?? 0) : one.kind)),
    ['steps', 0, 'steps', 1],
  );
});

test('a run of any length is told again in messages of bounded number', () => {
  const told = all(...Array.from({ length: 8000 }, (_, i) => steps([i + 1])));
  assert.ok(told.length <= 16, `${told.length} messages`);
  assert.deepEqual(
    told.flatMap((one) => (one.kind === 'steps' ? one.step : [])),
    Array.from({ length: 8000 }, (_, i) => i + 1),
  );
});
