import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Attribution } from '../../src/report/tasks.ts';
import { sampleReport } from '../report/fixtures.ts';
import { close, colours, launch, openPanel, post, posted, screenshot, skip } from './browser.ts';

before(launch);
after(close);

const steps = (from: number, count: number, epoch: number): Record<string, unknown> => {
  const step = Array.from({ length: count }, (_, i) => from + i + 1);
  return {
    kind: 'steps',
    step,
    epoch,
    epochs: 20,
    totalSteps: 1000,
    loss: step.map((s) => 2.3 * Math.exp(-s / 200) + 0.05),
    accuracy: step.map((s) => 1 - 0.9 * Math.exp(-s / 150)),
    learningRate: step.map(() => 0.001),
    gradientNorm: step.map(() => 1.25),
    stepsPerSecond: 250,
  };
};

test('the page says ready before anything is posted, and hands over what VS Code keeps', { skip }, async () => {
  const { page, errors } = await openPanel('ready');
  assert.deepEqual(await posted(page), [{ type: 'ready' }]);
  assert.equal(await page.evaluate('window.kept'), 'run 1');
  assert.ok(await page.locator('vscode-progress-ring').isVisible());
  assert.deepEqual(errors, []);
});

test('a training run is drawn while it runs, can be cancelled, and its report takes its place', { skip }, async () => {
  const { page, errors } = await openPanel('live');
  await post(page, { type: 'progress', title: 'Train digits', fraction: 0, text: 'Compiling the training step' });
  assert.equal(await page.locator('h1').textContent(), 'Train digits');
  for (let k = 0; k < 6; k++) {
    await post(page, { type: 'live', live: steps(k * 50, 50, k + 1) });
    await post(page, {
      type: 'live',
      live: { kind: 'epoch', epoch: k + 1, validationLoss: 1 / (k + 1), validationAccuracy: 1 - 1 / (k + 2) },
    });
  }
  await page.waitForFunction(
    "document.querySelectorAll('.plot canvas').length === 2 && [...document.querySelectorAll('.plot canvas')].every((c) => c.width > 200)",
  );
  const facts = (await page.locator('.headline').textContent()) ?? '';
  assert.match(facts, /step300 of 1,000epoch6 of 20learning rate0\.001gradient norm1\.25steps per second250time left2\.8 s/);
  assert.equal(await page.locator('progress').getAttribute('value'), '0.3');
  assert.ok((await colours(page, '.plot canvas')) > 3);
  await page.screenshot({ path: screenshot('live') });
  await page.getByRole('button', { name: 'Cancel' }).click();
  assert.deepEqual((await posted(page)).at(-1), { type: 'cancel' });
  await post(page, { type: 'reports', title: 'Train', reports: [sampleReport('every-kind')] });
  assert.equal(await page.locator('.live').count(), 0);
  assert.equal(await page.locator('h1').textContent(), 'Reliability diagram');
  assert.deepEqual(errors, []);
});

test('a crash keeps the curves seen by then, with the sentence and an action', { skip }, async () => {
  const { page } = await openPanel('crash');
  await post(page, { type: 'live', live: steps(0, 50, 1) });
  const sentence = "The job process ended unexpectedly (signal SIGKILL) while it ran 'train'; what it had produced is kept.";
  await post(page, { type: 'problem', sentence });
  assert.ok((await page.getByRole('alert').textContent())?.includes(sentence));
  assert.equal(await page.locator('.plot').count(), 2);
  assert.equal(await page.getByRole('button', { name: 'Cancel' }).count(), 0);
  await page.getByRole('button', { name: 'Run again' }).click();
  assert.deepEqual((await posted(page)).at(-1), { type: 'rerun' });
});

test('samples open their saliency, exports go to the extension, focus names a card', { skip }, async () => {
  const { page, errors } = await openPanel('ask');
  await post(page, { type: 'reports', title: 'Run', reports: [sampleReport('every-kind')], focus: '0:3' });
  await page.waitForFunction("document.activeElement.dataset?.kind === 'heatmap'");
  const grid = page.locator('.heatmap-frame');
  await grid.focus();
  await page.keyboard.press('Enter');
  await page.locator('.strip button.tile').first().click();
  const [row] = sampleReport('every-kind').cards.flatMap((card) => (card.kind === 'heatmap' ? [card.selections?.['0'].rows[0]] : []));
  assert.deepEqual((await posted(page)).at(-1), { type: 'sample', report: 0, row });
  await page.getByRole('button', { name: 'Save Confusion matrix as CSV' }).click();
  const message = (await posted(page)).at(-1);
  assert.equal(message?.name, 'confusion-matrix.csv');
  assert.match(Buffer.from(String(message?.base64), 'base64').toString(), /^label \\ prediction,0,1,2/);
  assert.deepEqual(errors, []);
});

