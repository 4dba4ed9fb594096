// A headless Chromium that drives the workbench of a code-server.
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { type Browser, chromium, type FrameLocator, type Locator, type Page } from 'playwright-core';
import { PATIENCE, until } from '../until.ts';

export const launchBrowser = (executablePath: string): Promise<Browser> =>
  chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });

export const openWorkbench = async (browser: Browser, url: string, folder: string): Promise<Page> => {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.setDefaultTimeout(PATIENCE);
  await page.goto(`${url}/?${new URLSearchParams({ folder })}`);
  await page.locator('.monaco-workbench .part.statusbar').waitFor();
  return page;
};

const rows = (page: Page): Locator => page.locator('.quick-input-list .monaco-list-row');
const pickInput = (page: Page): Locator => page.locator('.quick-input-widget input[type=text]');

/** Runs a command by its palette title. The palette lists what is registered when it opens, so it is opened anew until the command is there. */
export const runCommand = async (page: Page, title: string): Promise<void> => {
  const input = pickInput(page);
  const row = rows(page)
    .filter({ has: page.getByText(title, { exact: true }) })
    .first();
  const listed = async (): Promise<boolean> => {
    await page.keyboard.press('F1');
    try {
      await input.fill(`>${title}`, { timeout: 1500 });
      await row.waitFor({ timeout: 1500 });
      return true;
    } catch {
      await page.keyboard.press('Escape');
      return false;
    }
  };
  await until(listed, `the command '${title}'`, { every: 0 });
  await row.click();
};

/** The row of the open quick pick that has this label, which is typed first: only rows in view are there to be found. */
export const pickRow = async (page: Page, label: string | RegExp): Promise<Locator> => {
  const whole = typeof label === 'string' ? label : ((await rows(page).getByText(label).first().textContent()) ?? '');
  await pickInput(page).fill(whole);
  return rows(page)
    .filter({ has: page.getByText(whole, { exact: true }) })
    .first();
};

/** Chooses in a quick pick of one answer and waits until it took it: what is typed after that is for the next. */
export const choose = async (page: Page, label: string | RegExp): Promise<void> => {
  const row = await pickRow(page, label);
  const input = pickInput(page);
  const typed = await input.inputValue();
  await row.click();
  // The next pick stands in the same box, with another text.
  await until(async () => !(await input.isVisible()) || (await input.inputValue()) !== typed, `an end of the question, with '${typed}'`, {
    every: 20,
  });
};

/** A search that begins before the window has its extensions may find nothing for long: it is begun anew until the file is there. */
export const openFile = async (page: Page, name: string): Promise<void> => {
  const found = async (): Promise<boolean> => {
    await page.keyboard.press('Control+P');
    try {
      await pickInput(page).fill(name, { timeout: 5000 });
      await rows(page).filter({ hasText: name }).first().click({ timeout: 5000 });
      return true;
    } catch {
      await page.keyboard.press('Escape');
      return false;
    }
  };
  await until(found, `the file ${name} in a search`, { patience: 2 * PATIENCE, every: 0 });
  await page.getByRole('tab', { name }).waitFor();
};

/** A webview is two frames deep: the host page, then the extension's HTML. Only the one shown is visible. */
export const webview = (page: Page): FrameLocator =>
  page.locator('iframe.webview.ready').filter({ visible: true }).last().contentFrame().frameLocator('iframe#active-frame');

/** Answers VS Code's own save dialog once it has filled in its proposal. */
export const saveAs = async (page: Page, path: string): Promise<void> => {
  const dialog = page.locator('.quick-input-widget');
  const input = dialog.locator('input[type=text]');
  await dialog.waitFor();
  // The dialog proposes a name a moment after it is there, and completes what is typed: ours is typed after that, and counts once it stays.
  await until(async () => /\.\w+$/.test(await input.inputValue()), 'a name that the save dialog proposes');
  const stays = async (): Promise<boolean> => {
    if ((await input.inputValue()) === path) return true;
    await input.fill(path);
    return false;
  };
  await until(stays, `${path} in the save dialog`, { every: 500 });
  await dialog.getByRole('button', { name: 'OK' }).click();
  await dialog.waitFor({ state: 'hidden' });
};

/** Answers the save dialog, and reads the file once it is whole: a file is made before all of it is in it. */
export const saved = async (page: Page, path: string): Promise<Buffer> => {
  rmSync(path, { force: true });
  await saveAs(page, path);
  let before = -1;
  const isWhole = (): boolean => {
    const size = existsSync(path) ? statSync(path).size : 0;
    const same = size > 0 && size === before;
    before = size;
    return same;
  };
  await until(isWhole, `the file ${path}`, { every: 200 });
  return readFileSync(path);
};

