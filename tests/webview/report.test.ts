import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { toMarkdown } from '../../src/report/markdown.ts';
import type { Card, Report } from '../../src/report/report.ts';
import { twins } from '../../src/report/twin.ts';
import { sampleReport } from '../report/fixtures.ts';
import { close, colours, holds, launch, type Opened, openFile, openPanel, post, screenshot, skip } from './browser.ts';

before(launch);
after(close);

/** One page for the tests that only read it. */
let read: Promise<Opened> | undefined;
const readOnly = (): Promise<Opened> => {
  read ??= openFile('one', [sampleReport('every-kind')]);
  return read;
};

const card = (kind: string): string => `.card[data-kind="${kind}"]`;

test('a saved report shows every card, asks nothing of the network and logs no error', { skip }, async () => {
  const { page, errors, requests } = await readOnly();
  for (const kind of [...Object.keys(twins), 'radar']) assert.ok((await page.locator(card(kind)).count()) > 0, kind);
  assert.equal(await page.locator('h1').textContent(), 'Reliability diagram');
  await page
    .locator(`${card('scatter')} canvas`)
    .first()
    .waitFor();
  await holds(
    page,
    "document.querySelectorAll('.plot canvas').length === 4 && [...document.querySelectorAll('.plot canvas')].every((c) => c.width > 300)",
  );
  for (const selector of [
    `${card('bars')} .plot canvas`,
    `${card('curve')} .plot canvas`,
    `${card('scatter')} .plot canvas`,
    '.heatmap',
    '.sample canvas:not([hidden])',
  ]) {
    assert.ok((await colours(page, selector)) > 3, `${selector} is painted`);
  }
  assert.match((await page.locator(card('radar')).textContent()) ?? '', /kind 'radar', which this version of Assay does not know/);
  assert.equal(await page.locator(`${card('graph')} .graph-node`).count(), 6);
  assert.deepEqual(requests, []);
  assert.deepEqual(errors, []);
});

test('labels of the data are text, never markup', { skip }, async () => {
  const { page } = await readOnly();
  assert.equal(await page.locator('#assay script, #assay b').count(), 0);
  assert.match((await page.locator('.notes').textContent()) ?? '', /<script>alert\("x"\)<\/script> & 'quotes'/);
  assert.match((await page.locator(card('number')).textContent()) ?? '', /<b>"one class"<\/b>/);
});

test('a cell of the confusion matrix leads to its samples, by pointer', { skip }, async () => {
  const { page } = await openFile('click', [sampleReport('every-kind')]);
  const heatmap = page.locator('.heatmap');
  await heatmap.scrollIntoViewIfNeeded();
  const box = await heatmap.boundingBox();
  assert.ok(box);
  // Ten cells of 44 pixels end two pixels before the right and lower edge; the cell is label 8, prediction 1.
  const position = { x: box.width - 2 - 44 * 8.5, y: box.height - 2 - 44 * 1.5 };
  await heatmap.hover({ position });
  assert.match((await page.locator('.readout').textContent()) ?? '', /label8prediction1counts3/);
  await heatmap.click({ position });
  const strip = page.locator('.strip');
  assert.match((await strip.textContent()) ?? '', /8 taken for 1.*3 rows/);
  assert.equal(await strip.locator('.tile').count(), 3);
  assert.match((await strip.locator('.tile').first().textContent()) ?? '', /label 8, said 1[\d.]+ %, row \d+/);
  assert.ok((await colours(page, '.strip .tile canvas')) > 3, 'thumbnails are painted');
  await page.screenshot({ path: screenshot('confusion-selected') });
});

test('the same by keyboard: arrows, Enter, and Escape back to the cell', { skip }, async () => {
  const { page } = await openFile('keys', [sampleReport('every-kind')]);
  const grid = page.locator('.heatmap-frame');
  await grid.focus();
  for (const key of ['End', 'PageDown', 'ArrowLeft', 'ArrowUp', 'ArrowDown']) await page.keyboard.press(key);
  assert.match((await page.locator('.readout').textContent()) ?? '', /label9prediction8counts2/);
  await page.keyboard.press('Enter');
  assert.match((await page.locator('.strip').textContent()) ?? '', /9 taken for 8.*2 rows/);
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('.strip').count(), 0);
  assert.ok(await grid.evaluate((element) => element === document.activeElement));
});

