import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../until.ts';
import { onStage, played, type Stage } from './stage.ts';
import { choose, inMenu, openFile, painted, reload, runCommand, tree, useTheme, webview } from './vscode.ts';

await onStage('the data editor in a real VS Code', scenarios);

function scenarios(main: Stage): void {
  const { page, folder, shot } = main;
  const scenario = played(main);
  const view = () => webview(page);
  const rows = () => view().locator('.data-body .data-row');
  const filter = async (text: string): Promise<void> => {
    const box = view().getByRole('textbox', { name: 'Filter rows' });
    await box.fill(text);
    await box.press('Enter');
  };
  const closeEditors = (): Promise<void> => runCommand(page, 'View: Close All Editors');

  scenario('a dataset of assay.json: its rows, filtered by an expression, sorted, one opened', async () => {
    await runCommand(page, 'Assay: Open as Dataset');
    await choose(page, 'test');
    await view().getByRole('heading', { name: 'digits.npz' }).waitFor();
    await view().getByText('359 rows', { exact: true }).waitFor();
    await view().locator('.balance-class[title="3: 33 rows"]').waitFor();
    await view()
      .getByRole('button', { name: /^Draw x as pictures/ })
      .click();
    await painted(rows().first().locator('canvas'), 64);
    await shot('data dark');
    await filter('y = 3 && x[36] >> 8');
    await view().getByText('Character 17: a column').waitFor();
    await shot('data wrong filter dark');
    await filter('y = 3 && x[36] > 8');
    await view()
      .getByText(/^\d+ of 359 rows$/)
      .waitFor();
    await view().getByRole('button', { name: 'row', exact: true }).click();
    await view().getByRole('button', { name: 'row', exact: true }).click();
    await view().locator('[role=columnheader][aria-sort=descending]').waitFor();
    const numbers = async (): Promise<readonly number[]> =>
      (await rows().locator('[role=gridcell]:first-child').allTextContents()).map(Number);
    let found: readonly number[] = [];
    const isSorted = async (): Promise<boolean> => {
      found = await numbers();
      return found.length > 1 && found.every((row, i) => i === 0 || row < found[i - 1]);
    };
    await until(isSorted, () => `rows that are sorted: ${found.join(' ')}`);
    await rows().first().click();
    const pane = view().getByRole('region', { name: 'Chosen row' });
    await pane.getByText('64 values').waitFor();
    await painted(pane.locator('canvas'), 64);
    await shot('data row dark');
  });

  scenario('predictions of a model stand beside the rows, are filtered with them, and lead to the saliency', async () => {
    await view().getByRole('button', { name: 'Close the row' }).click();
    await filter('');
    await view().getByRole('button', { name: 'Predict with Model…' }).click();
    await choose(page, 'digits');
    await view()
      .getByText(/predictions of digits\.onnx on/)
      .waitFor();
    await filter('y != prediction && confidence < 1');
    await view().getByText('7 of 359 rows', { exact: true }).waitFor();
    await view().getByRole('button', { name: 'loss', exact: true }).click();
    await view()
      .getByRole('button', { name: /Gradient of the predicted class/ })
      .click();
    await painted(
      view()
        .getByRole('img', { name: /^Attribution of row/ })
        .first(),
      64,
    );
    for (const theme of ['light', 'high contrast', 'dark'] as const) {
      await useTheme(page, theme);
      await shot(`data predictions ${theme}`);
    }
    await view().getByRole('grid', { name: 'Rows' }).focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await view().locator('h1', { hasText: 'digits.onnx on digits.npz, row' }).waitFor();
    await painted(view().locator('.pictures canvas').last(), 64);
  });

  scenario('after a reload filter, order and predictions are back', async () => {
    await page.getByRole('tab', { name: 'digits.npz' }).click();
    await view().getByText('7 of 359 rows', { exact: true }).waitFor();
    await reload(page);
    await page.getByRole('tab', { name: 'digits.npz' }).click();
    await view().getByText('7 of 359 rows', { exact: true }).waitFor();
    await view()
      .getByText(/predictions of digits\.onnx on/)
      .waitFor();
    await view().locator('[role=columnheader][aria-sort=ascending]', { hasText: 'loss' }).waitFor();
  });

  scenario('a table of predictions by Open With shows what it predicts', async () => {
    await closeEditors();
    writeFileSync(
      join(folder, 'preds.csv'),
      `label,prob_cat,prob_dog,note\n${'cat,0.9,0.1,plain\ndog,0.75,0.25,"a long, quoted note"\n'.repeat(300)}`,
    );
    await openFile(page, 'preds.csv');
    await runCommand(page, 'View: Reopen Editor With...');
    await choose(page, 'Assay Data');
    await view().getByText('600 rows', { exact: true }).waitFor();
    await view().getByRole('columnheader', { name: 'confidence' }).waitFor();
    await filter('label != prediction');
    await view().getByText('300 of 600 rows', { exact: true }).waitFor();
    await view().getByText('Arrays (').click();
    await view()
      .getByRole('row', { name: /prob_cat float64 600 0\.75 0\.9 0\.825 0/ })
      .waitFor();
    await shot('data table dark');
  });

  scenario('a folder of images from the explorer, pictures of several sizes', async () => {
    await closeEditors();
    const at = join(folder, 'pictures');
    for (const name of ['cat', 'dog']) mkdirSync(join(at, name), { recursive: true });
    for (const name of ['cat/one.png', 'dog/two.png', 'dog/three.png'])
      cpSync(join(import.meta.dirname, '../../media/icon.png'), join(at, name));
    const item = tree(page, /^pictures/);
    await item.waitFor();
    await inMenu(item, 'Open as Dataset');
    await view().locator('.balance-class[title="dog: 2 rows"]').click();
    await view().getByText('2 of 3 rows', { exact: true }).waitFor();
    await painted(rows().first().locator('canvas'), 1000);
    await shot('data pictures dark');
  });

  scenario('a file that is broken is said so in one sentence', async () => {
    await closeEditors();
    writeFileSync(join(folder, 'broken.npz'), 'PK\x03\x04 nothing of an archive');
    const item = tree(page, /^broken\.npz/);
    await item.waitFor();
    await inMenu(item, 'Open as Dataset');
    await view()
      .getByText(/broken\.npz', zip directory: it is missing/)
      .waitFor();
    await view().getByRole('button', { name: 'Read again' }).waitFor();
    await shot('data broken dark');
  });
}
