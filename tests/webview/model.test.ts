import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import type { LayerRow, ModelLayers, WeightFacts } from '../../src/report/tasks.ts';
import { modulesIn, place } from '../../webview/node-graph.ts';
import { close, colours, holds, lastPosted, launch, openPanel, post, posted, screenshot, skip } from './browser.ts';

before(launch);
after(close);

const layer = (i: number): LayerRow => ({
  name: `encoder.block${Math.floor(i / 10)}.${i % 10 === 0 ? 'conv' : 'relu'}${i}`,
  op: i % 10 === 0 ? 'Conv' : i === 4999 ? 'ArgMax' : 'Relu',
  inputs: [`v${i}`],
  outputs: [`v${i + 1}`],
  weights: i === 0 ? [0] : [],
  dims: i === 7 ? null : ['N', 16, 8, 8],
  dtype: 'float32',
  parameters: i % 10 === 0 ? 2304 : 0,
  macs: i === 9 ? null : i % 10 === 0 ? 147456 : 0,
  ...(i === 4999 ? { noGradient: 'its output is an index' } : {}),
});
const facts = (count: number): ModelLayers => ({
  path: '/models/net.onnx',
  bytes: 1_073_741_824,
  irVersion: 8,
  opsets: { 'ai.onnx': 17 },
  producer: 'pytorch 2.4.0',
  inputs: [{ name: 'x', dtype: 'float32', dims: ['N', 3, 32, 32] }],
  outputs: [{ name: 'logits', dtype: 'float32', dims: ['N', 10] }],
  parameters: 1_152_000,
  weightBytes: 4_608_000,
  macs: null,
  activationBytes: null,
  layers: Array.from({ length: count }, (_, i) => layer(i)),
  weights: [{ name: 'encoder.block0.conv0.weight', dtype: 'float32', dims: [16, 16, 3, 3], bytes: 9216 }],
  measured: false,
  notes: ['A note on the file.'],
});
const stored: WeightFacts = {
  name: 'encoder.block0.conv0.weight',
  dtype: 'float32',
  dims: [16, 16, 3, 3],
  count: 2304,
  zeros: 4,
  notFinite: 0,
  min: -1,
  max: 4,
  mean: 0.01,
  deviation: 0.2,
  histogram: Array.from({ length: 48 }, (_, i) => (i === 47 ? 1 : Math.max(0, 200 - (i - 10) ** 2 * 3))),
  outliers: 1,
  furthest: [{ at: [3, 2, 1, 0], value: 4 }],
};
const open = async (name: string, count: number, trusted = true): Promise<{ readonly page: Page; readonly errors: readonly string[] }> => {
  const { page, errors } = await openPanel(name);
  await page.evaluate(() => {
    document.body.dataset.mode = 'model';
  });
  await post(page, { type: 'model', name: 'net.onnx', facts: facts(count), measuring: false, trusted });
  await page.getByRole('heading', { name: 'net.onnx' }).waitFor();
  return { page, errors };
};
const rows = (page: Page) => page.locator('.layer-rows .layer-row');

test('of 5,000 layers only those in view are in the page; search, sort and keys reach all', { skip }, async () => {
  const { page, errors } = await open('model', 5000);
  assert.ok((await rows(page).count()) < 80);
  await page.getByText('5,000 layers', { exact: true }).waitFor();
  const grid = page.getByRole('grid', { name: 'Layers' });
  assert.equal(await grid.getAttribute('aria-rowcount'), '5001');
  await grid.focus();
  await page.keyboard.press('End');
  await rows(page).filter({ hasText: 'ArgMax' }).waitFor();
  await page.getByText('Stops here: its output is an index').waitFor();
  await page.getByRole('searchbox').fill('conv block12.');
  await page.getByText('1 of 5,000 layers').waitFor();
  await page.getByRole('searchbox').fill('nothing like it');
  await page.getByText('0 of 5,000 layers').waitFor();
  assert.equal(await rows(page).count(), 0);
  await page.getByRole('searchbox').fill('');
  // Columns that do not fit are chosen.
  await page.getByText('Columns', { exact: true }).click();
  await page.getByRole('checkbox', { name: 'Gradient' }).click();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Gradient', exact: true }).click();
  await page.getByRole('button', { name: 'Gradient', exact: true }).click();
  assert.match((await rows(page).first().textContent()) ?? '', /ArgMax/);
  assert.deepEqual(errors, []);
});

test('a weight is asked for, and its histogram and outliers shown', { skip }, async () => {
  const { page, errors } = await open('weights', 20);
  await rows(page).first().click();
  await page.getByRole('button', { name: 'Show values of encoder.block0.conv0.weight' }).click();
  await lastPosted(page, { type: 'weights', name: stored.name });
  await post(page, { type: 'weights', name: stored.name, facts: stored });
  await page.getByRole('img', { name: /Histogram of encoder/ }).waitFor();
  await page.getByRole('rowheader', { name: '[3, 2, 1, 0]' }).waitFor();
  await page.screenshot({ path: screenshot('model editor page') });
  await post(page, { type: 'weights', name: stored.name, problem: 'External data is missing.' });
  await page.getByText('External data is missing.').waitFor();
  assert.deepEqual(errors, []);
});

