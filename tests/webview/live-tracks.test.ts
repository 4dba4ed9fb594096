import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrainLive } from '../../src/report/tasks.ts';
import { follow, MOST_POINTS, tracks } from '../../webview/live-tracks.ts';

const message = (step: readonly number[], loss: (step: number) => number): TrainLive => ({
  kind: 'steps',
  step,
  epoch: 1,
  epochs: 10,
  totalSteps: 100_000,
  loss: step.map(loss),
  accuracy: [],
  learningRate: step.map(() => 1),
  gradientNorm: step.map(() => 1),
  stepsPerSecond: 1,
});

test('100,000 steps stand in bounded memory, and a single spike among them is still seen', () => {
  const run = tracks();
  for (let from = 0; from < 100_000; from += 500)
    follow(
      run,
      message(
        Array.from({ length: 500 }, (_, i) => from + i + 1),
        (s) => (s === 40_001 ? 50 : s / 100_000),
      ),
    );
  const { points } = run.lines.loss;
  assert.ok(points.length <= MOST_POINTS && points.length >= MOST_POINTS / 2, `${points.length} points`);
  assert.equal(Math.max(...points.map(({ high }) => high)), 50);
  assert.ok(points.every(({ low, y, high }) => low <= y && y <= high));
  assert.ok(points.every(({ step }, i) => i === 0 || step > points[i - 1].step));
  // Where a saved run says neither, epochs follow from steps, and seconds are not known.
  assert.equal(run.at.epoch, 10);
  assert.ok(Number.isNaN(run.at.seconds));
  assert.equal(run.lines.updateRatio.points.length, 0);
});