test('a suite begins with its checks, which lead to their reports', { skip }, async () => {
  const { page } = await openPanel('suite');
  await post(page, {
    type: 'reports',
    title: 'Suite',
    reports: [sampleReport('every-kind'), sampleReport('unavailable')],
    checks: [
      { name: 'calibrated', status: 'failed', sentence: 'ece 0.051 must be at most 0.05.', report: 0 },
      { name: 'classes', status: 'skipped', sentence: 'no labels', report: 1 },
      { name: 'gone', status: 'error', sentence: 'unknown dataset' },
    ],
  });
  assert.match((await page.locator('.checks').textContent()) ?? '', /2 of 3 checks fail; 1 skipped\./);
  await page.getByRole('button', { name: 'classes' }).click();
  assert.equal(await page.getByRole('tab', { selected: true }).textContent(), 'Confusion matrixnot available');
  await page.screenshot({ path: screenshot('suite') });
});

const attribution = (position: number, method: string, target = 9): Omit<Attribution, 'values'> & { values: number[] } => {
  const card = sampleReport('every-kind').cards.find((one) => one.kind === 'images');
  const image = card?.kind === 'images' ? card.images[position % 8] : undefined;
  assert.ok(image);
  const [{ width, height, values, scale }] = image.overlays;
  return {
    row: image.row,
    position,
    count: 359,
    picture: image.picture,
    width,
    height,
    values: [...values],
    scale,
    classes: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
    probs: [0.001, 0.002, 0.003, 0.01, 0.001, 0.002, 0.001, 0.003, 0.02, 0.957],
    label: 9,
    prediction: 9,
    target,
    method,
    facts: [
      { label: 'model', value: 'digits.onnx' },
      { label: 'completeness error', value: '0.4 %' },
    ],
  };
};
const methods = [
  { id: 'integrated-gradients', title: 'Integrated Gradients' },
  { id: 'input-gradient', title: 'Input gradient' },
];

test('the image tab: method, class, sample, opacity and mode', { skip }, async () => {
  const { page, errors } = await openPanel('saliency');
  const show = (a: unknown): Promise<void> => post(page, { type: 'saliency', name: 'digits.onnx on digits.npz', methods, attribution: a });
  await show(attribution(3, 'integrated-gradients'));
  assert.match((await page.locator('h1').textContent()) ?? '', /digits\.onnx on digits\.npz, row \d+/);
  assert.equal(await page.locator('[role=status]').textContent(), 'label 9, predicted 9 at 95.7 %');
  assert.match((await page.locator('.saliency-facts').textContent()) ?? '', /995\.7 %.*completeness error0\.4 %/);
  assert.ok((await colours(page, '.big canvas', 1)) > 3);
  await page.screenshot({ path: screenshot('saliency') });

  const picture = (): Promise<string> =>
    page
      .locator('.big canvas')
      .last()
      .evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
  const signed = await picture();
  await page.locator('vscode-checkbox').first().click();
  assert.notEqual(await picture(), signed, 'absolute is drawn at once, without asking');
  await page.locator('vscode-checkbox').nth(1).click();
  assert.equal(await page.locator('.big canvas:visible').count(), 1, 'the original is put away');
  assert.equal((await posted(page)).length, 1);

  const choose = async (nth: number, name: RegExp): Promise<void> => {
    const dropdown = page.locator('vscode-dropdown').nth(nth);
    await dropdown.click();
    await dropdown.getByRole('option', { name }).click();
  };
  await choose(0, /Input gradient/);
  assert.deepEqual((await posted(page)).at(-1), { type: 'attribute', position: 3, method: 'input-gradient' });
  await show(attribution(3, 'input-gradient'));
  await choose(1, /^8 · 2\.00 %/);
  assert.deepEqual((await posted(page)).at(-1), { type: 'attribute', position: 3, method: 'input-gradient', target: 8 });
  await show(attribution(3, 'input-gradient', 8));
  await page.getByRole('button', { name: /Next sample/ }).click();
  assert.deepEqual((await posted(page)).at(-1), { type: 'attribute', position: 4, method: 'input-gradient', target: 8 });
  await show(attribution(4, 'input-gradient', 8));
  await page.getByRole('button', { name: /Next sample/ }).focus();
  await page.keyboard.press('ArrowLeft');
  assert.deepEqual((await posted(page)).at(-1), { type: 'attribute', position: 3, method: 'input-gradient', target: 8 });
  assert.deepEqual(errors, []);
});

test('a problem in the image tab is said above the last picture, and goes with the next', { skip }, async () => {
  const { page } = await openPanel('saliency-problem');
  const message = { type: 'saliency', name: 'm', methods, attribution: attribution(0, 'integrated-gradients') };
  await post(page, message);
  await post(page, { type: 'problem', sentence: 'No gradient can flow to input x.' });
  assert.ok(await page.getByRole('alert').isVisible());
  assert.equal(await page.locator('.big canvas').count(), 2);
  await post(page, message);
  assert.equal(await page.getByRole('alert').count(), 0);
});
