import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { FrameLocator } from 'playwright-core';
import { onStage, played, type Stage } from './stage.ts';
import { anyReport, choose, newPicture, painted, reload, runCommand, saved, useTheme, webview } from './vscode.ts';

await onStage('the report panel in a real VS Code', scenarios);

function scenarios(main: Stage): void {
  const { page, server, folder, shot } = main;
  const scenario = played(main);
  const view = (): FrameLocator => webview(page);
  const bar = () => view().locator('.selection-bar');
  const run = async (diagnostic: string): Promise<void> => {
    await runCommand(page, `Assay: ${diagnostic}`);
    await choose(page, 'digits');
    await choose(page, 'test');
    await view().locator('h1', { hasText: diagnostic }).waitFor();
  };
  const chooseCell = async (): Promise<void> => {
    await view().locator('.heatmap-frame').focus();
    await page.keyboard.press('Enter');
    await bar().getByText('Selection').waitFor();
  };

  scenario('a cell chosen by keyboard is one selection of the page: chip, samples, other cards', async () => {
    await run('Confusion Matrix');
    await painted(view().locator('canvas.heatmap').first());
    await chooseCell();
    assert.match((await bar().textContent()) ?? '', /^Selection: \d+( of \d+)? rows of /);
    assert.ok((await view().locator('.strip .tile').count()) > 0);
    await shot('report selection dark');
    await page.keyboard.press('Escape');
    await bar().waitFor({ state: 'hidden' });
  });

  scenario('selection, open tables and place come back when the panel was hidden, and after a reload of the window', async () => {
    await chooseCell();
    const said = await bar().locator('.selection-text').textContent();
    await view()
      .getByRole('button', { name: 'Confusion matrix as a table' })
      .or(view().getByRole('button', { name: / as a table$/ }))
      .first()
      .click();
    await view().locator('.twin:not(.visually-hidden) table').first().waitFor();
    // What is kept is written a moment after the page stands still.
    await page.waitForTimeout(500);
    const isBack = async (): Promise<void> => {
      await view()
        .locator('.selection-text', { hasText: said ?? '?' })
        .waitFor();
      await view().locator('.twin:not(.visually-hidden) table').first().waitFor();
    };
    await run('Reliability Diagram');
    await painted(view().locator('.card canvas:not(.swatch)').first());
    await page.getByRole('tab', { name: /^Confusion Matrix/ }).click();
    await isBack();
    await reload(page);
    await anyReport(page, 'Confusion Matrix');
    await page.getByRole('tab', { name: /^Confusion Matrix/ }).click();
    await isBack();
    await shot('report reloaded dark');
    await bar()
      .getByRole('button', { name: /^Clear/ })
      .click();
  });

  scenario('a card is saved as PNG, SVG, CSV, JSON and HTML, the report as HTML', async () => {
    const card = (await view().locator('.card:has(canvas.heatmap) h2').textContent()) ?? '';
    const written = async (menu: string, format: string): Promise<Buffer> => {
      await view().getByRole('button', { name: menu, exact: true }).click();
      await view()
        .getByRole('menuitem', { name: `${menu} as ${format}`, exact: true })
        .click();
      return saved(page, join(folder, `saved.${format.toLowerCase()}`));
    };
    const menu = `Save ${card}`;
    assert.equal((await written(menu, 'PNG')).subarray(1, 4).toString(), 'PNG');
    const svg = (await written(menu, 'SVG')).toString();
    assert.match(svg, /^<svg xmlns=/);
    assert.doesNotMatch(svg, /<image/);
    assert.match((await written(menu, 'CSV')).toString(), /\d+,\d+/);
    assert.equal((JSON.parse((await written(menu, 'JSON')).toString()) as { readonly kind: string }).kind, 'heatmap');
    assert.ok((await written(menu, 'HTML')).toString().includes(`<title>${card} · Assay</title>`));
    assert.match((await written('Save report', 'HTML')).toString(), /<title>Confusion Matrix · Assay<\/title>/);
  });

  scenario('the report is copied as Markdown, and a link to a card leads back to it from the palette command', async () => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: server.url });
    await view().getByRole('button', { name: 'Copy as Markdown', exact: true }).click();
    await view().getByText('Copied').waitFor();
    assert.match(await page.evaluate('navigator.clipboard.readText()'), /^## Confusion Matrix\n/);
    await view()
      .getByRole('button', { name: /^Save .*/ })
      .nth(1)
      .click();
    await view()
      .getByRole('menuitem', { name: /^Copy link/ })
      .click();
    await page.getByText('Copied the link to the card').waitFor();
    const link = new URL(String(await page.evaluate('navigator.clipboard.readText()')));
    assert.equal(link.host + link.pathname, 'assay.assay/card');
    assert.ok(readdirSync(join(folder, '.assay/runs')).includes(link.searchParams.get('run') ?? ''));
    await runCommand(page, 'View: Close All Editors');
    await runCommand(page, 'Assay: Open Card…');
    await choose(page, 'Confusion Matrix');
    await page.getByPlaceholder('Card').waitFor();
    const last = page.locator('.quick-input-list .monaco-list-row').last();
    const title = (await last.locator('.label-name').first().textContent()) ?? '';
    await last.click();
    await view().locator('.card:focus h2', { hasText: title }).waitFor();
    // Asked for again the same panel is brought forward.
    await runCommand(page, 'Assay: Open Card…');
    await choose(page, 'Confusion Matrix');
    await page.getByPlaceholder('Card').waitFor();
    await page.locator('.quick-input-list .monaco-list-row').first().click();
    await page.waitForTimeout(500);
    assert.equal(await page.getByRole('tab', { name: /^Confusion Matrix/ }).count(), 1);
  });

  scenario('two runs are compared from the panel, card by card with intervals of the differences', async () => {
    await runCommand(page, 'View: Close All Editors');
    await run('Reliability Diagram');
    await painted(view().locator('.card canvas:not(.swatch)').first());
    await view().getByRole('button', { name: 'Compare with another run' }).click();
    await choose(page, 'Reliability Diagram');
    await view().locator('h1', { hasText: 'Reliability Diagram: two runs' }).waitFor();
    await view().locator('.card h2', { hasText: 'Headline numbers' }).waitFor();
    assert.match((await view().locator('.card[data-kind="table"] thead').first().textContent()) ?? '', /Difference.*Interval/);
    assert.ok(
      (await view()
        .locator('.card h2', { hasText: /: difference$/ })
        .count()) > 0,
    );
    await shot('report compared dark');
  });

  scenario('every theme, 200 % zoom and 480 pixels leave the report readable', async () => {
    await runCommand(page, 'View: Close All Editors');
    await runCommand(page, 'Assay: Open Run…');
    await choose(page, 'Reliability Diagram');
    const chart = view().locator('.card canvas:not(.swatch)').first();
    await painted(chart);
    const seen: string[] = [];
    for (const theme of ['light', 'high contrast', 'high contrast light', 'dark'] as const) {
      await useTheme(page, theme);
      // Charts are redrawn in the colours of the theme.
      await newPicture(chart, seen, theme);
      await shot(`report panel ${theme}`);
    }
    await runCommand(page, 'View: Close Primary Side Bar').catch(() => {});
    const noSideways = async (): Promise<void> => {
      const [wide, room] = await view()
        .locator('html')
        .evaluate((html) => [html.scrollWidth, html.clientWidth]);
      assert.ok(wide <= room, `${wide} pixels in ${room}`);
    };
    // 200 % zoom: half the room, twice the pixels.
    await page.setViewportSize({ width: 640, height: 800 });
    await page.waitForTimeout(500);
    await noSideways();
    await shot('report panel zoom');
    await page.setViewportSize({ width: 480, height: 800 });
    await page.waitForTimeout(500);
    await noSideways();
    await shot('report panel 480');
    await page.setViewportSize({ width: 1280, height: 800 });
  });
}
