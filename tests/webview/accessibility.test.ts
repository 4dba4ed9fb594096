import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import type { AxeResults, RunOptions } from 'axe-core';
import type { Page } from 'playwright-core';
import { close, dress, launch, openPanel, post, screenshot, skip, themeNames } from './browser.ts';
import { pages } from './pages.ts';
import { studyPages } from './study-pages.ts';

before(launch);
after(close);

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const serious = async (page: Page, options: RunOptions): Promise<readonly unknown[]> => {
  // Style sheets are read by the browser alone: the page may not fetch anything.
  const asked = { ...options, resultTypes: ['violations'], preload: false };
  const found = (await page.evaluate(`axe.run(document, ${JSON.stringify(asked)})`)) as AxeResults;
  assert.ok(found.passes.length > 0, 'rules were run');
  return found.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, help, nodes }) => ({
      id,
      help,
      at: nodes.slice(0, 6).map(({ html, failureSummary }) => `${html.slice(0, 160)} ${failureSummary}`),
    }));
};

// One law for every page, present and future: axe-core finds nothing serious in any theme.
for (const { name, mode, messages, ready, act } of [...pages, ...studyPages]) {
  test(`${name}: axe-core finds nothing serious in any theme`, { skip }, async () => {
    const { page, errors } = await openPanel(`axe-${name}`.replaceAll(' ', '-'), { mode, theme: themeNames[0], before: axe });
    for (const message of messages) await post(page, message);
    await page.locator(ready).first().waitFor();
    await act?.(page);
    for (const theme of themeNames) {
      await dress(page, theme);
      await page.screenshot({ path: screenshot(`page ${name} ${theme}`), fullPage: true });
      // Structure is the same in every theme; only colours differ.
      const options: RunOptions = theme === themeNames[0] ? {} : { runOnly: ['color-contrast'] };
      assert.deepEqual(await serious(page, options), [], theme);
    }
    assert.deepEqual(errors, []);
    await page.context().close();
  });
}
