import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onStage, played, type Stage } from './stage.ts';
import { choose, openFile, runCommand, webview } from './vscode.ts';

/** The language that texts between brackets stand for. */
const LANGUAGE = 'eo';

/** The window, once loaded anew, speaks a language in which VS Code itself says everything in English, and the extension everything between brackets. */
const speak = ({ server }: Stage): void => {
  const translations = join(server.data, 'main.i18n.json');
  const extensions = [{ extensionIdentifier: { id: 'assay-tests.brackets' }, version: '0.0.1' }];
  const pack = { hash: LANGUAGE, extensions, translations: { vscode: translations }, label: 'Brackets' };
  writeFileSync(translations, JSON.stringify({ version: '1.0.0', contents: {} }));
  writeFileSync(join(server.data, 'languagepacks.json'), JSON.stringify({ [LANGUAGE]: pack }));
  writeFileSync(join(server.data, 'User/argv.json'), JSON.stringify({ locale: LANGUAGE }));
  const [own] = readdirSync(server.extensions).filter((name) => name.startsWith('assay.assay-'));
  for (const [folder, name] of [
    ['media/l10n', 'bundle.l10n'],
    ['', 'package.nls'],
  ]) {
    const words = JSON.parse(readFileSync(join(server.extensions, own, folder, `${name}.json`), 'utf8')) as Record<string, string>;
    const bracketed = Object.fromEntries(Object.entries(words).map(([key, english]) => [key, `⟦${english}⟧`]));
    writeFileSync(join(server.extensions, own, folder, `${name}.${LANGUAGE}.json`), JSON.stringify(bracketed));
  }
};

await onStage('the extension speaks the language of the window', (stage) => {
  const scenario = played(stage);

  scenario('contributions, views, pickers and pages are in the language of the window', async () => {
    speak(stage);
    const { page } = stage;
    await page.reload();
    await page.locator('.monaco-workbench .part.statusbar').waitFor();
    const view = webview(page);
    await openFile(page, 'assay.json');
    await page.locator('.codelens-decoration a', { hasText: /⟦.*⟧/ }).first().waitFor();
    await runCommand(page, 'Assay: ⟦Open Model…⟧');
    await choose(page, 'digits.onnx');
    await view.getByText('⟦measured by a run on the CPU⟧').waitFor();
    await stage.shot('language');
    assert.equal(await view.locator('html').getAttribute('lang'), LANGUAGE);
    const buttons = await view.locator('vscode-button:visible').allTextContents();
    assert.ok(buttons.length > 3);
    for (const text of buttons) assert.match(text, /^⟦.*⟧$/);
    await view.locator('.layer-rows .layer-row').first().click();
    await view.getByText('⟦Passes⟧').waitFor();
  });
});
