import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Locator } from 'playwright-core';
import { root } from '../../src/build/root.ts';
import { openDataset } from '../../src/data/open.ts';
import { openSource } from '../../src/data/source.node.ts';
import { until } from '../until.ts';
import { layOutOthers, openStage, played, type Stage } from './stage.ts';
import { choose, inMenu, notification, openFile, runCommand, tree, useTheme, webview } from './vscode.ts';

const stage = await openStage();
if (typeof stage === 'string') {
  test('saliency in the editor, in a real VS Code', { skip: process.env.CI ? false : stage }, () => assert.fail(stage));
} else {
  after(() => stage.close());
  await layOutInsight(stage.folder);
  scenarios(stage);
}

/** A table for the model of tables, texts for that of texts, code that names samples, and a picture. */
async function layOutInsight(folder: string): Promise<void> {
  layOutOthers(folder);
  const data = await openDataset(await openSource(join(root, 'tests/fixtures/data/breast_cancer.npz')));
  const [x, y] = await data.slice(['x', 'y'], 0, 12);
  const names = await data.extra('feature_names');
  const row = (r: number): string => [...Array.from(x.data.slice(30 * r, 30 * (r + 1)), String), String(y.data[r])].join(',');
  const head = [...Array.from(names.data as string[], (name) => `"${name}"`), 'y'].join(',');
  const lines = [head, ...Array.from({ length: 12 }, (_, r) => row(r))];
  // Spreadsheets quote numbers too.
  lines[3] = lines[3].replace(/^([^,]+),/, '"$1",');
  writeFileSync(join(folder, 'cells.csv'), `${lines.join('\r\n')}\r\n`);
  writeFileSync(join(folder, 'note.txt'), 'Urgent! You have won a free prize 😀\r\ncall now to claim your cash\r\n');
  writeFileSync(join(folder, 'long.txt'), 'you have won a free prize, call now to claim your cash\n'.repeat(60));
  mkdirSync(join(folder, 'images'));
  cpSync(join(root, 'tests/fixtures/images/rgb.png'), join(folder, 'images/cat.png'));
  cpSync(join(root, 'tests/fixtures/models/resnet8_cifar10.onnx'), join(folder, 'pictures.onnx'));
  writeFileSync(
    join(folder, 'look.py'),
    [
      'import numpy as np',
      'x_test = np.load("digits.npz")["x"]',
      'print(x_test[17])',
      'show("images/cat.png")',
      'print(other[3])',
      '',
    ].join('\n'),
  );
  assert.ok(readFileSync(join(folder, 'assay.json'), 'utf8').includes('digits.npz'));
}

/** A stretch of the editor on a shade. */
interface Shade {
  readonly text: string;
  readonly ground: string;
  readonly line: string;
  readonly x: number;
  readonly y: number;
}

