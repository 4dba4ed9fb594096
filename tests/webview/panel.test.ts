import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sampleReport } from '../report/fixtures.ts';
import { close, colours, holds, lastPosted, launch, openPanel, post, posted, screenshot, skip } from './browser.ts';

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
  await holds(
    page,
    "document.querySelectorAll('.plot canvas').length === 4 && [...document.querySelectorAll('.plot canvas')].every((c) => c.width > 200)",
  );
  const facts = (await page.locator('.headline').textContent()) ?? '';
  assert.match(facts, /step300 of 1,000epoch6 of 20learning rate0\.001gradient norm1\.25steps per second250time left2\.8 s/);
  assert.equal(await page.locator('progress').getAttribute('value'), '0.3');
  assert.ok((await colours(page, '.plot canvas')) > 3);
  await page.screenshot({ path: screenshot('live') });
  await page.getByRole('button', { name: 'Cancel' }).click();
  await lastPosted(page, { type: 'cancel' });
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
  await holds(page, "document.querySelectorAll('.plot').length === 4");
  assert.equal(await page.getByRole('button', { name: 'Cancel' }).count(), 0);
  await page.getByRole('button', { name: 'Run again' }).click();
  await lastPosted(page, { type: 'rerun' });
});

test('samples open their saliency, exports go to the extension, focus names a card', { skip }, async () => {
  const { page, errors } = await openPanel('ask');
  await post(page, { type: 'reports', title: 'Run', reports: [sampleReport('every-kind')] });
  await post(page, { type: 'focus', focus: '0:confusion-matrix' });
  await page.locator('.card[data-kind="heatmap"]:focus').waitFor();
  const grid = page.locator('.heatmap-frame');
  await grid.focus();
  await page.keyboard.press('Enter');
  await page.locator('.strip button.tile').first().click();
  const [row] = sampleReport('every-kind').cards.flatMap((card) => (card.kind === 'heatmap' ? [card.selections?.['0'].rows[0]] : []));
  await lastPosted(page, { type: 'sample', report: 0, row });
  await page.getByRole('button', { name: 'Save Confusion matrix' }).click();
  await page.getByRole('menuitem', { name: 'Save Confusion matrix as CSV' }).click();
  const message = (await posted(page)).at(-1);
  assert.equal(message?.name, 'confusion-matrix.csv');
  assert.match(Buffer.from(String(message?.base64), 'base64').toString(), /^counts\r\nlabel \\ prediction,0,1,2/);
  assert.deepEqual(errors, []);
});

test('one failed check and one more row are said in the singular', { skip }, async () => {
  const { page } = await openPanel('singular');
  const report = sampleReport('every-kind');
  const table = report.cards.find(({ kind }) => kind === 'table');
  assert.ok(table?.kind === 'table');
  const cards = [{ ...table, rows: Array.from({ length: 1001 }, () => table.rows[0]) }];
  const checks = [
    { name: 'calibrated', status: 'failed', sentence: 'ece 0.051 must be at most 0.05.', report: 0 },
    { name: 'accurate', status: 'passed', sentence: 'accuracy 0.97', report: 0 },
  ];
  await post(page, { type: 'reports', title: 'Suite', reports: [{ ...report, cards }], checks });
  await page.getByText('1 of 2 checks fails.', { exact: true }).waitFor();
  await page.getByText('1 more row is in the CSV export.', { exact: true }).first().waitFor();
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