test('the chosen layer stays while shapes are measured, and shows them; a file read anew is asked for its weights again', {
  skip,
}, async () => {
  const { page, errors } = await open('measured', 20);
  const aside = page.getByRole('region', { name: 'Chosen layer' });
  const measured = { ...facts(20), layers: facts(20).layers.map((l) => ({ ...l, dims: ['N', 77] })), measured: true };
  const tell = (told: ModelLayers, measuring: boolean): Promise<void> =>
    post(page, { type: 'model', name: 'net.onnx', facts: told, measuring, trusted: true });
  // Without weights of its own.
  await rows(page).nth(1).click();
  await tell(measured, false);
  await aside.getByText(/77.* float32/).waitFor();
  await rows(page).first().click();
  await post(page, { type: 'weights', name: stored.name, facts: stored });
  const histogram = aside.getByRole('img', { name: /Histogram of encoder/ });
  await histogram.waitFor();
  await tell(measured, false);
  await histogram.waitFor();
  await tell(facts(20), true);
  await histogram.waitFor({ state: 'detached' });
  await aside.getByRole('button', { name: /^Show values of/ }).waitFor();
  await tell(facts(0), false);
  await aside.getByText(/^Choose a layer/).waitFor();
  assert.deepEqual(errors, []);
});

test('buttons ask the host, and only where the workspace is trusted', { skip }, async () => {
  const { page } = await open('buttons', 3);
  await page.getByRole('button', { name: 'Run Diagnostic…' }).click();
  await page.getByRole('button', { name: 'Export Gradient Graph…' }).click();
  assert.deepEqual((await posted(page)).slice(-2), [{ type: 'diagnose' }, { type: 'gradient' }]);
  const { page: limited } = await open('limited', 3, false);
  await limited.getByText('not trusted').waitFor();
  assert.equal(await limited.getByRole('button', { name: 'Run Diagnostic…' }).count(), 0);
});

test('at a narrow width nothing runs out of the page', { skip }, async () => {
  const { page } = await open('narrow', 40);
  await page.setViewportSize({ width: 420, height: 800 });
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
});

test('a long file name is broken and not cut', { skip }, async () => {
  const { page } = await open('long name', 20);
  const name = `${'resnet_with_a_long_name_'.repeat(5)}.onnx`;
  await post(page, { type: 'model', name, facts: facts(20), measuring: false, trusted: true });
  const box = await page.getByRole('heading', { name }).boundingBox();
  const wide = await page.getByRole('heading', { name }).evaluate((heading) => heading.scrollWidth - heading.clientWidth);
  assert.ok(box && box.x + box.width <= 1000 && wide <= 0, `${JSON.stringify(box)}, ${wide} px cut`);
});

test('groups of names open from the outside in, and closed ones stand for their layers', () => {
  const given = facts(5000);
  const modules = modulesIn(given.layers);
  assert.deepEqual(modules.of(23), ['encoder', 'encoder/block2']);
  assert.deepEqual([...modules.open], []);
  const closed = place(given, modules, new Set());
  // The values of the layers are v0, v1, …: no end of the model is one of them, so that only its input and output stand beside the group.
  assert.deepEqual(
    closed.boxes.map(({ id, detail }) => [id, detail]),
    [
      ['input x', 'input'],
      ['encoder', '5000 layers'],
      ['output logits', 'output'],
    ],
  );
  const half = place(given, modules, new Set(['encoder']));
  assert.equal(half.boxes.length, 502);
  assert.equal(half.edges.length, 499);
  const open = place(given, modules, modules.all);
  assert.equal(open.boxes.length, 5002);
  const nodes = open.boxes.filter(({ kind }) => kind === 'node');
  for (const [i, box] of nodes.entries()) if (i > 0) assert.ok(box.y > nodes[i - 1].y);
});

test('boxes of one row do not overlap, whatever the edges; a cycle of closed groups is placed', () => {
  const layers = Array.from({ length: 60 }, (_, i) => ({
    ...layer(i),
    name: `${i % 2 === 0 ? 'a' : 'b'}/n${i}`,
    inputs: i === 0 ? ['x'] : [`v${i}`, `v${Math.floor(i / 3)}`],
  }));
  const given = { ...facts(0), layers };
  const modules = modulesIn(layers);
  assert.equal(place(given, modules, new Set()).boxes.length, 4);
  const { boxes } = place(given, modules, modules.all);
  for (const a of boxes) for (const b of boxes) if (a !== b && a.y === b.y) assert.ok(Math.abs(a.x - b.x) >= 168);
});

test('the graph is drawn, opened and closed by keys, and search finds a layer in it', { skip }, async () => {
  const { page, errors } = await open('graph', 5000);
  await page.getByRole('button', { name: 'Layers as a graph' }).click();
  const canvas = page.locator('canvas.model-graph');
  await canvas.waitFor();
  await holds(page, () => (document.querySelector('canvas.model-graph') as HTMLCanvasElement).width > 300);
  await page.waitForTimeout(100);
  assert.ok((await colours(page, 'canvas.model-graph')) > 3);
  await canvas.focus();
  await page.keyboard.press(']');
  await page.keyboard.press(']');
  await page.getByText('encoder 5000 layers').waitFor();
  await page.keyboard.press('Enter');
  await page.keyboard.press(']');
  await page.getByText('encoder/block1 10 layers').waitFor();
  await page.keyboard.press('Backspace');
  await page.keyboard.press(']');
  await page.keyboard.press('[');
  await page.getByText('encoder 5000 layers').waitFor();
  await page.getByRole('button', { name: 'Open groups' }).click();
  await page.getByRole('searchbox').fill('conv120');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'encoder.block12.conv120' }).waitFor();
  await page.waitForTimeout(100);
  await page.screenshot({ path: screenshot('model graph page') });
  assert.deepEqual(errors, []);
});