/** Waits until one of the webviews shows a report of this title. */
export const anyReport = async (page: Page, title: string): Promise<void> => {
  const there = async (): Promise<boolean> => {
    const found = page.frames().map((frame) => frame.locator('h1', { hasText: title }).isVisible());
    return (await Promise.allSettled(found)).some((one) => one.status === 'fulfilled' && one.value);
  };
  await until(there, `a webview that shows '${title}'`);
};

export const lens = (page: Page, text: string | RegExp): Locator => page.locator('.codelens-decoration a').filter({ hasText: text });
export const notification = (page: Page, text: string | RegExp): Locator => page.locator('.notification-toast', { hasText: text });
export const tree = (page: Page, name: RegExp): Locator => page.getByRole('treeitem', { name });

/** Chooses in a dropdown of the webview toolkit. */
export const pickOption = async (view: FrameLocator, label: string, option: string | RegExp): Promise<void> => {
  await view.locator(`vscode-dropdown[aria-label="${label}"]`).click();
  const text = typeof option === 'string' ? view.getByText(option, { exact: true }) : view.getByText(option);
  await view.locator(`vscode-dropdown[aria-label="${label}"] vscode-option`).and(text).first().click();
};

/** Waits until a canvas has at least so many pixels that are not transparent: charts are drawn when they come into view. */
export const painted = async (canvas: Locator, least = 1000): Promise<void> => {
  const ink = async (): Promise<number> => {
    await canvas.scrollIntoViewIfNeeded();
    return canvas.evaluate((element) => {
      const { width, height } = element as HTMLCanvasElement;
      const data = (element as HTMLCanvasElement).getContext('2d')?.getImageData(0, 0, width, height).data ?? [];
      let inked = 0;
      for (let i = 3; i < data.length; i += 4) if (data[i] > 0) inked++;
      return inked;
    });
  };
  // A page that is replaced by the next takes its canvas with it while it is looked at.
  const seen = (): Promise<number | Error> => ink().catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
  let found: number | Error = 0;
  const isPainted = async (): Promise<boolean> => {
    found = await seen();
    return typeof found === 'number' && found >= least;
  };
  await until(isPainted, () => `${least} painted pixels of a canvas; ${typeof found === 'number' ? `it has ${found}` : found.message}`);
};

/** Runs a reliability diagram of a model on the test rows of the sample and waits until it is painted. */
export const showReliability = async (page: Page, model = 'digits'): Promise<void> => {
  await runCommand(page, 'Assay: Reliability Diagram');
  await choose(page, model);
  await choose(page, 'test');
  await webview(page).locator('h1', { hasText: 'Reliability Diagram' }).waitFor();
  await painted(webview(page).locator('.card canvas:not(.swatch)').first());
};

/** Waits until a canvas shows none of the pictures seen before, and adds the one that it shows. */
export const newPicture = async (canvas: Locator, seen: string[], what: string): Promise<void> => {
  const isNew = async (): Promise<boolean> => {
    const now = await canvas.evaluate((element) => (element as HTMLCanvasElement).toDataURL());
    return !seen.includes(now) && seen.push(now) > 0;
  };
  await until(isNew, `another picture: ${what}`, { every: 50 });
};

/** Saves the window's state and starts it anew, as the user's command does. */
export const reload = async (page: Page): Promise<void> => {
  await Promise.all([page.waitForEvent('load'), runCommand(page, 'Developer: Reload Window')]);
  await page.locator('.monaco-workbench .part.statusbar').waitFor();
};

/** A menu that has just opened lets the button go up without choosing. */
export const chooseInMenu = async (page: Page, label: string): Promise<void> => {
  const item = page.locator('.monaco-menu .action-item', { hasText: label }).first();
  const isChosen = async (): Promise<boolean> => {
    await item.hover();
    await page.waitForTimeout(500);
    await item.click();
    return item.waitFor({ state: 'hidden', timeout: 2000 }).then(
      () => true,
      () => false,
    );
  };
  await until(isChosen, `an end of the menu, with '${label}'`, { every: 0 });
};

/** Chooses in the context menu of a row of a view. */
export const inMenu = async (row: Locator, label: string): Promise<void> => {
  await row.click({ button: 'right' });
  await chooseInMenu(row.page(), label);
};

const themes = {
  light: ['Light Modern', 'vs'],
  dark: ['Dark Modern', 'vs-dark'],
  'high contrast': ['Dark High Contrast', 'hc-black'],
  'high contrast light': ['Light High Contrast', 'hc-light'],
} as const;
export type Theme = keyof typeof themes;

export const useTheme = async (page: Page, theme: Theme): Promise<void> => {
  const [name, kind] = themes[theme];
  await runCommand(page, 'Preferences: Color Theme');
  await choose(page, name);
  await page.locator(`.monaco-workbench.${kind}`).waitFor();
  // The window fades from one theme to the next.
  await page.waitForTimeout(500);
};
