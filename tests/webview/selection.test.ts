import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import type { Report } from '../../src/report/report.ts';
import { sampleReport } from '../report/fixtures.ts';
import { close, lastPosted, launch, openPanel, post, screenshot, skip } from './browser.ts';

before(launch);
after(close);

const axis = { label: 'x', unit: 'none' } as const;
const chosen = { label: '3 taken for 5', total: 3, rows: [4, 7, 9] };
/** Cards that hold rows 4, 7 and 9 each in its own way. */
const linked: Report = {
  ...sampleReport('unavailable'),
  outcome: 'measured',
  samples: [{ row: 4, label: '3', prediction: '5' }],
  cards: [
    {
      kind: 'heatmap',
      title: 'Confusion',
      rows: { label: 'label', names: ['3', '5'] },
      columns: { label: 'prediction', names: ['3', '5'] },
      layers: [{ name: 'counts', unit: 'count', values: [8, 3, 0, 9] }],
      selections: { '1': chosen, '0': { label: 'right', total: 1, rows: [1] } },
    },
    {
      kind: 'bars',
      title: 'Bins',
      x: axis,
      y: axis,
      edges: [0, 1, 2, 3],
      series: [
        {
          name: 'accuracy',
          values: [1, 2, 3],
          selections: [
            { label: 'low', total: 2, rows: [4, 7] },
            { label: 'middle', total: 1, rows: [8] },
            { label: 'high', total: 1, rows: [9] },
          ],
        },
      ],
    },
    {
      kind: 'curve',
      title: 'Curve',
      x: axis,
      y: axis,
      lines: [
        {
          name: 'risk',
          points: [
            [0, 1],
            [1, 2],
          ],
          selections: [{ label: 'start', total: 1, rows: [7] }, null],
        },
      ],
    },
    {
      kind: 'scatter',
      title: 'Points',
      x: axis,
      y: axis,
      groups: [
        {
          name: 'all',
          points: [
            [0, 1],
            [1, 2],
            [2, 1],
          ],
          rows: [9, 10, 11],
        },
      ],
    },
    {
      kind: 'table',
      title: 'Hardest',
      columns: [
        { name: 'row', label: 'Row', type: 'row' },
        { name: 'loss', label: 'Loss', type: 'number' },
      ],
      rows: [
        [2, 0.5],
        [4, 0.9],
      ],
    },
    {
      kind: 'images',
      title: 'Maps',
      images: [7, 8].map((row) => ({
        row,
        title: `sample ${row}`,
        picture: { width: 1, height: 1, channels: 1, base64: 'gA==' },
        overlays: [],
        facts: [],
      })),
    },
    { kind: 'number', title: 'Numbers', values: [{ name: 'n', label: 'N', value: 1, unit: 'none' }] },
  ],
};
const show = (page: Page): Promise<void> => post(page, { type: 'reports', title: 'Run', reports: [linked] });
const select = async (page: Page): Promise<void> => {
  await page.locator('.heatmap-frame').focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
};
const bar = (page: Page) => page.locator('.selection-bar');
const kept = (page: Page): Promise<{ readonly page?: Readonly<Record<string, unknown>> }> =>
  page.evaluate("JSON.parse(window.kept ?? '{}')") as Promise<{ readonly page?: Readonly<Record<string, unknown>> }>;
const RUN = JSON.stringify({ run: 'r1' });

test('what is chosen in one card is brought out in all that hold its rows', { skip }, async () => {
  const { page, errors } = await openPanel('linked', { theme: 'dark', kept: RUN });
  await show(page);
  await page.locator('[data-kind="scatter"] canvas').waitFor();
  const picture = (kind: string): Promise<string> =>
    page.locator(`[data-kind="${kind}"] .plot canvas`).evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
  const before = await Promise.all(['bars', 'curve', 'scatter'].map(picture));
  await select(page);
  const notes = Object.fromEntries(
    await page
      .locator('.card')
      .evaluateAll((cards) => cards.map((card) => [(card as HTMLElement).dataset.kind, card.querySelector('.linked')?.textContent])),
  );
  assert.deepEqual(notes, {
    heatmap: '',
    bars: '2 bars here hold 3 of the 3 selected rows.',
    curve: '1 point here holds 1 of the 3 selected rows.',
    scatter: '1 point here holds 1 of the 3 selected rows.',
    table: '1 line here holds 1 of the 3 selected rows.',
    images: '1 sample here holds 1 of the 3 selected rows.',
    number: '',
  });
  const after = await Promise.all(['bars', 'curve', 'scatter'].map(picture));
  after.forEach((now, i) => {
    assert.notEqual(now, before[i], 'the marks are outlined');
  });
  assert.equal(await page.locator('tr.held').textContent(), '40.9');
  assert.match((await page.locator('.sample.held').textContent()) ?? '', /sample 7/);
  await page.getByRole('button', { name: 'Loss' }).click();
  assert.equal(await page.locator('tr.held').count(), 1, 'sorting keeps the mark');
  assert.match((await bar(page).textContent()) ?? '', /^Selection: 3 rows of ‘3 taken for 5’/);
  assert.equal(await page.locator('.strip .tile').count(), 3);
  await page.screenshot({ path: screenshot('selection dark'), fullPage: true });
  await page.keyboard.press('Escape');
  assert.equal(await bar(page).isVisible(), false);
  assert.equal(await page.locator('.strip, .held').count(), 0);
  assert.deepEqual(await Promise.all(['bars', 'curve', 'scatter'].map(picture)), before, 'the outlines are gone');
  assert.ok(await page.locator('.heatmap-frame').evaluate((element) => element === document.activeElement), 'focus is back at the cell');
  assert.deepEqual(errors, []);
});