function scenarios(main: Stage): void {
  const { page, shot } = main;
  const scenario = played(main);
  const closeEditors = (): Promise<void> => runCommand(page, 'View: Close All Editors');
  const bar = (text: string | RegExp): Locator => page.locator('.statusbar-item').filter({ hasText: text });
  /** Stretches of the editor that stand on a shade, each with its colour and line. VS Code draws them as boxes behind the text. */
  const shaded = (): Promise<readonly Shade[]> =>
    page.evaluate(() => {
      const letters = Array.from(document.querySelectorAll('.view-lines .view-line'), (line) => {
        const walk = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
        const found: { readonly letter: string; readonly x: number; readonly y: number }[] = [];
        for (let node = walk.nextNode(); node; node = walk.nextNode())
          for (let i = 0; i < (node.nodeValue ?? '').length; i++) {
            const range = document.createRange();
            range.setStart(node, i);
            range.setEnd(node, i + 1);
            const { x, y, width, height } = range.getBoundingClientRect();
            found.push({ letter: (node.nodeValue ?? '')[i], x: x + width / 2, y: y + height / 2 });
          }
        return found;
      }).flat();
      return Array.from(document.querySelectorAll('.view-overlays .cdr[class*="ced-"]'), (box) => {
        const { backgroundColor, borderBottom } = getComputedStyle(box);
        const { left, right, top, bottom } = box.getBoundingClientRect();
        const text = letters.filter(({ x, y }) => left < x && x < right && top < y && y < bottom).map(({ letter }) => letter);
        return {
          text: text.join('').replaceAll('\u00a0', ' '),
          ground: backgroundColor,
          line: borderBottom,
          x: (left + right) / 2,
          y: (top + bottom) / 2,
        };
      }).filter(({ line }) => /^[1-9]/.test(line));
    });
  const comes = (what: string, holds: () => Promise<boolean>): Promise<void> =>
    until(holds, async () => `${what}; shaded: ${JSON.stringify(await shaded())}`);
  const shadedWord = (word: string): Promise<boolean> => shaded().then((all) => all.some(({ text }) => text.includes(word)));

  scenario('tokens of a text are shaded in place, with a status bar, hovers, edits that count, and one key to turn it off', async () => {
    await openFile(page, 'note.txt');
    await runCommand(page, 'Assay: Toggle Saliency in Text');
    // The one model that takes tokens is found without a question.
    await bar(/^\s*sms: spam \d/).waitFor();
    await comes('words are shaded', () => shadedWord('free'));
    const before = await shaded();
    const free = before.find(({ text }) => text.includes('free'));
    assert.match(free?.ground ?? '', /^rgba\(/);
    assert.match(free?.line ?? '', /^2px solid/);
    await shot('text saliency dark');
    await page.mouse.move(free?.x ?? 0, free?.y ?? 0);
    const hover = page.locator('.monaco-hover:visible');
    await hover.getByText(/of all attribution/).waitFor();
    assert.match((await hover.textContent()) ?? '', /for spam · .*token free/);
    await shot('text saliency hover dark');
    await page.keyboard.press('Escape');
    await page.locator('.view-line', { hasText: 'claim' }).click();
    await page.keyboard.press('Control+A');
    await page.keyboard.type('Are you home for dinner tonight? Love you');
    await bar(/^\s*sms: ham \d/).waitFor();
    await comes('other words are shaded', () => shadedWord('home'));
    await page.keyboard.press('Control+Alt+H');
    await comes('nothing is shaded', async () => (await shaded()).length === 0);
    await bar('sms:').waitFor({ state: 'hidden' });
    await page.keyboard.press('Control+Alt+H');
    await bar(/^\s*sms: ham \d/).waitFor();
  });

  scenario('the status bar leads to class and method', async () => {
    await bar(/^\s*sms: ham/).click();
    await choose(page, 'Class');
    await choose(page, 'spam');
    await bar(/^\s*sms: spam \d/).waitFor();
    await bar(/^\s*sms: spam/).click();
    await choose(page, 'Method');
    await choose(page, 'Gradient × Input');
    await bar(/^\s*sms: spam/).hover();
    await page
      .locator('.monaco-hover:visible')
      .getByText(/Gradient × Input/)
      .waitFor();
    await shot('text saliency status dark');
    await bar(/^\s*sms: spam/).click();
    await choose(page, 'Turn Off');
    await comes('nothing is shaded', async () => (await shaded()).length === 0);
  });

  scenario('of a text that is too long the part seen is shaded, and the rest faded and told', async () => {
    await runCommand(page, 'File: Revert File');
    await closeEditors();
    await openFile(page, 'long.txt');
    await runCommand(page, 'Assay: Toggle Saliency in Text');
    await bar(/first 32 of 720 tokens/).waitFor();
    await comes('the rest is faded', () =>
      page.evaluate(() =>
        Array.from(document.querySelectorAll('.view-lines span[class*="ced-"]')).some((span) => getComputedStyle(span).opacity === '0.45'),
      ),
    );
    for (const theme of ['light', 'high contrast', 'dark'] as const) {
      await useTheme(page, theme);
      await comes(`shaded in ${theme}`, () => shadedWord('free'));
      await shot(`long text saliency ${theme}`);
    }
    await runCommand(page, 'Assay: Toggle Saliency in Text');
  });

  scenario('cells of the row under the cursor are shaded, and follow it', async () => {
    await closeEditors();
    await openFile(page, 'cells.csv');
    await runCommand(page, 'Assay: Toggle Saliency in Text');
    // The one model that takes so many columns is found without a question; the cursor is in the row of names.
    await bar(/cancer: no row/).waitFor();
    await page.keyboard.press('Control+Home');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await bar(/cancer: .*row 2/).waitFor();
    const lineOf = async (): Promise<readonly string[]> => (await shaded()).map(({ text }) => text);
    await comes('cells are shaded', async () => (await shaded()).length > 3);
    const second = await lineOf();
    await page.keyboard.press('ArrowDown');
    await bar(/cancer: .*row 3/).waitFor();
    await comes('the next row is shaded', async () => {
      const now = await lineOf();
      return now.length > 3 && now.join() !== second.join();
    });
    const cell = (await shaded()).find(({ text }) => text === '0.7456');
    await page.mouse.move(cell?.x ?? 0, cell?.y ?? 0);
    await page
      .locator('.monaco-hover:visible')
      .getByText(/baseline/)
      .waitFor();
    for (const theme of ['high contrast light', 'light', 'dark'] as const) {
      await useTheme(page, theme);
      await shot(`csv saliency ${theme}`);
    }
    await runCommand(page, 'Assay: Toggle Saliency in Text');
  });

  scenario('a hover over a path or an index in code shows the sample under its map, and leads to the image tab', async () => {
    await closeEditors();
    await openFile(page, 'look.py');
    const hover = page.locator('.monaco-hover:visible');
    await page.locator('.view-line', { hasText: 'print(x_test[17])' }).getByText('17').hover();
    await hover.locator('img[src^="data:image/png"]').nth(1).waitFor();
    await hover.getByText(/predicted/).waitFor();
    await shot('code hover dark');
    await hover.getByText('Open in the image tab').click();
    await webview(page)
      .locator('h1', { hasText: /row 17|row \d+/ })
      .waitFor();
    await closeEditors();
    await openFile(page, 'look.py');
    await page.locator('.view-line', { hasText: 'images/cat.png' }).getByText('cat.png').hover();
    await hover.locator('img[src^="data:image/png"]').nth(1).waitFor();
    await shot('path hover dark');
  });

  scenario('a picture is opened with its saliency from the explorer and by Open With', async () => {
    await closeEditors();
    await runCommand(page, 'View: Show Explorer');
    await tree(page, /^images/)
      .first()
      .click();
    await inMenu(tree(page, /^cat\.png/).first(), 'Open Picture with Saliency');
    await choose(page, 'pictures.onnx');
    const view = webview(page);
    await view.locator('h1', { hasText: 'pictures.onnx on cat.png' }).waitFor();
    await view.getByText(/The image of 21×35 was resized to 32×32/).waitFor();
    await view.locator('figcaption', { hasText: /Integrated Gradients/ }).waitFor();
    await shot('picture dark');
    assert.equal(await notification(page, /Assay failed/).count(), 0);
    await closeEditors();
    await page.keyboard.press('Control+P');
    await page.locator('.quick-input-widget input[type=text]').fill('cat.png');
    await page.locator('.quick-input-list .monaco-list-row').filter({ hasText: 'cat.png' }).first().click();
    await runCommand(page, 'View: Reopen Editor With...');
    await choose(page, 'Assay Saliency');
    await view.locator('h1', { hasText: 'pictures.onnx on cat.png' }).waitFor();
  });
}
