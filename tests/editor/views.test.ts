import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Locator } from 'playwright-core';
import { until } from '../until.ts';
import { onStage, played, type Stage } from './stage.ts';
import {
  anyReport,
  choose,
  chooseInMenu,
  inMenu,
  lens,
  notification,
  openFile,
  painted,
  runCommand,
  showReliability,
  tree,
  useTheme,
  webview,
} from './vscode.ts';

interface Ran {
  readonly title: string;
  readonly request: { readonly model?: { readonly path: string } };
}

await onStage('the views in a real VS Code', scenarios);

function scenarios(main: Stage): void {
  const { page, server, folder, shot } = main;
  const scenario = played(main);
  const menu = (label: string): Locator => page.locator('.monaco-menu .action-item', { hasText: label });
  const reliability = async (model: string): Promise<void> => {
    await showReliability(page, model);
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
      await page.getByRole('button', { name: 'Open Sample Workspace' }).waitFor();
      // Until it is known that the folder is trusted, trust is what Runs asks for.
      await page.getByRole('button', { name: 'Manage Workspace Trust' }).waitFor({ state: 'hidden' });
      // One clear first action: nothing is there to be run yet.
      assert.deepEqual(await page.locator('.welcome-view-content .monaco-button:visible').allInnerTexts(), ['Open Sample Workspace']);
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
      await page.getByRole('button', { name: 'Run a Diagnostic' }).waitFor();
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
      await until(
        () => /"ece": \{\s*"max": 0\.04/.test(text()),
        () => `a bound of ece in ${text()}`,
      );
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

  scenario('two folders with an assay.json each: views, lenses, tests, runs and commands tell them apart', async () => {
    const base = mkdtempSync(join(tmpdir(), 'folders-'));
    const file = (...parts: readonly string[]): string => join(base, ...parts);
    try {
      for (const name of ['north', 'south', 'bare']) {
        mkdirSync(file(name));
        const files = ['digits.onnx', 'digits.npz', ...(name === 'bare' ? [] : ['assay.json'])];
        for (const one of files) cpSync(join(folder, one), file(name, one));
        writeFileSync(file(name, `${name}.py`), 'session = InferenceSession("digits.onnx")\n');
      }
      const suite = file('south/assay.json');
      writeFileSync(suite, readFileSync(suite, 'utf8').replace('"max": 0.05, "bound": "upper"', '"max": 0.001, "bound": "upper"'));
      writeFileSync(
        file('three.code-workspace'),
        JSON.stringify({ folders: ['north', 'south', 'bare'].map((path) => ({ path })), settings: {} }),
      );
      // Under load VS Code in a browser may open a workspace file with none of its folders, as its Explorer then says.
      const open = async (): Promise<void> => {
        await page.goto(`${server.url}/?${new URLSearchParams({ workspace: file('three.code-workspace') })}`);
        await page.locator('.monaco-workbench .part.statusbar').waitFor();
        await runCommand(page, 'View: Show Explorer');
        const none = page.getByText('You have not yet added a folder to the workspace.');
        await none
          .or(tree(page, /^north/).first())
          .first()
          .waitFor();
        if (await none.isVisible()) await open();
      };
      await open();
      await page.getByRole('tab', { name: 'Assay', exact: true }).click();
      for (const group of [/^north\/assay\.json/, /^south\/assay\.json/, /^Other files/]) await tree(page, group).first().waitFor();
      await tree(page, /^digits, digits\.onnx · south\/assay\.json/).waitFor();
      await tree(page, /^digits\.onnx, bare\/digits\.onnx/).waitFor();
      await shot('folders views dark');

      /** Files of the models that runs of a diagnostic were about. */
      const ran = (title: string): readonly string[] =>
        readdirSync(file('north/.assay/runs'))
          .filter((id) => !id.startsWith('.'))
          .map((id) => JSON.parse(readFileSync(file('north/.assay/runs', id, 'run.json'), 'utf8')) as Ran)
          .flatMap((run) => (run.title === title && run.request.model ? [run.request.model.path] : []));
      const diagnosed = async (title: string): Promise<void> => {
        await choose(page, title);
        await choose(page, 'test');
        await webview(page).locator('h1', { hasText: title }).waitFor();
        await tree(page, new RegExp(`^${title}, digits \\(south\\) on test, done`)).waitFor();
        assert.deepEqual(ran(title), [file('south/digits.onnx')]);
        await runCommand(page, 'View: Close All Editors');
      };
      // The lens over the model of the second folder, and that over code in it.
      for (const [name, title] of [
        ['south/assay.json', 'Reliability Diagram'],
        ['south/south.py', 'Confusion Matrix'],
      ] as const) {
        await page.keyboard.press('Control+P');
        await page.locator('.quick-input-widget input[type=text]').fill(name);
        await page
          .locator('.quick-input-list .monaco-list-row', { hasText: basename(name) })
          .first()
          .click();
        await page.getByRole('tab', { name: basename(name) }).waitFor();
        await lens(page, 'Run…').first().click();
        await diagnosed(title);
      }

      await runCommand(page, 'Testing: Focus on Test Explorer View');
      const checks = (name: string): Locator => page.locator('.test-explorer .monaco-list-row', { hasText: `${name}/assay.json` });
      await checks('north').waitFor();
      await runCommand(page, 'Test: Run All Tests');
      await checks('south').locator('.codicon-testing-failed-icon').waitFor();
      await checks('north').locator('.codicon-testing-passed-icon').waitFor();
      await shot('folders tests dark');

      await runCommand(page, 'Assay: Run Suite');
      await choose(page, 'south/assay.json');
      await webview(page).locator('li.check.failed', { hasText: 'calibrated' }).waitFor();
      await runCommand(page, 'Assay: Create assay.json');
      await page.getByPlaceholder('Folder').waitFor();
      await shot('folders create dark');
      await choose(page, 'bare');
      await notification(page, /Wrote bare\/assay\.json: 1 model, 1 dataset/).waitFor();
      assert.ok(existsSync(file('bare/assay.json')));
    } finally {
      rmSync(base, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    }
  });
}