test('bars and points are walked with the arrow keys and lead to their samples', { skip }, async () => {
  const { page } = await openFile('walk', [sampleReport('every-kind')]);
  const plot = page.locator(`${card('bars')} .plot`).first();
  await plot.locator('canvas').waitFor();
  await plot.focus();
  await page.keyboard.press('End');
  const said = page.locator(`${card('bars')} .plot-frame [aria-live]`).first();
  assert.match(
    (await said.textContent()) ?? '',
    /confidence 0\.933–1\.000\. accuracy 100 %.*mean confidence 98\.3 %.*263 rows\. Press Enter/,
  );
  await page.keyboard.press('Enter');
  assert.match((await page.locator('.strip').textContent()) ?? '', /confidence 0\.93 to 1\.00.*12 of 263 rows/);
  const scatter = page.locator(`${card('scatter')} .plot`);
  await scatter.focus();
  for (const key of ['ArrowRight', 'ArrowDown', 'Enter']) await page.keyboard.press(key);
  assert.equal(await page.locator('.strip').count(), 1, 'one selection at a time');
  assert.match((await page.locator('.strip').textContent()) ?? '', /^row \d+1 row/);
});

test('every chart has a table twin for readers and screen readers', { skip }, async () => {
  const { page } = await openFile('twin', [sampleReport('every-kind')]);
  for (const kind of ['bars', 'curve', 'heatmap', 'images', 'scatter', 'text', 'graph']) {
    const one = page.locator(card(kind)).first();
    assert.ok((await one.locator('.twin tbody tr').count()) > 1, kind);
    const toggle = one.locator('vscode-button[aria-pressed]');
    await toggle.click();
    assert.ok(await one.locator('.twin table').first().isVisible(), `${kind}: shown on request`);
    assert.equal(await toggle.getAttribute('aria-pressed'), 'true');
  }
});

test('tables sort by their columns', { skip }, async () => {
  const { page } = await openFile('sort', [sampleReport('every-kind')]);
  const table = page.locator(card('table'));
  const first = async (): Promise<string | null> => table.locator('tbody th').first().textContent();
  await table.getByRole('button', { name: 'Support' }).click();
  assert.equal(await first(), '8');
  await table.getByRole('button', { name: 'Support' }).click();
  assert.equal(await first(), '4');
  assert.equal(await table.locator('th[aria-sort="descending"]').textContent(), 'Support');
});

/** What a menu of the page saves. */
const saved = async (page: Opened['page'], menu: string, format: string): Promise<{ readonly file: string; readonly bytes: Buffer }> => {
  await page.getByRole('button', { name: menu, exact: true }).click();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('menuitem', { name: `${menu} as ${format}`, exact: true }).click(),
  ]);
  return { file: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
};

