import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Locator } from 'playwright-core';
import { openStage, type Stage } from './stage.ts';
import { anyReport, choose, lens, openFile, PATIENCE, painted, runCommand, tree, webview } from './vscode.ts';

const stage = await openStage();
if (typeof stage === 'string') {
  test('the views in a real VS Code', { skip: process.env.CI ? false : stage }, () => assert.fail(stage));
} else {
  after(() => stage.close());
  scenarios(stage);
}

function scenarios({ page, server, shot }: Stage): void {
  const scenario = (name: string, act: () => Promise<void>): void => {
    test(name, { timeout: 6 * PATIENCE }, async () => {
      try {
        // A menu that was left open takes every key.
        await page.keyboard.press('Escape');
        await act();
      } catch (error) {
        await shot(`failed ${name.replace(/\W+/g, ' ')}`);
        console.error(server.log().slice(-2000));
        throw error;
      }
    });
  };
  const menu = (label: string): Locator => page.locator('.monaco-menu .action-item', { hasText: label });
  /** A menu that has just opened lets the button go up without choosing. */
  const press = async (label: string): Promise<void> => {
    await menu(label).first().hover();
    await page.waitForTimeout(500);
    await menu(label).first().click();
    await menu(label).first().waitFor({ state: 'hidden' });
  };
  const inMenu = async (row: Locator, label: string): Promise<void> => {
    await row.click({ button: 'right' });
    await press(label);
  };
  const use = async (theme: string, kind: string): Promise<void> => {
    await runCommand(page, 'Preferences: Color Theme');
    await choose(page, theme);
    await page.locator(`.monaco-workbench.${kind}`).waitFor();
    // The window fades from one theme to the next.
    await page.waitForTimeout(500);
  };
  const reliability = async (model: string): Promise<void> => {
    await runCommand(page, 'Assay: Reliability Diagram');
    await choose(page, model);
    await choose(page, 'test');
    await webview(page).locator('h1', { hasText: 'Reliability Diagram' }).waitFor();
    await painted(webview(page).locator('.card canvas:not(.swatch)').first());
    await runCommand(page, 'View: Close All Editors');
  };

  scenario('models and data of the workspace are listed, named ones first; tooltips tell the newest numbers', async () => {
    await openFile(page, 'assay.json');
    await reliability('digits');
    await page.getByRole('tab', { name: 'Assay', exact: true }).click();
    await tree(page, /^digits, digits\.onnx/).waitFor();
    await tree(page, /^transformer\.onnx/).waitFor();
    await tree(page, /^Other files of the workspace/)
      .first()
      .waitFor();
    const digits = tree(page, /^digits, digits\.onnx/);
    await digits.hover();
    await page.locator('.workbench-hover', { hasText: 'ece' }).waitFor();
    await shot('views tooltip dark');
    await page.keyboard.press('Escape');
  });

  scenario('the menu of a model: compare it with another, reveal it', async () => {
    await inMenu(tree(page, /^digits, digits\.onnx/), 'Compare Model Files…');
    await choose(page, 'transformer.onnx');
    await webview(page).getByRole('heading', { name: 'digits.onnx ↔ transformer.onnx' }).waitFor();
    await tree(page, /^digits, digits\.onnx/).click({ button: 'right' });
    for (const label of ['Train Further…', 'Export Gradient Graph…', 'Profile Layers…', 'Reveal in Explorer'])
      await menu(label).first().waitFor();
    await shot('views model menu dark');
    await press('Reveal in Explorer');
    await page.locator('.explorer-folders-view .monaco-list-row', { hasText: 'digits.onnx' }).first().waitFor();
  });

  scenario('two files chosen in the explorer are compared', async () => {
    await runCommand(page, 'View: Close All Editors');
    const file = (name: string): Locator =>
      page.locator('.explorer-folders-view .monaco-list-row').filter({ has: page.getByText(name, { exact: true }) });
    await file('digits.onnx').click();
    await file('transformer.onnx').click({ modifiers: ['Control'] });
    await inMenu(file('transformer.onnx'), 'Compare Model Files…');
    await webview(page)
      .getByRole('heading', { name: /digits\.onnx|transformer\.onnx/ })
      .first()
      .waitFor();
    await runCommand(page, 'View: Close All Editors');
  });

  scenario('a run dragged onto another is compared with it', async () => {
    await reliability('transformer.onnx');
    await page.getByRole('tab', { name: 'Assay', exact: true }).click();
    const first = tree(page, /^Reliability Diagram, transformer\.onnx on test, done/);
    const other = tree(page, /^Reliability Diagram, digits on test, done/);
    await first.waitFor();
    await first.dragTo(other);
    await anyReport(page, 'Reliability Diagram');
    await tree(page, /^Compare Runs, .*done/).waitFor();
    await shot('views dropped dark');
    await runCommand(page, 'View: Close All Editors');
  });

  scenario('runs are filtered and grouped, and shown all again', async () => {
    await runCommand(page, 'Assay: Filter and Sort Runs…');
    await choose(page, 'transformer.onnx');
    await tree(page, /^Reliability Diagram, digits on test/).waitFor({ state: 'detached' });
    await page.getByText('Only runs about transformer.onnx.').waitFor();
    await shot('views filtered dark');
    await runCommand(page, 'Assay: Show All Runs');
    await tree(page, /^Reliability Diagram, digits on test/).waitFor();
    await runCommand(page, 'Assay: Filter and Sort Runs…');
    await choose(page, 'By model');
    await tree(page, /^Comparisons/).waitFor();
    for (const [theme, kind, name] of [
      ['Light Modern', 'vs', 'light'],
      ['Dark High Contrast', 'hc-black', 'high contrast'],
      ['Dark Modern', 'vs-dark', 'dark'],
    ] as const) {
      await use(theme, kind);
      await shot(`views ${name}`);
    }
  });

  scenario('the walkthrough leads from an empty folder to a trained, diagnosed and gated model', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'walkthrough-'));
    try {
      await page.goto(`${server.url}/?${new URLSearchParams({ folder: empty })}`);
      await page.locator('.monaco-workbench .part.statusbar').waitFor();
      await page.getByRole('tab', { name: 'Assay', exact: true }).click();
      await page.getByRole('button', { name: 'Run a Diagnostic' }).waitFor();
      await shot('views welcome dark');
      const step = (id: string): Locator => page.locator(`[data-done-step-id$="#${id}"]`);
      const done = (id: string): Locator => page.locator(`[data-done-step-id$="#${id}"].complete`);
      const follow = async (id: string, name: string): Promise<void> => {
        await runCommand(page, 'Assay: Get Started');
        await step(id).first().waitFor();
        await page.locator(`.getting-started-step[data-step-id$="#${id}"]`).click();
        await shot(`walkthrough ${id} dark`);
        await page.locator('.getting-started-step').getByRole('button', { name }).filter({ visible: true }).first().click();
      };
      await follow('sample', 'Open Sample Workspace');
      await lens(page, 'Run…').first().waitFor();
      await shot('sample workspace');
      assert.ok(existsSync(join(empty, 'digits.train.json')));
      await follow('train', 'Train a Model');
      await choose(page, 'digits.train.json');
      await choose(page, 'digits.onnx');
      await webview(page).locator('.report:not(.live) dt', { hasText: 'accuracy' }).first().waitFor();
      await shot('sample trained');
      await follow('diagnose', 'Reliability Diagram');
      await choose(page, 'digits');
      await choose(page, 'test');
      await painted(webview(page).locator('.card canvas:not(.swatch)').first());
      await shot('sample diagnosed');
      await follow('saliency', 'Open Saliency');
      await choose(page, 'digits');
      await choose(page, 'test');
      await painted(webview(page).locator('.pictures canvas').last());
      await shot('sample saliency');
      await follow('gate', 'Add a Gate');
      await choose(page, 'Reliability Diagram');
      await choose(page, 'ece');
      await choose(page, 'At most');
      await page.locator('.quick-input-widget input[type=text]').fill('0.04');
      await page.keyboard.press('Enter');
      await lens(page, /^\s*Run$/)
        .first()
        .waitFor();
      const text = (): string => readFileSync(join(empty, 'assay.json'), 'utf8');
      for (const until = Date.now() + PATIENCE; !text().includes('0.04') && Date.now() < until; ) await page.waitForTimeout(100);
      assert.match(text(), /"ece": \{\s*"max": 0\.04/);
      await runCommand(page, 'Assay: Run Suite');
      await webview(page).locator('li.check', { hasText: 'calibrated' }).waitFor();
      await shot('sample gated');
      await runCommand(page, 'Assay: Get Started');
      for (const id of ['sample', 'train', 'diagnose', 'saliency', 'gate']) await done(id).first().waitFor();
      await shot('walkthrough dark');
      await use('Light Modern', 'vs');
      await shot('walkthrough light');
      await use('Dark High Contrast', 'hc-black');
      await shot('walkthrough high contrast');
    } finally {
      rmSync(empty, { recursive: true, force: true });
    }
  });
}
