// What the extension does when much is asked of it, when its processes die, and where models may not be run.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PATIENCE, until } from '../until.ts';
import { type Answer, type Ask, answerFile, askFile, scheme } from './probe/protocol.ts';
import { onStage, openStage, played, processesWith, type Stage, screenshot } from './stage.ts';
import { choose, lens, notification, openFile, runCommand, saveAs, tree, webview } from './vscode.ts';

await onStage('the extension under stress', scenarios, { 'chat.disableAIFeatures': false }, true);

function scenarios(main: Stage): void {
  const { page, server, folder, shot } = main;
  const scenario = played(main);
  const processes = (): readonly number[] => processesWith(join(server.extensions, 'assay.'), 'dist/process.js');
  const gone = (ids: readonly number[]): Promise<void> =>
    until(() => !processes().some((id) => ids.includes(id)), 'an end of the job processes');
  const train = async (out: string): Promise<void> => {
    await runCommand(page, 'Assay: Train…');
    await choose(page, 'endless.train.json');
    await choose(page, 'Save as…');
    await saveAs(page, join(folder, out));
  };
  const live = (): Promise<void> => webview(page).locator('.report.live dt', { hasText: 'steps per second' }).waitFor();

  scenario('tools of language models say what they cost before they run, and give numbers and files', async () => {
    const dialog = page.locator('.monaco-dialog-box');
    /** Calls a tool as an agent would; what it asks is agreed to. */
    const invoke = async (tool: string, input: object, asked?: RegExp): Promise<Answer> => {
      rmSync(join(folder, answerFile), { force: true });
      writeFileSync(join(folder, askFile), JSON.stringify({ tool, input } satisfies Ask));
      await runCommand(page, 'Probe: Invoke Tool');
      if (asked) {
        await dialog.waitFor();
        assert.match(((await dialog.textContent()) ?? '').replaceAll('\u00a0', ' '), asked);
        await shot(`tool ${tool} dark`);
        await dialog.getByRole('button', { name: 'Yes' }).click();
      }
      await until(() => existsSync(join(folder, answerFile)), `an answer of ${tool}`, { patience: 2 * PATIENCE });
      return JSON.parse(readFileSync(join(folder, answerFile), 'utf8')) as Answer;
    };
    const told = async (tool: string, input: object, asked: RegExp, ...answers: readonly RegExp[]): Promise<void> => {
      const { text = '', error } = await invoke(tool, input, asked);
      assert.equal(error, undefined);
      for (const answer of answers) assert.match(text, answer);
    };
    const report = /\.assay\/runs\/[^/]+\/report\.json/;
    const subject = { model: 'digits', data: 'test' };
    await told('inspect_model', { model: 'digits' }, /Cost.*No model is run.*Reads: .*digits\.onnx.*Writes/s, /650|parameters/);
    await told(
      'run_diagnostic',
      { ...subject, diagnostic: 'reliability' },
      /Cost: .*Device: .*Reads: .*digits\.onnx.*digits\.npz/s,
      /"?ece"?.*0\.0/,
      report,
    );
    await told('explain_prediction', subject, /Cost: .*Device: /s, /\d\.\d+/);
    await told('compare_models', { ...subject, against: 'transformer.onnx' }, /Cost: .*transformer\.onnx/s, /accuracy.*0\.\d/s, report);
    await told(
      'train_model',
      { recipe: 'digits.train.json', out: 'told.onnx' },
      /Cost: .*Reads: .*digits\.train\.json.*Writes: .*told\.onnx/s,
      /test_accuracy: 9\d/,
      /told\.onnx/,
      report,
    );
    assert.ok(existsSync(join(folder, 'told.onnx')));
    for (const [tool, wrong, sentence] of [
      ['run_diagnostic', { ...subject, diagnostic: 'reliabilty' }, /reliabilty/],
      ['inspect_model', { model: 'none.onnx' }, /none\.onnx/],
      ['train_model', { recipe: 'digits.train.json', out: 'told.onnx' }, /told\.onnx.*(exists|there already)/],
    ] as const) {
      const { error = '' } = await invoke(tool, wrong);
      assert.match(error, sentence);
    }
  });

  scenario('two trainings run, the third waits and says its place; a look at a model passes them', async () => {
    await train('one.onnx');
    await live();
    await train('two.onnx');
    await live();
    await train('three.onnx');
    await webview(page).getByText('Next to start').first().waitFor();
    await runCommand(page, 'Assay: Focus on Runs View');
    await tree(page, /Train three\.onnx.*Next to start/).waitFor();
    await shot('queue dark');
    await runCommand(page, 'Assay: Open Model…');
    await choose(page, 'digits');
    await webview(page).getByText('parameters').first().waitFor();
    await shot('queue with model editor dark');
  });

  scenario('when a training is stopped the next begins', async () => {
    await runCommand(page, 'Assay: Cancel Run…');
    await choose(page, 'Train one.onnx');
    await tree(page, /Train three\.onnx.*running/).waitFor();
    assert.equal(await tree(page, /Next to start/).count(), 0);
  });

  scenario('a job process that is killed is started again; its training goes on and says so', async () => {
    await runCommand(page, 'Assay: Cancel Run…');
    await choose(page, 'Train two.onnx');
    await runCommand(page, 'View: Close All Editors');
    await tree(page, /Train three\.onnx.*running/).click();
    await live();
    const before = processes();
    for (const id of before) process.kill(id, 'SIGKILL');
    await gone(before);
    await until(() => processes().length > 0, 'a process that is started again');
    await live();
    assert.equal(await notification(page, /ended unexpectedly/).count(), 0);
    await shot('restarted dark');
    const runs = join(folder, '.assay/runs');
    const notes = (): string =>
      readdirSync(runs)
        .filter((id) => !id.startsWith('.'))
        .map((id) => {
          try {
            return readFileSync(join(runs, id, 'live.jsonl'), 'utf8');
          } catch {
            return '';
          }
        })
        .join('\n');
    const again = /ended unexpectedly \(signal SIGKILL\); it is started again/;
    await until(() => again.test(notes()), 'a note of the run that it was started again', { every: 200 });
  });

  scenario('agents find the tools of the extension as a server', async () => {
    await runCommand(page, 'MCP: List Servers');
    await page.locator('.quick-input-list .monaco-list-row', { hasText: 'Assay' }).first().waitFor();
    await shot('mcp dark');
    await page.keyboard.press('Escape');
  });

  scenario('closing the window ends every job process', async () => {
    const ids = processes();
    assert.ok(ids.length > 0, 'a training still runs');
    await page.close({ runBeforeUnload: false });
    await gone(ids);
  });

  test('where the folder is not on a disk', { timeout: 8 * PATIENCE }, async () => {
    const window = await main.open(`${scheme}:${folder}`);
    try {
      await window.getByRole('tab', { name: 'Assay', exact: true }).click();
      await window.getByText('This folder is not on a disk of this machine').waitFor();
      await window.screenshot({ path: screenshot('virtual views dark') });
      const refused = /'elsewhere:.*' is not a file on a disk; save a copy on one first\./;
      // A file system that has no search is opened by its tree.
      await runCommand(window, 'View: Show Explorer');
      const open = async (name: string): Promise<void> => {
        await window
          .locator('.explorer-folders-view .monaco-list-row')
          .filter({ has: window.getByText(name, { exact: true }) })
          .dblclick();
        await window.getByRole('tab', { name }).waitFor();
      };
      await open('assay.json');
      await runCommand(window, 'Probe: Diagnose the Open File');
      await notification(window, refused).waitFor();
      await runCommand(window, 'Notifications: Clear All Notifications');
      await runCommand(window, 'Assay: Create assay.json');
      await notification(window, 'Open a folder of a disk first').waitFor();
      await open('digits.onnx');
      await runCommand(window, 'View: Reopen Editor With...');
      await choose(window, /^Assay Model/);
      await webview(window).getByText(refused).waitFor();
      await window.screenshot({ path: screenshot('virtual model dark') });
    } catch (error) {
      await window.screenshot({ path: screenshot('failed virtual') });
      throw error;
    } finally {
      await window.close();
    }
  });

  test('where the workspace is not trusted', { timeout: 8 * PATIENCE }, async (t) => {
    const other = await openStage({ 'security.workspace.trust.enabled': true, 'security.workspace.trust.startupPrompt': 'never' });
    if (typeof other === 'string') assert.fail(other);
    t.after(() => other.close());
    const { page: window } = other;
    try {
      const refused = async (): Promise<void> => {
        await notification(window, 'Running a model needs a trusted workspace.').first().waitFor();
        await window.locator('.notification-toast').getByRole('button', { name: 'Manage Trust' }).first().waitFor();
      };
      await runCommand(window, 'Assay: Reliability Diagram');
      await refused();
      await other.shot('untrusted dark');
      await runCommand(window, 'Notifications: Clear All Notifications');
      await runCommand(window, 'Assay: Train…');
      await refused();
      // Looking is allowed.
      await openFile(window, 'assay.json');
      await lens(window, 'Saliency').first().waitFor();
      await runCommand(window, 'Assay: Open Model…');
      await choose(window, 'digits');
      await webview(window).getByText('parameters').first().waitFor();
      await other.shot('untrusted model dark');
      await window.locator('.notification-toast').getByRole('button', { name: 'Manage Trust' }).first().click();
      await window.getByText('trust', { exact: false }).first().waitFor();
    } catch (error) {
      await other.shot('failed untrusted');
      throw error;
    }
  });
}