test('CSV, PNG, SVG, JSON and HTML are saved from the page, of a card and of the report', { skip }, async () => {
  const { page } = await openFile('save', [sampleReport('every-kind')]);
  const save = (card: string, format: string): Promise<{ readonly file: string; readonly bytes: Buffer }> =>
    saved(page, `Save ${card}`, format);
  const csv = await save('Per class', 'CSV');
  assert.equal(csv.file, 'per-class.csv');
  assert.match(csv.bytes.toString(), /^Class,Support,Precision,"?95 % Wilson, low/m);
  const png = await save('Reliability', 'PNG');
  assert.equal(png.file, 'reliability.png');
  assert.equal(png.bytes.subarray(1, 4).toString(), 'PNG');
  const svg = await save('Model', 'SVG');
  assert.match(svg.bytes.toString(), /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  const one = await save('Confusion matrix', 'JSON');
  assert.deepEqual(JSON.parse(one.bytes.toString()), sampleReport('every-kind').cards[3]);
  const json = await save('report', 'JSON');
  assert.deepEqual(JSON.parse(json.bytes.toString()), sampleReport('every-kind'));
  const all = await save('report', 'CSV');
  assert.match(all.bytes.toString(), /^Headline\r\nNumber,Value,"Interval, low","Interval, high"\r\n/);
  const html = await save('Confusion matrix', 'HTML');
  assert.equal(html.file, 'confusion-matrix.html');
  const file = join(mkdtempSync(join(tmpdir(), 'assay-saved-')), html.file);
  writeFileSync(file, html.bytes);
  await page.goto(`file://${file}`);
  assert.equal(await page.locator('h1').textContent(), 'Confusion matrix');
  assert.equal(await page.locator('.card').count(), 1);
  assert.ok((await colours(page, '.heatmap')) > 3, 'the page saved from the page is alive');
});

test('every kind of card is drawn as vectors, without an embedded bitmap but for photographs', { skip }, async () => {
  const { page, errors } = await openFile('vectors', [sampleReport('every-kind')]);
  await holds(page, "document.querySelectorAll('.plot canvas').length === 4");
  const cards = sampleReport('every-kind').cards.map(({ title }) => String(title));
  for (const title of new Set(cards)) {
    const { bytes } = await saved(page, `Save ${title}`, 'SVG');
    const text = bytes.toString();
    writeFileSync(screenshot(`vector ${title.toLowerCase().replace(/\W+/g, ' ').trim()}`).replace(/png$/, 'svg'), text);
    assert.doesNotMatch(text, /<image|NaN|="undefined|undefined[ "]/, title);
    const drawing = await page.evaluate((svg) => {
      const root = new DOMParser().parseFromString(svg, 'image/svg+xml').documentElement;
      return { name: root.nodeName, texts: root.querySelectorAll('text').length, shapes: root.querySelectorAll('path, rect').length };
    }, text);
    assert.equal(drawing.name, 'svg', `${title} is well-formed`);
    if (!title.startsWith('A card of')) assert.ok(drawing.texts > 2 && drawing.shapes > 3, `${title}: ${JSON.stringify(drawing)}`);
  }
  const whole = (await saved(page, 'Save report', 'SVG')).bytes.toString();
  for (const title of cards) assert.ok(whole.includes(title.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)), title);
  assert.equal((await saved(page, 'Save report', 'PNG')).bytes.subarray(1, 4).toString(), 'PNG');
  assert.deepEqual(errors, []);
});

