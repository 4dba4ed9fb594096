import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import type { Live, TrainLive } from '../../src/report/tasks.ts';
import { sampleReport } from '../report/fixtures.ts';
import { close, holds, lastPosted, launch, openPanel, post, skip } from './browser.ts';

before(launch);
after(close);

/** Points `from + 1` to `from + count`, each of `width` steps. */
const steps = (from: number, count: number, width = 1, factor = 1): TrainLive => {
  const step = Array.from({ length: count }, (_, i) => (from + i + 1) * width);
  const loss = step.map((s) => (factor * 2) / Math.sqrt(s));
  return {
    kind: 'steps',
    step,
    epoch: 1,
    epochs: 10,
    totalSteps: 1000 * width,
    loss,
    lossLeast: loss.map((y) => 0.9 * y),
    lossMost: loss.map((y) => 1.2 * y),
    accuracy: [],
    learningRate: step.map(() => 0.01),
    gradientNorm: step.map(() => 1),
    seconds: step.map((s) => s / 50),
    epochsMade: step.map((s) => s / 100 / width),
    updateRatio: step.map(() => 0.002),
    effectiveStep: step.map(() => 0.001),
    stepsPerSecond: 50,
  };
};
const live = (page: Page, ...all: readonly Live[]): Promise<void> =>
  all.reduce((before, one) => before.then(() => post(page, { type: 'live', live: one })), Promise.resolve());
const titles = (page: Page): Promise<string[]> => page.locator('.live-plots h2').allTextContents();
const legendOf = async (page: Page, title: string): Promise<string[]> =>
  page.locator('.live-plots .card', { hasText: title }).first().locator('.legend li').allTextContents();

test('a training is steered from its panel, and only where it says that it can be', { skip }, async () => {
  const { page, errors } = await openPanel('steer');
  await live(page, steps(0, 50));
  await page.locator('.live-plots canvas').first().waitFor();
  assert.deepEqual(await page.locator('.actions vscode-button').allTextContents(), ['Cancel']);
  await live(page, { kind: 'standing', paused: false });
  await page.getByRole('button', { name: 'Pause this training' }).click();
  await lastPosted(page, { type: 'steer', steer: 'pause' });
  await live(page, { kind: 'standing', paused: true });
  await page.getByRole('button', { name: 'Resume this training' }).click();
  await lastPosted(page, { type: 'steer', steer: 'run' });
  await page.getByRole('button', { name: 'Overlay' }).click();
  await lastPosted(page, { type: 'overlay' });
  await page.getByRole('button', { name: 'Stop and keep' }).click();
  await lastPosted(page, { type: 'steer', steer: 'stop' });
  assert.equal(await page.locator('.actions vscode-button:not([disabled])').count(), 0, 'asked once');
  assert.deepEqual(errors, []);
});

test('curves appear with what is told: without accuracy there is none, calibration comes with the first epoch', { skip }, async () => {
  const { page, errors } = await openPanel('live-curves');
  await live(page, steps(0, 50));
  await holds(page, "document.querySelectorAll('.live-plots canvas').length > 3");
  assert.deepEqual(await titles(page), ['Loss', 'Learning rate', 'Gradient norm', 'Step of the parameters']);
  const { cards } = sampleReport('every-kind');
  const thumbnails = cards.filter((card) => 'diagonal' in card && card.diagonal);
  await live(page, { kind: 'epoch', epoch: 1, validationLoss: 0.5, diagnosed: { 'reliability/ece': 0.04 }, cards: thumbnails });
  await page.locator('.live-cards canvas').first().waitFor();
  await holds(page, "document.querySelectorAll('.live-plots h2').length === 5");
  assert.equal((await titles(page)).at(-1), 'Calibration error');
  assert.deepEqual(await legendOf(page, 'Loss'), ['training', 'validation', 'least to most']);
  const small = page.locator('.live-cards .card');
  assert.deepEqual(
    await small.locator('h2').allTextContents(),
    thumbnails.slice(0, 4).map(({ title }) => title),
  );
  assert.ok((await small.locator('.heatmap-frame').count()) > 0 && (await small.locator('.plot').count()) > 0);
  assert.deepEqual(errors, []);
});

