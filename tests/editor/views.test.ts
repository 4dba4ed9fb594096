import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { onStage, played, type Stage } from './stage.ts';
import {
  anyReport,
  choose,
  chooseInMenu,
  inMenu,
  lens,
  openFile,
  PATIENCE,
  painted,
  runCommand,
  tree,
  useTheme,
  webview,
} from './vscode.ts';

await onStage('the views in a real VS Code', scenarios);

function scenarios(main: Stage): void {
  const { page, server, shot } = main;
  const scenario = played(main);
  const menu = (label: string): Locator => page.locator('.monaco-menu .action-item', { hasText: label });
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
    await chooseInMenu(page, 'Reveal in Explorer');
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
    for (const theme of ['light', 'high contrast', 'dark'] as const) {
      await useTheme(page, theme);
      await shot(`views ${theme}`);
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
      await tree(page, /^digits, digits\.onnx/).waitFor();
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
      await useTheme(page, 'light');
      await shot('walkthrough light');
      await useTheme(page, 'high contrast');
      await shot('walkthrough high contrast');
    } finally {
      rmSync(empty, { recursive: true, force: true });
    }
  });
}