test('a report and a card are copied as Markdown', { skip }, async () => {
  const { page } = await openFile('copy', [sampleReport('every-kind')]);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const copied = (): Promise<string> => page.evaluate('navigator.clipboard.readText()') as Promise<string>;
  await page.getByRole('button', { name: 'Copy as Markdown', exact: true }).click();
  await page.getByText('Copied').waitFor();
  assert.equal(await copied(), toMarkdown(sampleReport('every-kind')));
  await page.getByRole('button', { name: 'Copy Per class as Markdown' }).click();
  await holds(page, "document.querySelector('[data-kind=table] .toolbar').textContent.includes('Copied')");
  assert.match(await copied(), /^### Per class\n\n\| Class \| Support/);
});

test('layers and order of the matrix; overlay, opacity and mode of the pictures', { skip }, async () => {
  const { page } = await openFile('controls', [sampleReport('every-kind')]);
  const picture = (selector: string): Promise<string> =>
    page
      .locator(selector)
      .first()
      .evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
  const counts = await picture('.heatmap');
  const show = page.locator(`${card('heatmap')} vscode-dropdown`);
  await show.click();
  await show.getByRole('option', { name: 'share of label' }).click();
  const shares = await picture('.heatmap');
  assert.notEqual(shares, counts);
  await page.locator(`${card('heatmap')} vscode-checkbox`).click();
  assert.notEqual(await picture('.heatmap'), shares);
  const sample = `${card('images')} .sample canvas:not([hidden])`;
  const signed = await picture(sample);
  await page
    .locator(`${card('images')} vscode-checkbox`)
    .first()
    .click();
  const absolute = await picture(sample);
  assert.notEqual(absolute, signed);
  await page.locator(`${card('images')} input[type=range]`).fill('0');
  assert.notEqual(await picture(sample), absolute);
});

test('several reports stand behind tabs that the arrow keys reach', { skip }, async () => {
  const { page } = await openFile('tabs', ['every-kind', 'unavailable', 'stopped'].map(sampleReport));
  const tabs = page.getByRole('tab');
  assert.deepEqual(await tabs.allTextContents(), ['Reliability diagram', 'Confusion matrixnot available', 'Saliencystopped']);
  await tabs.first().focus();
  await page.keyboard.press('ArrowRight');
  assert.match(
    (await page.locator('.outcome').textContent()) ?? '',
    /Not available.*Dataset 'data\/photos.npz' has no labels: name the array that holds them with --y\./,
  );
  await page.keyboard.press('ArrowRight');
  assert.match((await page.locator('.outcome').textContent()) ?? '', /Stopped before the end/);
  assert.equal(await page.locator('.sample').count(), 2, 'what was measured by then is shown');
});

test('reports of one title are told apart behind their tabs', { skip }, async () => {
  const { page } = await openPanel('alike');
  const reports = [1, 2, 3].map((n) => (n === 3 ? sampleReport('unavailable') : sampleReport('every-kind')));
  await post(page, { type: 'reports', title: 'Two', reports });
  const tabs = page.getByRole('tab');
  await tabs.first().waitFor();
  assert.deepEqual(await tabs.allTextContents(), ['Reliability diagram: 1', 'Reliability diagram: 2', 'Confusion matrixnot available']);
  const check = (name: string, report: number): object => ({ name, status: 'passed', sentence: '', report });
  await post(page, { type: 'reports', title: 'Suite', reports, checks: [check('small', 0), check('large', 1), check('other', 2)] });
  await page.getByRole('tab', { name: 'Reliability diagram: large' }).waitFor();
});

test('where it was measured: hashes, seed, options, and the device that did the work', { skip }, async () => {
  const { page } = await readOnly();
  await page.getByText('Where this was measured').click();
  const text = (await page.locator('.provenance').textContent()) ?? '';
  for (const part of ['sha256 5e1f', 'cpu; asked for auto (no CUDA or WebGPU adapter was found)', 'Seed0', 'bins 15', 'onnxruntime 1.30.0'])
    assert.ok(text.includes(part), part);
});

for (const [name, options] of [
  ['light', { colorScheme: 'light' }],
  ['dark', { colorScheme: 'dark' }],
  ['forced-colors', { colorScheme: 'dark', forcedColors: 'active' }],
] as const) {
  test(`drawn in ${name}`, { skip }, async () => {
    const { page, errors } = await openFile(name, [sampleReport('every-kind')], options);
    await page
      .locator(`${card('scatter')} canvas`)
      .first()
      .waitFor();
    assert.ok((await colours(page, `${card('bars')} .plot canvas`)) > 3);
    await page.screenshot({ path: screenshot(`report-${name}`), fullPage: true });
    assert.deepEqual(errors, []);
  });
}

test('charts follow a change of theme', { skip }, async () => {
  const { page } = await openFile('theme', [sampleReport('every-kind')], { colorScheme: 'light' });
  const first = (): Promise<string> => page.locator('.heatmap').evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
  await holds(page, "document.querySelector('.heatmap').width > 300");
  const light = await first();
  await page.emulateMedia({ colorScheme: 'dark' });
  await holds(page, (before) => (document.querySelector('.heatmap') as HTMLCanvasElement).toDataURL() !== before, light);
  const background = await page.evaluate('getComputedStyle(document.body).backgroundColor');
  assert.equal(background, 'rgb(31, 31, 31)');
});

for (const width of [320, 500]) {
  test(`nothing makes a page of ${width} pixels scroll sideways (200 % zoom)`, { skip }, async () => {
    const { page } = await openFile(`narrow-${width}`, [sampleReport('every-kind'), sampleReport('unavailable')], {
      viewport: { width, height: 800 },
      colorScheme: 'dark',
    });
    await page
      .locator(`${card('scatter')} canvas`)
      .first()
      .waitFor();
    await page.screenshot({ path: screenshot(`report-${width}`), fullPage: true });
    const wide = (await page.evaluate('document.documentElement.scrollWidth')) as number;
    assert.ok(wide <= width, `${wide}`);
  });
}

test('without scripts the tables are there', { skip }, async () => {
  const { page } = await openFile('noscript', [sampleReport('every-kind')], { javaScriptEnabled: false });
  assert.ok(await page.getByRole('heading', { name: 'Confusion matrix' }).isVisible());
  assert.ok((await page.locator('noscript table').count()) > 8);
});

test('every control can be named and reached, headings step by one', { skip }, async () => {
  const { page } = await readOnly();
  const nameless = await page
    .locator('#assay button, #assay vscode-button, #assay vscode-dropdown, #assay vscode-checkbox, #assay input, #assay [tabindex="0"]')
    .evaluateAll((all) =>
      all
        .filter((one) => !(one.getAttribute('aria-label') || one.getAttribute('aria-labelledby') || one.textContent?.trim() || one.id))
        .map((one) => one.outerHTML),
    );
  assert.deepEqual(nameless, []);
  const levels = await page.locator('#assay h1, #assay h2, #assay h3').evaluateAll((all) => all.map((one) => Number(one.tagName[1])));
  assert.equal(levels[0], 1);
  for (let i = 1; i < levels.length; i++) assert.ok(levels[i] <= levels[i - 1] + 1);
});

test('a thousand classes, and cards without content, are drawn without harm', { skip }, async () => {
  const names = Array.from({ length: 1000 }, (_, i) => `class ${i}`);
  const axis = { label: 'x', unit: 'none' } as const;
  const cards: readonly Card[] = [
    {
      kind: 'heatmap',
      title: 'Large',
      diagonal: true,
      rows: { label: 'label', names },
      columns: { label: 'prediction', names },
      layers: [
        {
          name: 'counts',
          unit: 'count',
          values: Array.from({ length: 1_000_000 }, (_, i) => (i % 1001 === 0 ? 9 : i % 997 === 0 ? 1 : 0)),
        },
      ],
    },
    { kind: 'number', title: 'n', values: [] },
    { kind: 'curve', title: 'c', x: axis, y: axis, lines: [{ name: 'l', points: [] }] },
    { kind: 'bars', title: 'b', x: axis, y: axis, categories: [], series: [{ name: 's', values: [] }] },
    { kind: 'bars', title: 'log', x: axis, y: { ...axis, scale: 'log' }, edges: [0, 1, 2], series: [{ name: 's', values: [10, null] }] },
    { kind: 'heatmap', title: 'h', rows: { label: 'r', names: [] }, columns: { label: 'c', names: [] }, layers: [] },
    { kind: 'table', title: 't', columns: [], rows: [] },
    { kind: 'images', title: 'i', images: [] },
    { kind: 'scatter', title: 's', x: axis, y: axis, groups: [] },
    { kind: 'text', title: 'x' },
    {
      kind: 'graph',
      title: 'g',
      nodes: [{ id: 'a', label: 'a' }],
      edges: [
        { from: 'a', to: 'a' },
        { from: 'a', to: 'gone' },
      ],
    },
  ];
  const report: Report = { ...sampleReport('unavailable'), outcome: 'measured', cards };
  const { page, errors } = await openFile('large', [report]);
  await holds(page, "document.querySelector('.heatmap').width > 2000");
  await page.locator('.heatmap-frame').first().focus();
  await page.keyboard.press('End');
  assert.match((await page.locator('.readout').first().textContent()) ?? '', /class 999/);
  assert.deepEqual(errors, []);
});
