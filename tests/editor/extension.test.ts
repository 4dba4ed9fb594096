import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../until.ts';
import { layOutOthers, onStage, played, processesWith, type Stage } from './stage.ts';
import {
  anyReport,
  choose,
  lens,
  newPicture,
  notification,
  openFile,
  painted,
  pickOption,
  reload,
  runCommand,
  saved,
  showReliability,
  tree,
  useTheme,
  webview,
} from './vscode.ts';

await onStage('the extension in a real VS Code', scenarios);

function scenarios(main: Stage): void {
  const { page, server, folder, shot } = main;
  const scenario = played(main);
  const title = (text: string | RegExp) => webview(page).locator('h1', { hasText: text });
  const titleOf = (id: string): unknown =>
    id.startsWith('.')
      ? undefined
      : (JSON.parse(readFileSync(join(folder, '.assay/runs', id, 'run.json'), 'utf8')) as { readonly title?: unknown }).title;
  const closeEditors = (): Promise<void> => runCommand(page, 'View: Close All Editors');

  scenario('assay.json has lenses to run and look', async () => {
    await openFile(page, 'assay.json');
    for (const text of ['Saliency', /^\s*Run…$/, /^\s*Run$/]) await lens(page, text).first().waitFor();
    // One for each model and dataset, and one for each check.
    await lens(page, 'Run…').nth(1).waitFor();
    await lens(page, /^\s*Run$/)
      .nth(2)
      .waitFor();
  });

  scenario('Reliability Diagram from the palette opens a painted report beside the code, and its numbers over the model', async () => {
    await showReliability(page);
    await lens(page, /Reliability Diagram: accuracy 0\.9/)
      .first()
      .waitFor();
    await shot('reliability dark');
  });

  scenario('a cell of the confusion matrix leads to its samples, and a sample to its saliency', async () => {
    await closeEditors();
    await runCommand(page, 'Assay: Confusion Matrix');
    await choose(page, 'digits');
    await choose(page, 'test');
    const grid = webview(page).locator('canvas.heatmap').first();
    await grid.waitFor();
    await painted(grid);
    const box = await grid.boundingBox();
    assert.ok(box);
    await grid.click({ position: { x: box.width - 8, y: box.height - 8 } });
    const tile = webview(page).locator('button.tile').first();
    await tile.waitFor();
    await shot('confusion matrix dark');
    assert.match((await tile.textContent()) ?? '', /label 9.*said 9.*row \d+/);
    const row = /row (\d+)/.exec((await tile.textContent()) ?? '')?.[1];
    await tile.click();
    await title(`row ${row}`).waitFor();
  });

  scenario('saliency: method, class and look change the picture, next shows another sample, a second model stands beside', async () => {
    await closeEditors();
    await runCommand(page, 'Assay: Saliency…');
    await choose(page, 'digits');
    await choose(page, 'test');
    const view = webview(page);
    await title('digits.onnx on digits.npz, row').waitFor();
    const seen: string[] = [];
    const map = view.locator('.pictures canvas').last();
    await newPicture(map, seen, 'at first');
    const changed = async (act: () => Promise<unknown>, caption: RegExp): Promise<void> => {
      await act();
      await view.locator('figcaption', { hasText: caption }).waitFor();
      await newPicture(map, seen, String(caption));
    };
    await changed(() => pickOption(view, 'Method', 'SmoothGrad'), /^SmoothGrad for/);
    await changed(() => pickOption(view, 'Class', /^3 ·/), /^SmoothGrad for 3$/);
    await changed(() => pickOption(view, 'Less class', /^8 ·/), /^SmoothGrad for 3 less 8$/);
    await changed(() => view.getByLabel('Opacity').fill('100'), /^SmoothGrad for 3 less 8$/);
    await changed(() => view.locator('vscode-checkbox', { hasText: 'Absolute' }).click(), /^SmoothGrad for 3 less 8$/);
    await pickOption(view, 'Method', 'Grad-CAM');
    await view
      .getByRole('alert')
      .getByText(/feature map/)
      .waitFor();
    await shot('saliency refusal dark');
    await changed(() => pickOption(view, 'Method', 'Integrated Gradients'), /^Integrated Gradients for 3 less 8$/);
    await view.getByRole('button', { name: 'Compare with a model' }).click();
    await choose(page, 'transformer.onnx');
    await view.locator('figcaption', { hasText: /^transformer\.onnx: Integrated Gradients for 3 less 8$/ }).waitFor();
    for (const fact of ['Model', 'Class attributed', 'Method', 'Baseline', 'Steps', 'Completeness gap', 'Device', 'Time'])
      assert.equal(await view.locator('.facts dt').getByText(fact, { exact: true }).count(), 2, fact);
    await shot('saliency two dark');
    await view.getByRole('button', { name: 'Remove second model' }).click();
    await view.locator('figcaption', { hasText: /^transformer/ }).waitFor({ state: 'detached' });
    await view.getByRole('button', { name: 'Next sample' }).click();
    await view.getByText('2 of 359').waitFor();
    await shot('saliency dark');
  });

  scenario('the lens of a check runs it, and then shows its numbers', async () => {
    await closeEditors();
    await openFile(page, 'assay.json');
    await lens(page, /^\s*Run$/)
      .nth(1)
      .click();
    await webview(page).locator('li.check', { hasText: 'calibrated' }).waitFor();
    await lens(page, /ece 0\.0\d+, nll 0\.\d+/).waitFor();
    await shot('lens with numbers dark');
  });

  scenario('Run Suite shows every check with its report', async () => {
    await closeEditors();
    await runCommand(page, 'Assay: Run Suite');
    for (const name of ['accurate', 'calibrated', 'attributions add up'])
      await webview(page).locator('li.check', { hasText: name }).waitFor();
    assert.equal(await webview(page).getByRole('tab').count(), 3);
    await webview(page).getByRole('tab', { name: 'Saliency' }).click();
    await painted(webview(page).locator('.samples-grid canvas').last());
    await shot('suite dark');
  });

  scenario('Train… trains and saves the model', async () => {
    await closeEditors();
    const before = statSync(join(folder, 'digits.onnx')).mtimeMs;
    await runCommand(page, 'Assay: Train…');
    await choose(page, 'digits.train.json');
    await choose(page, 'Replace digits.onnx');
    await webview(page).locator('.report:not(.live) dt', { hasText: 'accuracy' }).first().waitFor();
    assert.ok(statSync(join(folder, 'digits.onnx')).mtimeMs > before, 'the model was written');
    await shot('trained dark');
  });

  scenario('a run is cancelled at once, without an error', async () => {
    await closeEditors();
    await runCommand(page, 'Assay: Train…');
    await choose(page, 'endless.train.json');
    await choose(page, 'endless.onnx');
    const live = webview(page).locator('.report.live dt', { hasText: 'steps per second' });
    await live.waitFor();
    const began = Date.now();
    await webview(page).getByRole('button', { name: 'Cancel' }).click();
    await webview(page).getByText('Stopped on request.').waitFor();
    // The contract is one second; a busy machine and the driver's own round trips are in the measured time.
    assert.ok(Date.now() - began < 5000, `stopped after ${Date.now() - began} ms`);
    assert.equal(await page.locator('.notification-toast .codicon-error').count(), 0);
  });

  scenario('a training is watched, paused, resumed, stopped and kept; its model opens and another run lies behind its curves', async () => {
    await closeEditors();
    await runCommand(page, 'Assay: Train…');
    await choose(page, 'endless.train.json');
    await choose(page, /^(Replace )?endless\.onnx$/);
    const view = webview(page);
    for (const part of ['.live-plots', '.live-cards']) await painted(view.locator(`${part} canvas:not(.swatch)`).first());
    await view.locator('.live-cards h2', { hasText: 'Confusion matrix' }).waitFor();
    for (const theme of ['light', 'high contrast', 'dark'] as const) {
      await useTheme(page, theme);
      await shot(`training live ${theme}`);
      // The cards themselves are made anew with every epoch.
      await view.locator('.live-cards').evaluate((cards) => cards.scrollIntoView({ block: 'end' }));
      await shot(`training epoch ${theme}`);
      await view.locator('.report.live').evaluate((report) => report.scrollIntoView());
    }
    const step = async (): Promise<string> =>
      (await view
        .locator('.report.live dl.headline > div', { has: view.getByText('step', { exact: true }) })
        .locator('dd')
        .textContent()) ?? '';
    const pause = view.getByRole('button', { name: 'Pause this training' });
    const resume = view.getByRole('button', { name: 'Resume this training' });
    await pause.click();
    await resume.waitFor();
    await shot('training paused dark');
    // What was told before it stood may still be on its way.
    await page.waitForTimeout(500);
    const still = await step();
    await page.waitForTimeout(1500);
    assert.equal(await step(), still);
    await resume.click();
    await pause.waitFor();
    await until(async () => (await step()) !== still, 'a step after the pause');
    await view.getByRole('button', { name: 'Stop and keep' }).click();
    await view.locator('.report:not(.live) dt', { hasText: 'accuracy' }).first().waitFor();
    await shot('training kept dark');
    assert.ok(existsSync(join(folder, 'endless.onnx')), 'the model was written');
    await runCommand(page, 'Assay: Overlay Training Run…');
    await choose(page, 'Train digits.onnx');
    await view.getByRole('heading', { name: 'Beside another run' }).waitFor();
    await painted(view.locator('.beside canvas:not(.swatch)').first());
    await view.locator('.beside .legend li', { hasText: 'training, run behind' }).first().waitFor();
    await shot('training overlaid dark');
    await view.getByRole('button', { name: 'Open Model' }).click();
    await view.getByRole('heading', { name: 'endless.onnx' }).waitFor();
  });

  scenario('killing the job process leaves a failed run with its curve, and the next run works', async () => {
    await closeEditors();
    await runCommand(page, 'Assay: Train…');
    await choose(page, 'endless.train.json');
    await choose(page, /^(Replace )?endless\.onnx$/);
    await webview(page).locator('.report.live dt', { hasText: 'steps per second' }).waitFor();
    const processes = (): readonly number[] => processesWith(join(server.extensions, 'assay.'), 'dist/process.js');
    const jobs = processes();
    assert.ok(jobs.length > 0, 'there is a job process');
    for (const id of jobs) process.kill(id, 'SIGKILL');
    // It is started again once; the second end is the run's.
    const isKilledAgain = (): boolean => {
      const started = processes().filter((id) => !jobs.includes(id));
      for (const id of started) process.kill(id, 'SIGKILL');
      return started.length > 0;
    };
    await until(isKilledAgain, 'a process that is started again');
    await notification(page, /job process ended unexpectedly.*SIGKILL/).waitFor();
    await webview(page).getByText('This did not work').waitFor();
    // The curve until then is kept.
    await painted(webview(page).locator('.card canvas:not(.swatch)').first());
    await shot('killed dark');
    await closeEditors();
    await runCommand(page, 'Assay: Confusion Matrix');
    await choose(page, 'digits');
    await choose(page, 'test');
    await webview(page).locator('canvas.heatmap').first().waitFor();
  });

  scenario('a file that is no model is said so in one sentence, with a way out', async () => {
    await closeEditors();
    await runCommand(page, 'Assay: Reliability Diagram');
    await choose(page, 'broken.onnx');
    await choose(page, 'test');
    const said = notification(page, /'.*broken\.onnx' is not a complete ONNX model/);
    await said.waitFor();
    await webview(page)
      .getByText(/broken\.onnx' is not a complete ONNX model/)
      .waitFor();
    await shot('wrong file dark');
    await said.getByRole('button', { name: 'Choose Another…' }).click();
    await page.locator('.quick-input-title', { hasText: 'Reliability Diagram' }).waitFor();
    await page.keyboard.press('Escape');
  });

  scenario('the model editor tells layers and weights, and is closed again', async () => {
    await closeEditors();
    await runCommand(page, 'Assay: Open Model…');
    await choose(page, 'digits');
    const view = webview(page);
    await view.getByRole('heading', { name: 'digits.onnx' }).waitFor();
    await view.getByText('measured by a run on the CPU').waitFor();
    const dense = view.locator('.layer-rows .layer-row', { hasText: 'Gemm' }).first();
    await dense.click();
    await view
      .getByRole('button', { name: /^Show values of/ })
      .first()
      .click();
    await view.getByRole('img', { name: /^Histogram of/ }).waitFor();
    await shot('model dark');
    await view.getByRole('button', { name: 'Layers as a graph' }).click();
    await painted(view.locator('canvas.model-graph'));
    await shot('model graph dark');
    await view.getByRole('searchbox', { name: 'Search layers' }).fill('relu');
    await view.getByText(/^\d+ of \d+ layers$/).waitFor();
    await closeEditors();
    await openFile(page, 'assay.json');
    await runCommand(page, 'Assay: Open Model…');
    await choose(page, 'broken.onnx');
    await webview(page)
      .getByText(/broken\.onnx' is not a complete ONNX model/)
      .waitFor();
    await closeEditors();
  });

  scenario('after a reload the open report is back, and the Runs view reopens an earlier one', async () => {
    await closeEditors();
    await runCommand(page, 'Assay: Open Run…');
    await choose(page, 'Confusion Matrix');
    await webview(page).locator('canvas.heatmap').first().waitFor();
    const trained = readdirSync(join(folder, '.assay/runs')).find((id) => titleOf(id) === 'Train digits.onnx');
    // What `npm start` leaves for the extension to open.
    writeFileSync(join(folder, '.assay/open.json'), JSON.stringify({ runs: [trained] }));
    await reload(page);
    await anyReport(page, 'Training: digits');
    await page.getByRole('tab', { name: /^Confusion Matrix/ }).click();
    await anyReport(page, 'Confusion Matrix');
    assert.ok(!existsSync(join(folder, '.assay/open.json')));
    await page.getByRole('tab', { name: 'Assay', exact: true }).click();
    for (const end of [/^Train endless\.onnx.*failed/, /^Train endless\.onnx.*stopped/]) await tree(page, end).first().waitFor();
    await tree(page, /^digits, digits\.onnx/).waitFor();
    await shot('runs dark');
    await closeEditors();
    await tree(page, /^Reliability Diagram, digits on test, done/).click();
    await title('Reliability Diagram').waitFor();
  });

  scenario('a report is saved as one HTML file and as JSON, and a run is deleted', async () => {
    const written = async (name: string): Promise<string> => (await saved(page, join(folder, name))).toString();
    await page.getByRole('tab', { name: /^Reliability Diagram/ }).click();
    await page.getByRole('button', { name: 'Save Report as HTML…' }).click();
    assert.match(await written('saved.html'), /<title>Reliability Diagram · Assay<\/title>/);
    await webview(page).getByRole('button', { name: 'Save report', exact: true }).click();
    await webview(page).getByRole('menuitem', { name: 'Save report as JSON' }).click();
    assert.equal((JSON.parse(await written('saved.json')) as { readonly id: string }).id, 'reliability');
    const failed = tree(page, /^Reliability Diagram, broken\.onnx.*failed/);
    await failed.hover();
    await failed.getByRole('button', { name: 'Delete Run…' }).click();
    await failed.waitFor({ state: 'detached' });
  });

  scenario('a message is shaded word by word, a row of a table is bars, in every theme', async () => {
    await closeEditors();
    layOutOthers(folder);
    for (const [model, data, ready, name] of [
      ['sms', 'messages', '.tokens .token', 'text'],
      ['cancer', 'cells', '.attribution-bars td', 'table'],
    ] as const) {
      await runCommand(page, 'Assay: Saliency…');
      await choose(page, model);
      await page.getByPlaceholder('Dataset').waitFor();
      await choose(page, data);
      await webview(page).locator(ready).first().waitFor();
      await shot(`saliency ${name} dark`);
    }
    await pickOption(webview(page), 'Method', 'Occlusion');
    await webview(page)
      .locator('figcaption', { hasText: /^Occlusion/ })
      .waitFor();
    await page.getByRole('tab', { name: 'Saliency: text_sms.onnx' }).click();
    await webview(page).locator('.tokens .token').first().waitFor();
    await useTheme(page, 'light');
    await shot('saliency text light');
    await useTheme(page, 'high contrast');
    await shot('saliency text high contrast');
  });
}
