// A headless Chromium that drives the workbench of a code-server.
import { type Browser, chromium, type FrameLocator, type Locator, type Page } from 'playwright-core';

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

/** Everything waits this long at most: the machine may be busy. */
export const PATIENCE = 30_000;

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
  for (const until = Date.now() + PATIENCE; ; ) {
    await page.keyboard.press('F1');
    try {
      await input.fill(`>${title}`, { timeout: 1500 });
      await row.waitFor({ timeout: 1500 });
      break;
    } catch (error) {
      if (Date.now() > until) throw error;
      await page.keyboard.press('Escape');
    }
  }
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
  for (
    const until = Date.now() + PATIENCE;
    (await input.isVisible()) && (await input.inputValue()) === typed;
    await page.waitForTimeout(20)
  )
    if (Date.now() > until) throw new Error(`the question does not take '${typed}'`);
};

/** A search that begins before the window has its extensions may find nothing for long: it is begun anew until the file is there. */
export const openFile = async (page: Page, name: string): Promise<void> => {
  for (const until = Date.now() + 2 * PATIENCE; ; ) {
    await page.keyboard.press('Control+P');
    try {
      await pickInput(page).fill(name, { timeout: 5000 });
      await rows(page).filter({ hasText: name }).first().click({ timeout: 5000 });
      break;
    } catch (error) {
      if (Date.now() > until) throw error;
      await page.keyboard.press('Escape');
    }
  }
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
  const waiting = Date.now() + PATIENCE;
  while (!/\.\w+$/.test(await input.inputValue())) {
    if (Date.now() > waiting) throw new Error('the save dialog proposes no name');
    await page.waitForTimeout(100);
  }
  for (const until = Date.now() + PATIENCE; (await input.inputValue()) !== path; await page.waitForTimeout(500)) {
    if (Date.now() > until) throw new Error('the save dialog does not take a name');
    await input.fill(path);
  }
  await dialog.getByRole('button', { name: 'OK' }).click();
  await dialog.waitFor({ state: 'hidden' });
};

/** Waits until one of the webviews shows a report of this title. */
export const anyReport = async (page: Page, title: string): Promise<void> => {
  const there = async (): Promise<boolean> => {
    const found = page.frames().map((frame) => frame.locator('h1', { hasText: title }).isVisible());
    return (await Promise.allSettled(found)).some((one) => one.status === 'fulfilled' && one.value);
  };
  for (const until = Date.now() + PATIENCE; !(await there()); await page.waitForTimeout(100))
    if (Date.now() > until) throw new Error(`no webview shows '${title}'`);
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
  for (const until = Date.now() + PATIENCE; ; await canvas.page().waitForTimeout(100)) {
    const found = await seen();
    if (typeof found === 'number' && found >= least) return;
    if (Date.now() > until)
      throw typeof found === 'number' ? new Error(`the canvas has ${found} painted pixels, fewer than ${least}`) : found;
  }
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
  for (const until = Date.now() + PATIENCE; ; await canvas.page().waitForTimeout(50)) {
    const now = await canvas.evaluate((element) => (element as HTMLCanvasElement).toDataURL());
    if (!seen.includes(now)) return void seen.push(now);
    if (Date.now() > until) throw new Error(`the picture did not change: ${what}`);
  }
};

/** Saves the window's state and starts it anew, as the user's command does. */
export const reload = async (page: Page): Promise<void> => {
  await Promise.all([page.waitForEvent('load'), runCommand(page, 'Developer: Reload Window')]);
  await page.locator('.monaco-workbench .part.statusbar').waitFor();
};

/** A menu that has just opened lets the button go up without choosing. */
export const chooseInMenu = async (page: Page, label: string): Promise<void> => {
  const item = page.locator('.monaco-menu .action-item', { hasText: label }).first();
  for (const until = Date.now() + PATIENCE; ; ) {
    await item.hover();
    await page.waitForTimeout(500);
    await item.click();
    try {
      await item.waitFor({ state: 'hidden', timeout: 2000 });
      return;
    } catch (error) {
      if (Date.now() > until) throw error;
    }
  }
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
