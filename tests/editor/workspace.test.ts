import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'jsonc-parser';
import { PATIENCE, until } from '../until.ts';
import { onStage, played, type Stage } from './stage.ts';
import { choose, lens, notification, openFile, pickRow, runCommand, useTheme, webview } from './vscode.ts';

const script = `import numpy as np
from onnxruntime import InferenceSession

data = np.load("digits.npz")
session = InferenceSession("digits.onnx")
`;

const typescript = `import { InferenceSession } from 'onnxruntime-node';

const session = await InferenceSession.create('digits.onnx');
`;

const notebook = JSON.stringify({
  cells: [{ cell_type: 'code', id: 'one', metadata: {}, execution_count: null, outputs: [], source: script.split(/(?<=\n)/) }],
  metadata: { language_info: { name: 'python' } },
  nbformat: 4,
  nbformat_minor: 5,
});

await onStage('assay.json, tests and code in a real VS Code', scenarios);

function scenarios(main: Stage): void {
  const { page, folder, shot } = main;
  const scenario = played(main);
  const suite = join(folder, 'assay.json');
  // Quick Open finds a file a moment after it was written.
  writeFileSync(join(folder, 'use.py'), script);
  writeFileSync(join(folder, 'use.ts'), typescript);
  writeFileSync(join(folder, 'use.ipynb'), notebook);
  const closeEditors = (): Promise<void> => runCommand(page, 'View: Close All Editors');
  const squiggles = page.locator('.squiggly-error');
  const problem = (text: RegExp) => page.locator('.markers-panel .monaco-list-row', { hasText: text });
  const testRow = (name: string | RegExp) => page.locator('.test-explorer .monaco-list-row', { hasText: name });
  /** Waits until what is saved on the disk holds. */
  const saved = (holds: (text: string) => boolean): Promise<void> => {
    const isSaved = async (): Promise<boolean> => {
      if (holds(readFileSync(suite, 'utf8'))) return true;
      await page.keyboard.press('Control+S');
      return false;
    };
    return until(isSaved, () => `what is expected of ${readFileSync(suite, 'utf8')}`, { every: 200 });
  };
  /** Puts the cursor behind a text of the open editor. */
  const goTo = async (text: string): Promise<void> => {
    const lines = readFileSync(suite, 'utf8').split('\n');
    const line = lines.findIndex((one) => one.includes(text));
    await page.keyboard.press('Control+P');
    const at = `:${line + 1}:${lines[line].indexOf(text) + text.length + 1}`;
    await page.locator('.quick-input-widget input[type=text]').fill(at);
    await page.keyboard.press('Enter');
    await page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  };

  scenario('a wrong name is a problem, and its quick fix mends it', async () => {
    const text = readFileSync(suite, 'utf8');
    writeFileSync(suite, text.replace('"model": "digits"', '"model": "digitz"').replace('"ece"', '"ecee"'));
    await openFile(page, 'assay.json');
    await squiggles.first().waitFor();
    await runCommand(page, 'Problems: Focus on Problems View');
    await problem(/There is no model 'digitz'\. Did you mean 'digits'\?/).waitFor();
    await shot('problems dark');
    await page.locator('.monaco-editor .view-lines').first().click();
    await goTo('"digitz');
    // A question that is asked while actions are still looked for is dropped.
    const fix = page.locator('.action-widget', { hasText: "Change to 'digits'" });
    await until(async () => {
      await page.keyboard.press('Control+.');
      return fix.waitFor({ timeout: 3000 }).then(
        () => true,
        () => false,
      );
    }, 'the quick fix');
    await shot('quick fix dark');
    await page.keyboard.press('Enter');
    await saved((now) => now.includes('"model": "digits",') && !now.includes('digitz'));
    await problem(/digitz/).waitFor({ state: 'detached' });
    writeFileSync(suite, text);
  });

  scenario('completion offers names, arrays and files, and hover tells what a model is', async () => {
    await closeEditors();
    await openFile(page, 'assay.json');
    await lens(page, 'Run All 3').waitFor();
    const offers = page.locator('.suggest-widget .monaco-list-row');
    const offered = async (behind: string, ...labels: readonly string[]): Promise<void> => {
      await goTo(behind);
      await page.keyboard.press('Control+Space');
      for (const label of labels) await offers.filter({ hasText: label }).first().waitFor();
      await shot('completion dark');
      await page.keyboard.press('Escape');
    };
    await offered('"model": "', 'digits');
    await offered('"split": "', 'test', '@test_idx');
    await offered('"path": "', 'digits.onnx');
    await goTo('"digits');
    await runCommand(page, 'Show or Focus Hover');
    await page.locator('.monaco-hover', { hasText: /Inputs\s*x\s*float32/ }).waitFor();
    await shot('hover dark');
    await page.keyboard.press('Escape');
  });

  scenario('the Test Explorer runs every check; the one that fails shows expected and actual, and leads to its card', async () => {
    await closeEditors();
    const text = readFileSync(suite, 'utf8');
    writeFileSync(suite, text.replace('"max": 0.05, "bound": "upper"', '"max": 0.001, "bound": "upper"'));
    await runCommand(page, 'Testing: Focus on Test Explorer View');
    await testRow('assay.json').waitFor();
    await runCommand(page, 'Test: Run All Tests');
    await testRow('assay.json').locator('.codicon-testing-failed-icon').waitFor();
    await testRow('assay.json').click();
    await page.keyboard.press('ArrowRight');
    for (const name of ['accurate', 'calibrated', 'attributions add up']) await testRow(name).first().waitFor();
    await testRow('accurate').locator('.codicon-testing-passed-icon').waitFor();
    await testRow('calibrated').locator('.codicon-testing-failed-icon').waitFor();
    await shot('test explorer dark');
    await openFile(page, 'assay.json');
    await runCommand(page, 'Problems: Focus on Problems View');
    await problem(/calibrated: the upper bound of ece is/).waitFor();
    await runCommand(page, 'Test: Peek Output');
    // Spaces of an editor's lines are no-break spaces.
    for (const shown of [/upper\sbound\sof\sece\sat\slevel\s0\.95\s≤/, /upper\sbound\sof\sece\sat\slevel\s0\.95\s=/])
      await page.getByText(shown).first().waitFor();
    await shot('test message dark');
    await page.locator('.zone-widget').getByText('Open Card…').first().click();
    await webview(page).locator('h1', { hasText: 'Reliability Diagram' }).waitFor();
    await shot('test card dark');
    writeFileSync(suite, text);
  });

  scenario('a changed model runs its checks again while they are watched', async () => {
    await closeEditors();
    await runCommand(page, 'Testing: Focus on Test Explorer View');
    await runCommand(page, 'Test: Start Continuous Run');
    // Several may be ticked: Enter ends it.
    await (await pickRow(page, 'All Rows')).click();
    await page.keyboard.press('Enter');
    const runs = (): number => readdirSync(join(folder, '.assay/runs')).length;
    const before = runs();
    // The watch begins a moment after it was asked for: the file is written until it is seen.
    const model = readFileSync(join(folder, 'digits.onnx'));
    const isRun = (): boolean => {
      if (runs() > before) return true;
      writeFileSync(join(folder, 'digits.onnx'), model);
      return false;
    };
    await until(isRun, 'a run of the checks', { patience: 2 * PATIENCE, every: 3000 });
    await runCommand(page, 'Test: Stop Continuous Run');
  });

  scenario('code that names a model or data has lenses and a hover', async () => {
    await closeEditors();
    await openFile(page, 'use.py');
    await lens(page, 'Saliency').waitFor();
    await lens(page, /^\s*Run…$/)
      .nth(1)
      .waitFor();
    await page.locator('.view-line span', { hasText: 'digits.onnx' }).last().hover();
    await page.locator('.monaco-hover', { hasText: /Inputs\s*x\s*float32/ }).waitFor();
    await shot('code lenses dark');
    await page.keyboard.press('Escape');
    await lens(page, 'Saliency').click();
    await choose(page, 'test');
    await webview(page).locator('h1', { hasText: 'digits.onnx on digits.npz' }).waitFor();
  });

  scenario('TypeScript and the cells of a notebook have them too', async () => {
    for (const file of ['use.ts', 'use.ipynb']) {
      await closeEditors();
      await openFile(page, file);
      await lens(page, 'Saliency').waitFor();
      await page.locator('.view-line span', { hasText: 'digits.onnx' }).last().hover();
      await page.locator('.monaco-hover:visible', { hasText: /Inputs\s*x\s*float32/ }).waitFor();
      await shot(`code lenses ${file.slice(4)} dark`);
      await page.keyboard.press('Escape');
    }
  });

  scenario('Create assay.json writes one for the folder that runs, and leaves one that is there', async () => {
    await closeEditors();
    const before = readFileSync(suite, 'utf8');
    await runCommand(page, 'Assay: Create assay.json');
    await notification(page, 'assay.json is there already').waitFor();
    assert.equal(readFileSync(suite, 'utf8'), before);
    rmSync(suite);
    await closeEditors();
    await runCommand(page, 'Assay: Create assay.json');
    await notification(page, /Wrote assay\.json: \d+ models?, 1 dataset, \d+ checks/).waitFor();
    await shot('created dark');
    const made = parse(readFileSync(suite, 'utf8')) as {
      readonly datasets: object;
      readonly checks: readonly { readonly model: string }[];
    };
    assert.deepEqual(made.datasets, { digits: { path: 'digits.npz', split: 'test', preprocess: { scale: 0.0625 } } });
    assert.ok(made.checks.some(({ model }) => model === 'digits'));
    await page.getByRole('button', { name: 'Run Checks' }).click();
    await webview(page).locator('li.check', { hasText: 'better than guessing (digits on digits)' }).first().waitFor();
    assert.equal(await webview(page).locator('li.check.error').count(), 0);
    await shot('created checks dark');
  });

  scenario('the same in light and in high contrast', async () => {
    await closeEditors();
    await openFile(page, 'assay.json');
    await runCommand(page, 'Testing: Focus on Test Explorer View');
    // The editor is where it was left: which lenses are in sight is not known.
    await page.locator('.codelens-decoration').filter({ visible: true }).first().waitFor();
    for (const theme of ['light', 'high contrast'] as const) {
      await useTheme(page, theme);
      await shot(`workspace ${theme}`);
    }
  });
}
