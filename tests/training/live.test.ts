import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { lightCards, liveOf } from '../../src/app/train-live.ts';
import { moveOf } from '../../src/app/train-moves.ts';
import type { Live, Steer, TrainLive } from '../../src/report/tasks.ts';
import { sampleReport } from '../report/fixtures.ts';
import { digitsData, workshop } from './workshop.ts';

const near = (a: number, b: number): void => assert.ok(Math.abs(a - b) <= 1e-12 * Math.max(1, Math.abs(b)), `${a} is not ${b}`);

test('moves: along θ nothing turns, across it all of the step does, and k steps are told by the step', () => {
  // ‖θ‖ = 5; Δ = θ/10 lies along it.
  const along = moveOf([3, 4], [3.3, 4.4], 1);
  near(along.updateRatio, 0.1);
  // A difference of squares leaves √ε.
  assert.ok(along.effectiveStep < 1e-7);
  const across = moveOf([3, 4], [3 - 0.4, 4 + 0.3], 1);
  near(across.updateRatio, 0.1);
  near(across.effectiveStep, 0.1);
  near(moveOf([3, 4], [3.3, 4.4], 4).updateRatio, 0.025);
  // Δ = (1, 0): Δ⊥ = (1, 0) − 0.12·(3, 4) = (0.64, −0.48), of length 0.8.
  near(moveOf([3, 4], [4, 4], 1).effectiveStep, 0.16);
});

/** What is told of a run of `total` steps in calls of `size`. */
const told = (total: number, size: number, loss: (step: number) => number): readonly TrainLive[] => {
  const events: Live[] = [];
  const live = liveOf({ live: (event) => events.push(event) });
  const place = { epoch: 1, epochs: 1, totalSteps: total, stepsPerSecond: 1 };
  for (let from = 0; from < total; from += size) {
    const losses = Array.from({ length: size }, (_, i) => loss(from + i + 1));
    const flat = losses.map(() => 1);
    const columns = { loss: losses, accuracy: [], learningRate: flat, gradientNorm: flat, monitors: { 'batch-size': flat } };
    const reached = { seconds: from + size, epochsMade: (from + size) / total, updateRatio: 0.5, effectiveStep: 0.25 };
    live.add(from, columns, { ...place, ...reached });
  }
  live.send(place);
  return events.filter((e) => e.kind === 'steps');
};

test('a short run is told step by step, a long one by points that say how far the loss ranged', () => {
  const short = told(200, 10, (s) => 1 / s);
  assert.deepEqual(
    short.flatMap((e) => e.step),
    Array.from({ length: 200 }, (_, i) => i + 1),
  );
  assert.deepEqual(
    short.flatMap((e) => e.loss),
    Array.from({ length: 200 }, (_, i) => 1 / (i + 1)),
  );
  // Loss 0 but for one spike: no mean shows it as it was, the most does.
  const long = told(100_000, 130, (s) => (s === 54_321 ? 9 : 0));
  const points = long.flatMap((e) => e.step);
  assert.ok(points.length > 1000 && points.length < 8000, `${points.length} points`);
  assert.equal(points.at(-1), 100_100);
  assert.ok(points.every((s, i) => i === 0 || s > points[i - 1]));
  assert.equal(Math.max(...long.flatMap((e) => e.lossMost ?? [])), 9);
  for (const e of long)
    for (const column of [e.loss, e.learningRate, e.gradientNorm, e.seconds, e.epochsMade, e.monitors?.['batch-size']])
      assert.equal(column?.length, e.step.length);
  const seconds = long.flatMap((e) => e.seconds ?? []);
  assert.ok(
    seconds.every((s, i) => Math.abs(s - points[i]) < 1e-6),
    'a step of these calls takes one second',
  );
});

test('cards of an epoch are told without rows, and grids of many classes not at all', () => {
  const cards = lightCards(sampleReport('every-kind').cards);
  assert.ok(cards.length > 0);
  assert.ok(!JSON.stringify(cards).includes('"rows":['), 'no rows behind marks');
  const names = Array.from({ length: 40 }, (_, i) => String(i));
  const grid = { kind: 'heatmap', title: 'Grid', rows: { label: 'a', names }, columns: { label: 'b', names }, layers: [] } as const;
  assert.deepEqual(lightCards([grid]), []);
});

