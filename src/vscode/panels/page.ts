import * as vscode from 'vscode';
import { withLive } from '../../report/live-series.ts';
import type { Live } from '../../report/tasks.ts';
import { elsewhereSentence } from '../host/files.ts';
import type { FromPage, ToPage } from '../protocol.ts';

export type Mode = 'report' | 'saliency' | 'model' | 'data' | 'diff';

const attribute = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

/** The page takes its texts in the language of the window with it; in English there is no bundle. */
const language = (): { readonly lang: string; readonly words: string } =>
  vscode.l10n.bundle === undefined
    ? { lang: 'en', words: '' }
    : { lang: vscode.env.language, words: ` data-words="${attribute(JSON.stringify(vscode.l10n.bundle))}"` };

/** `state` is what the page hands to VS Code to keep, and the serializer of the panel gets back after a reload. */
const html = (webview: vscode.Webview, dist: vscode.Uri, mode: Mode, state: string): string => {
  const uri = (file: string): string => webview.asWebviewUri(vscode.Uri.joinPath(dist, file)).toString();
  const policy = `default-src 'none'; script-src ${webview.cspSource}; style-src ${webview.cspSource}; img-src ${webview.cspSource} data: blob:; font-src ${webview.cspSource}`;
  const { lang, words } = language();
  return `<!doctype html>
<html lang="${attribute(lang)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${uri('webview.css')}">
</head>
<body data-mode="${mode}" data-state="${attribute(state)}"${words}>
<main id="assay"></main>
<script src="${uri('webview.js')}"></script>
</body>
</html>`;
};

export const tabIcon = (extension: vscode.Uri): { readonly light: vscode.Uri; readonly dark: vscode.Uri } => ({
  light: vscode.Uri.joinPath(extension, 'media/assay-light.svg'),
  dark: vscode.Uri.joinPath(extension, 'media/assay-dark.svg'),
});

/** What a page must be told again when it is loaded anew: the newest of each kind of message, and the whole live curve. */
export const remember = (told: readonly ToPage[], message: ToPage): readonly ToPage[] => {
  switch (message.type) {
    case 'reports':
    case 'saliency':
    case 'diff':
      return [message];
    case 'focus':
      return told;
    case 'problem':
    case 'progress':
      return [...told.filter(({ type }) => type !== 'problem' && type !== 'progress'), message];
    case 'overlay':
      return [...told.filter(({ type }) => type !== 'overlay'), message];
    case 'live': {
      const lives = told.flatMap((one): Live[] => (one.type === 'live' ? [one.live] : []));
      return [
        ...told.filter(({ type }) => type !== 'live'),
        ...withLive(lives, message.live).map((live): ToPage => ({ type: 'live', live })),
      ];
    }
    case 'data':
      return [...told, message];
    case 'model':
      return [...told.filter(({ type }) => type === 'weights' || type === 'profile'), message];
    case 'profile':
      return [...told.filter(({ type }) => type !== 'profile'), message];
    case 'weights':
      return [...told.filter((one) => one.type !== 'weights' || one.name !== message.name), message];
  }
};

/**
 * Fills a panel with the page and gives back the way to post to it, which says whether the page listened. Nothing is posted before the page says that it listens:
 * VS Code would lose it. `told` is what it is told then, and again whenever it was loaded anew.
 */
export const fillPanel = (
  panel: vscode.WebviewPanel,
  extension: vscode.Uri,
  mode: Mode,
  state: string,
  told: () => readonly ToPage[],
  heard: (message: FromPage) => void,
): ((message: ToPage) => boolean) => {
  const dist = vscode.Uri.joinPath(extension, 'dist');
  let listening = false;
  panel.onDidDispose(() => {
    listening = false;
  });
  panel.webview.onDidReceiveMessage((message: FromPage) => {
    if (message.type !== 'ready') return heard(message);
    listening = true;
    for (const one of told()) void panel.webview.postMessage(one);
  });
  panel.onDidChangeViewState(() => {
    // The page of a hidden panel is dropped, and says ready again when it is shown again.
    if (!panel.visible) listening = false;
  });
  panel.webview.options = { enableScripts: true, localResourceRoots: [dist] };
  panel.webview.html = html(panel.webview, dist, mode, state);
  return (message) => {
    if (listening) void panel.webview.postMessage(message);
    return listening;
  };
};

/** Resolves a custom editor with a file on a disk; of any other the page says why it shows nothing. */
export const onDiskOnly =
  (extension: vscode.Uri, fill: (path: string, panel: vscode.WebviewPanel) => void | Promise<void>) =>
  ({ uri }: vscode.CustomDocument, panel: vscode.WebviewPanel): void | Promise<void> => {
    if (uri.scheme === 'file') return fill(uri.fsPath, panel);
    const sentence = elsewhereSentence(uri.toString(true));
    fillPanel(
      panel,
      extension,
      'report',
      '',
      () => [{ type: 'problem', sentence, final: true }],
      () => {},
    );
  };
