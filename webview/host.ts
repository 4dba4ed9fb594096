import { toHtml } from '../src/report/html.ts';
import { cardAlone, type Place, slugOf } from '../src/report/place.ts';
import type { Report } from '../src/report/report.ts';
import type { FromPage, ToPage } from '../src/vscode/protocol.ts';
import { t, type Words } from './l10n.ts';

interface VsCodeApi {
  postMessage(message: FromPage): void;
  setState(state: unknown): void;
  getState(): unknown;
}
declare const acquireVsCodeApi: (() => VsCodeApi) | undefined;

/** Who shows the page: VS Code, or a browser that opened the file. */
export interface Host {
  readonly standalone: boolean;
  post(message: FromPage): void;
  /** Asks for what is to be shown. */
  listen(show: (message: ToPage) => void): void;
  /** What VS Code gives back to the extension when it opens the panel again after a reload. */
  keep(state: string | undefined): void;
  /** What this panel last gave to keep, also before it was hidden and drawn anew. */
  kept(): string | undefined;
  /** Saves a file under a name the user can change. */
  save(name: string, bytes: Uint8Array, type: string): void;
  /** Saves a report as a web page, whole or one card of it. */
  savePage(report: Report, place: Place): void;
}

const toBase64 = (bytes: Uint8Array): string => {
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
};

const inVsCode = (api: VsCodeApi): Host => ({
  standalone: false,
  post: (message) => api.postMessage(message),
  keep: (state) => api.setState(state),
  kept() {
    const state = api.getState();
    return typeof state === 'string' ? state : undefined;
  },
  listen(show) {
    window.addEventListener('message', (event: MessageEvent<ToPage>) => show(event.data));
    api.postMessage({ type: 'ready' });
  },
  save: (name, bytes) => api.postMessage({ type: 'export', name, base64: toBase64(bytes) }),
  savePage: (_, place) => api.postMessage({ type: 'page', ...place }),
});

/** The script and style written into the page that is open. */
const ownAssets = (): Parameters<typeof toHtml>[1] => ({
  script: [...document.scripts].at(-1)?.textContent ?? '',
  style: document.querySelector('style')?.textContent ?? '',
});

const download = (name: string, bytes: Uint8Array, type: string): void => {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([bytes.slice()], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
};

const inBrowser = (reports: (text: string) => ToPage): Host => ({
  standalone: true,
  post() {},
  keep() {},
  kept: () => undefined,
  listen(show) {
    show(reports(document.getElementById('assay-report')?.textContent ?? '{}'));
  },
  save: download,
  savePage(report, { card }) {
    const shown = card === undefined ? report : cardAlone(report, card);
    download(`${slugOf(shown.title)}.html`, new TextEncoder().encode(toHtml([shown], ownAssets())), 'text/html');
  },
});

/** `reports` reads the data block of a report that was saved as HTML. */
export const connect = (reports: (text: string) => ToPage): Host =>
  typeof acquireVsCodeApi === 'function' ? inVsCode(acquireVsCodeApi()) : inBrowser(reports);

/** Text to the clipboard, also where the page is not trusted with the clipboard interface. */
export const copy = async (text: string): Promise<Words> => {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'visually-hidden';
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  return t('Copied');
};