const recipe = {
  arch: { kind: 'mlp', hidden: '16' },
  data: digitsData,
  split: { val: 0.2 },
  loss: 'cross-entropy',
  optimizer: { kind: 'adam', lr: 0.01 },
  batch: 32,
  epochs: 3,
  diagnose: ['reliability', 'confusion-matrix'],
};
const isSteps = (e: Live): e is TrainLive => e.kind === 'steps';

test('a run repeated gives the same bytes and numbers, and tells how far the parameters move without a monitor in the graph', async () => {
  const made = [];
  for (let i = 0; i < 2; i++) {
    const shop = workshop();
    const events: Live[] = [];
    const { out, report } = await shop.run(recipe, { live: (e) => void events.push(e) });
    made.push({ bytes: readFileSync(out), report, events });
  }
  const [a, b] = made;
  assert.deepEqual(b.bytes, a.bytes);
  assert.deepEqual(b.report.cards.slice(1), a.report.cards.slice(1));
  assert.ok(!a.report.cards.some((c) => c.title === 'Update-to-weight ratio'));
  const steps = a.events.filter(isSteps);
  const ratio = steps.at(-1)?.updateRatio?.at(-1) ?? Number.NaN;
  const turn = steps.at(-1)?.effectiveStep?.at(-1) ?? Number.NaN;
  assert.ok(ratio > 0 && turn > 0 && turn <= ratio, `${turn} of ${ratio}`);
  near(steps.at(-1)?.epochsMade?.at(-1) ?? 0, 3);
  const epochs = a.events.flatMap((e) => (e.kind === 'epoch' ? [e] : []));
  assert.deepEqual(
    epochs.map((e) => [e.epoch, e.step, Number.isFinite(e.diagnosed?.['reliability/ece'])]),
    [1, 2, 3].map((n) => [n, (n * a.report.headline.steps) / 3, true]),
  );
  assert.ok(epochs.at(-1)?.cards?.some(({ kind }) => kind === 'heatmap'));
});

/** Asks for `steer` once the first steps are told; `then` is asked for after the run has paused. */
const steered = async (first: Steer, then: Steer) => {
  const shop = workshop();
  let asked: Steer = 'run';
  let pauses = 0;
  const events: Live[] = [];
  const result = await shop.run(
    { ...recipe, diagnose: [], epochs: 30 },
    {
      steer: () => asked,
      live(event) {
        events.push(event);
        if (event.kind === 'steps' && pauses === 0) asked = first;
        if (event.kind !== 'standing' || !event.paused) return;
        pauses++;
        assert.ok(readFileSync(shop.at('out.checkpoint.state')).length > 0);
        setTimeout(() => (asked = then), 120);
      },
    },
  );
  return { shop, result, events, pauses };
};

test('a run that was paused is the run that was not, and says when it waits', async () => {
  const { result, events, pauses } = await steered('pause', 'run');
  const whole = await workshop().run({ ...recipe, diagnose: [], epochs: 30 });
  assert.equal(pauses, 1);
  assert.deepEqual(
    events.flatMap((e) => (e.kind === 'standing' ? [e.paused] : [])),
    [false, true, false],
  );
  assert.deepEqual(readFileSync(result.out), readFileSync(whole.out));
});

test('a run stopped to be kept saves its model, judged as any other, and can still be gone on with', async () => {
  for (const first of ['stop', 'pause'] as const) {
    const { shop, result } = await steered(first, 'stop');
    const { report, out, notes } = result;
    assert.equal(report.outcome, 'measured');
    assert.equal(out, shop.at('out.onnx'));
    assert.ok(report.headline.steps > 0 && report.headline.steps < 30 * 36);
    assert.ok(Number.isFinite(report.headline.test_accuracy) && Number.isFinite(report.headline.validation_loss));
    assert.ok(notes.some((n) => n.startsWith(`Stopped on request after step ${report.headline.steps}`)));
    const on = await shop.run({ ...recipe, diagnose: [], epochs: 30 }, { resume: true });
    const whole = await workshop().run({ ...recipe, diagnose: [], epochs: 30 });
    assert.deepEqual(readFileSync(on.out), readFileSync(whole.out));
  }
});
