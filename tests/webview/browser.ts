import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { bundle } from '../../src/build/bundle.ts';
import { toHtml } from '../../src/report/html.ts';
import type { Report } from '../../src/report/report.ts';
import { until } from '../until.ts';

const places = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  chromium.executablePath(),
];
const executablePath = places.find((path) => path !== undefined && path !== '' && existsSync(path));

/** Why the tests of pages do not run here; never in CI, where a missing browser is a failure. */
export const skip: string | false =
  executablePath === undefined && process.env.CI === undefined
    ? 'SKIPPED: no Chromium was found; install chromium or set CHROMIUM to its path'
    : false;
if (skip !== false) console.log(`\n── ${skip}\n`);

const folder = mkdtempSync(join(tmpdir(), 'assay-page-'));
const screenshots = join(import.meta.dirname, '../../out/screenshots');
mkdirSync(screenshots, { recursive: true });
export const screenshot = (name: string): string => join(screenshots, `${name}.png`);

let assets: { readonly script: string; readonly style: string } | undefined;
const built = async (): Promise<NonNullable<typeof assets>> => {
  if (assets === undefined) {
    await bundle({ only: ['webview'], production: true, out: folder });
    assets = { script: readFileSync(join(folder, 'webview.js'), 'utf8'), style: readFileSync(join(folder, 'webview.css'), 'utf8') };
  }
  return assets;
};

let browser: Browser | undefined;
export const launch = async (): Promise<void> => {
  if (skip !== false) return;
  if (executablePath === undefined) throw new Error('No Chromium was found; install chromium or set CHROMIUM to its path.');
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'] });
};
export const close = async (): Promise<void> => browser?.close();

export interface Opened {
  readonly page: Page;
  /** Errors of the page and of its console. */
  readonly errors: readonly string[];
  /** Addresses asked for, besides the file itself. */
  readonly requests: readonly string[];
}

const open = async (url: string, options: BrowserContextOptions, before?: string): Promise<Opened> => {
  if (browser === undefined) throw new Error('launch() comes first');
  const context = await browser.newContext({ viewport: { width: 1000, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(8000);
  // A busy machine may take long to open a file; what the page does then is waited for as above.
  page.setDefaultNavigationTimeout(30_000);
  const errors: string[] = [];
  const requests: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    // The toolkit tries an empty inline style, which the policy refuses; it does without.
    if (message.type() === 'error' && !message.text().includes('Applying inline style')) errors.push(message.text());
  });
  page.on('request', (request) => {
    if (request.url() !== url && !/^(blob|data):/.test(request.url())) requests.push(request.url());
  });
  if (before !== undefined) await page.addInitScript(before);
  await page.goto(url);
  return { page, errors, requests };
};

/** Opens reports as the HTML file that the command line writes. */
export const openFile = async (name: string, reports: readonly Report[], options: BrowserContextOptions = {}): Promise<Opened> => {
  const file = join(folder, `${name}.html`);
  writeFileSync(file, toHtml(reports, await built()));
  return open(`file://${file}`, options);
};

const VS_CODE = `
  window.posted = [];
  window.acquireVsCodeApi = () => ({ postMessage: (message) => window.posted.push(message), setState: (state) => { window.kept = state; }, getState: () => window.kept });
`;

const themes = JSON.parse(readFileSync(join(import.meta.dirname, '../fixtures/themes.json'), 'utf8')) as Readonly<
  Record<string, { readonly class: string; readonly variables: Readonly<Record<string, string>> }>
>;
/** The themes of VS Code that a page can be shown in. */
export const themeNames: readonly string[] = Object.keys(themes);

export interface PanelOptions extends BrowserContextOptions {
  readonly mode?: string;
  /** One of themeNames; without it the page gets no colours from VS Code. */
  readonly theme?: string;
  /** A script that is run before the page's own. */
  readonly before?: string;
  /** What VS Code has kept of the page. */
  readonly kept?: string;
  /** Texts of the window's language by their English. */
  readonly words?: Readonly<Record<string, string>>;
}

/** VS Code's own way to change the theme of a page. */
export const dress = (page: Page, theme: string): Promise<void> =>
  page.evaluate((wanted) => {
    document.documentElement.removeAttribute('style');
    document.body.className = wanted.class;
    for (const [name, value] of Object.entries(wanted.variables)) document.documentElement.style.setProperty(name, value);
  }, themes[theme]);

const themed = (theme: string): string => `
  document.addEventListener('DOMContentLoaded', () => {
    document.body.className = ${JSON.stringify(themes[theme].class)};
    for (const [name, value] of Object.entries(${JSON.stringify(themes[theme].variables)})) document.documentElement.style.setProperty(name, value);
  });`;

/** Opens the page as a panel does: script and style as files, under the same policy, with VS Code's interface in place of a host. */
export const openPanel = async (
  name: string,
  { mode = 'report', theme, before = '', kept, words, ...options }: PanelOptions = {},
): Promise<Opened> => {
  await built();
  const file = join(folder, `${name}.html`);
  const spoken = words === undefined ? '' : ` data-words="${JSON.stringify(words).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)}"`;
  writeFileSync(
    file,
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${name}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src file:; style-src file:; img-src data: blob:">
<link rel="stylesheet" href="webview.css"></head>
<body class="vscode-dark" data-mode="${mode}" data-state="${mode === 'report' ? 'run 1' : ''}"${spoken}><main id="assay"></main><script src="webview.js"></script></body></html>`,
  );
  const state = kept === undefined ? '' : `window.kept = ${JSON.stringify(kept)};`;
  return open(`file://${file}`, options, `${state}${VS_CODE}${theme === undefined ? '' : themed(theme)}${before}`);
};

export const posted = (page: Page): Promise<readonly Record<string, unknown>[]> =>
  page.evaluate('window.posted') as Promise<readonly Record<string, unknown>[]>;

/** Waits until a page has told the expected: some of its events come a frame after the click that made them. */
export const comes = async <T>(told: () => Promise<T>, expected: T): Promise<void> => {
  // What was told instead is shown by the comparison.
  await until(async () => isDeepStrictEqual(await told(), expected), 'what the page is to tell', { patience: 5000, every: 20 }).catch(
    async () => assert.deepEqual(await told(), expected),
  );
};

/** Waits until an expression holds in the page. Asked from outside, as pages allow no `eval`, which Playwright's own wait needs. */
export const holds = async <A>(page: Page, expression: string | ((arg: A) => unknown), arg?: A): Promise<void> => {
  const inPage = async (): Promise<boolean> => Boolean(await page.evaluate(expression as (arg: unknown) => unknown, arg));
  await until(inPage, `a page in which this holds: ${expression}`, { patience: 10_000, every: 20 });
};

/** Waits until that is the last message of the page. */
export const lastPosted = (page: Page, message: Record<string, unknown>): Promise<void> =>
  comes(async () => (await posted(page)).at(-1), message);

export const post = (page: Page, message: unknown): Promise<void> => page.evaluate((value) => window.postMessage(value, '*'), message);

/** How many different colours a canvas holds; one means that nothing was drawn. */
export const colours = (page: Page, selector: string, nth = 0): Promise<number> =>
  page
    .locator(selector)
    .nth(nth)
    .evaluate((element) => {
      const canvas = element as HTMLCanvasElement;
      const data = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? new Uint8ClampedArray();
      return new Set(new Uint32Array(data.buffer)).size;
    });