test('the bar of the selection copies row numbers and opens the image tab', { skip }, async () => {
  const { page } = await openPanel('selection-bar', { theme: 'light', kept: RUN });
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await show(page);
  await select(page);
  await bar(page).getByRole('button', { name: 'Copy row numbers' }).click();
  await bar(page).getByText('Copied').waitFor();
  assert.equal(await page.evaluate('navigator.clipboard.readText()'), '4\n7\n9');
  await bar(page).getByRole('button', { name: 'Open in image tab: row 4' }).click();
  await lastPosted(page, { type: 'sample', report: 0, row: 4 });
  await bar(page)
    .getByRole('button', { name: /^Clear/ })
    .click();
  assert.equal(await bar(page).isVisible(), false);
});

test('a page that is drawn anew stands as it stood: selection, tables, place', { skip }, async () => {
  const first = await openPanel('stands', { theme: 'dark', kept: RUN });
  await show(first.page);
  await select(first.page);
  await first.page.getByRole('button', { name: 'Curve as a table' }).click();
  await first.page.evaluate('window.scrollTo(0, 400)');
  for (let i = 0; i < 100 && (await kept(first.page)).page?.scroll !== 400; i++) await first.page.waitForTimeout(50);
  const state = await kept(first.page);
  assert.deepEqual(state.page, { tab: 0, scroll: 400, tables: ['0:2'], selected: { report: 0, card: 0, selection: chosen } });
  const again = await openPanel('stands', { theme: 'dark', kept: JSON.stringify(state) });
  await show(again.page);
  await bar(again.page).getByText('3 rows of ‘3 taken for 5’').waitFor();
  assert.ok(await again.page.locator('[data-kind="curve"] .twin table').isVisible());
  assert.equal(await again.page.locator('vscode-button[aria-label="Curve as a table"]').getAttribute('aria-pressed'), 'true');
  for (let i = 0; i < 50 && (await again.page.evaluate('window.scrollY')) !== 400; i++) await again.page.waitForTimeout(50);
  assert.equal(await again.page.evaluate('window.scrollY'), 400);
  assert.equal((JSON.parse(String(await again.page.evaluate('window.kept'))) as { run?: string }).run, 'r1');
});

test('menus: exports, a link and pages of one card; all by keyboard', { skip }, async () => {
  const { page } = await openPanel('menus', { theme: 'dark', kept: RUN });
  await show(page);
  const opener = page.getByRole('button', { name: 'Save Bins', exact: true });
  await opener.focus();
  await page.keyboard.press('ArrowDown');
  const items = page.locator('[data-kind="bars"] [role=menuitem]');
  assert.deepEqual(await items.allTextContents(), ['PNG', 'SVG', 'CSV', 'JSON', 'HTML', 'Copy link']);
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await lastPosted(page, { type: 'link', report: 0, card: 1 });
  await opener.click();
  await page.getByRole('menuitem', { name: 'Save Bins as HTML' }).click();
  await lastPosted(page, { type: 'page', report: 0, card: 1 });
  await page.getByRole('button', { name: 'Compare with another run' }).click();
  await lastPosted(page, { type: 'compare' });
  await opener.click();
  await page.keyboard.press('Escape');
  assert.equal(await items.first().isVisible(), false);
  assert.equal(await page.locator('.card details.reading').count(), linked.cards.length, 'every card tells how it is read');
});

test('every stop of the tab key shows where it is', { skip }, async () => {
  const { page } = await openPanel('tab-stops', { theme: 'high-contrast', kept: RUN });
  await show(page);
  await page.locator('[data-kind="scatter"] canvas').waitFor();
  const places: { readonly top: number; readonly what: string }[] = [];
  for (let i = 0; i < 80; i++) {
    await page.keyboard.press('Tab');
    const at = (await page.evaluate(`(() => {
      let active = document.activeElement;
      if (active === document.body) return null;
      const top = active.getBoundingClientRect().top + scrollY;
      const look = (element) => { const s = getComputedStyle(element); return s.outlineStyle !== 'none' || s.borderStyle !== 'none' || s.boxShadow !== 'none'; };
      const inner = active.shadowRoot?.activeElement;
      return { top, seen: look(active) || (inner ? look(inner) : false), what: active.outerHTML.slice(0, 120) };
    })()`)) as { readonly top: number; readonly seen: boolean; readonly what: string } | null;
    if (at === null) break;
    assert.ok(at.seen, `nothing shows that the focus is on ${at.what}`);
    places.push(at);
  }
  assert.ok(places.length > 20, `${places.length} stops`);
  const cards = await page.locator('.card').evaluateAll((all) => all.map((card) => card.getBoundingClientRect().top + scrollY));
  // From card to card downwards: the order of the page is that of the keyboard.
  const cardOf = (top: number): number => cards.filter((edge) => edge <= top + 1).length;
  for (let i = 1; i < places.length; i++)
    assert.ok(cardOf(places[i].top) >= cardOf(places[i - 1].top), `from ${places[i - 1].what} back up to ${places[i].what}`);
});