test('another run is drawn behind, along steps, epochs or seconds, and both stand in the table', { skip }, async () => {
  const { page, errors } = await openPanel('overlay');
  await live(page, steps(0, 60));
  await post(page, { type: 'overlay', title: 'Train digits.onnx, yesterday', live: [steps(0, 30, 1, 2)] });
  await holds(page, "document.querySelector('.legend')?.textContent.includes('run behind')");
  assert.deepEqual(await legendOf(page, 'Loss'), ['training', 'least to most', 'training, run behind']);
  assert.match((await page.locator('.live-curves [role=status]').textContent()) ?? '', /Behind: Train digits\.onnx, yesterday/);
  await page.getByRole('button', { name: 'Loss as a table' }).click();
  const rows = async (): Promise<string[]> => page.locator('.live-plots tbody tr').allTextContents();
  const before = await rows();
  assert.ok(
    before.some((row) => row.startsWith('training60')) && before.some((row) => row.startsWith('training, run behind30')),
    `${before}`,
  );
  await page.locator('vscode-dropdown').click();
  await page.locator('vscode-option', { hasText: 'Seconds' }).click();
  await holds(page, "document.querySelector('.live-plots th:nth-child(2)')?.textContent === 'seconds in steps'");
  assert.ok(
    (await rows()).some((row) => row.startsWith('training1.2')),
    'step 60 of 50 a second',
  );
  assert.deepEqual(errors, []);
});

test('the report of a training opens its model, and shows its curves beside those of another run', { skip }, async () => {
  const { page, errors } = await openPanel('trained');
  await post(page, { type: 'reports', title: 'Train', reports: [sampleReport('every-kind')], out: '/models/digits.onnx' });
  await page.getByRole('button', { name: 'Open Model' }).click();
  await lastPosted(page, { type: 'openModel' });
  await page.getByRole('button', { name: 'Overlay' }).click();
  await lastPosted(page, { type: 'overlay' });
  for (const title of ['first', 'second']) await post(page, { type: 'overlay', title, live: [steps(0, 30, 1, 2)], own: [steps(0, 60)] });
  await page.locator('.beside canvas').first().waitFor();
  assert.equal(await page.locator('.beside').count(), 1);
  assert.match((await page.locator('.beside [role=status]').textContent()) ?? '', /Behind: second/);
  assert.equal(await page.locator('.report h1').textContent(), 'Reliability diagram');
  await post(page, { type: 'reports', title: 'Run', reports: [sampleReport('every-kind')] });
  assert.equal(await page.getByRole('button', { name: 'Open Model' }).count(), 0, 'a diagnostic saves no model');
  assert.deepEqual(errors, []);
});

test('a trained model that may be cut has a slider of how much of it is kept', { skip }, async () => {
  const { page, errors } = await openPanel('cut');
  const line = (name: string, at: number) => ({ name, points: [10, 20, 40].map((x, i) => [x, at + i / 100] as const) });
  const accuracy = { label: 'Accuracy', unit: 'fraction' } as const;
  const units = { label: 'Hidden units kept', unit: 'count' } as const;
  const lines = [line('training', 0.97), line('validation', 0.95)];
  const card = { kind: 'curve', title: 'Accuracy by units', x: units, y: accuracy, lines, cut: 'hidden units' } as const;
  const report = { ...sampleReport('every-kind'), cards: [card] };
  await post(page, { type: 'reports', title: 'Train', reports: [report], out: '/models/digits.onnx' });
  const slider = page.getByLabel('Keep the first hidden units');
  await slider.waitFor();
  assert.equal(await page.locator('.cut output').textContent(), '40 of 40: training 99.0 %, validation 97.0 %');
  await slider.fill('1');
  assert.equal(await page.locator('.cut output').textContent(), '20 of 40: training 98.0 %, validation 96.0 %');
  await page.locator('.cut vscode-button').click();
  await lastPosted(page, { type: 'cut', units: 20 });
  await post(page, { type: 'reports', title: 'Run', reports: [report] });
  assert.equal(await page.locator('.cut').count(), 0, 'there is no model to cut');
  assert.deepEqual(errors, []);
});
