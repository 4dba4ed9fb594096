import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { Watch } from '../../jobs/supervisor.ts';
import type { ModelDiff } from '../../report/model-study.ts';
import { panels } from '../contributions.ts';
import { t } from '../l10n.ts';
import { problemOf } from '../problem.ts';
import type { ToPage } from '../protocol.ts';
import { fillPanel, remember, tabIcon } from './page.ts';

export interface DiffPanelPorts {
  readonly extension: vscode.Uri;
  diff(models: readonly [string, string], watch: Watch): Promise<ModelDiff>;
  /** Opens the model editor. */
  open(path: string): void;
  save(name: string, bytes: Uint8Array): void;
}
export interface DiffPanels extends vscode.Disposable {
  open(first: string, other: string): void;
}

const pairOf = (state: unknown): readonly [string, string] | undefined => {
  try {
    const pair: unknown = typeof state === 'string' ? JSON.parse(state) : undefined;
    return Array.isArray(pair) && pair.length === 2 && pair.every((path) => typeof path === 'string') ? [pair[0], pair[1]] : undefined;
  } catch {
    return undefined;
  }
};

/** Two model files side by side: one panel for each pair. Both are read again when one of them changes. */
export const diffPanels = (ports: DiffPanelPorts): DiffPanels => {
  const open = new Map<string, vscode.WebviewPanel>();

  const fill = (pair: readonly [string, string], panel: vscode.WebviewPanel): void => {
    const key = JSON.stringify(pair);
    const title = `${basename(pair[0])} ↔ ${basename(pair[1])}`;
    let told: readonly ToPage[] = [];
    let current = new AbortController();
    const tell = (message: ToPage): void => {
      told = remember(told, message);
      post(message);
    };
    const read = async (): Promise<void> => {
      current.abort();
      current = new AbortController();
      const { signal } = current;
      tell({ type: 'progress', title, fraction: 0, text: t('Starting') });
      try {
        const facts = await ports.diff(pair, {
          signal,
          onProgress: (fraction, text) => tell({ type: 'progress', title, fraction, text }),
        });
        if (!signal.aborted) tell({ type: 'diff', title, facts });
      } catch (error) {
        if (signal !== current.signal) return;
        tell({ type: 'problem', sentence: problemOf(error)?.sentence ?? t('Stopped on request.') });
      }
    };
    const post = fillPanel(
      panel,
      ports.extension,
      'diff',
      key,
      () => told,
      (message) => {
        switch (message.type) {
          case 'rerun':
            return void read();
          case 'cancel':
            return current.abort();
          case 'side':
            return ports.open(pair[message.side]);
          case 'export':
            return ports.save(message.name, Buffer.from(message.base64, 'base64'));
          default:
            return;
        }
      },
    );
    const watchers = pair.map((path) => {
      const file = vscode.Uri.file(path);
      return vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(vscode.Uri.joinPath(file, '..'), basename(path)));
    });
    const listeners = watchers.map((watcher) => watcher.onDidChange(() => void read()));
    panel.iconPath = tabIcon(ports.extension);
    panel.onDidDispose(() => {
      current.abort();
      open.delete(key);
      vscode.Disposable.from(...watchers, ...listeners).dispose();
    });
    open.set(key, panel);
    void read();
  };

  const serializer = vscode.window.registerWebviewPanelSerializer(panels.diff, {
    async deserializeWebviewPanel(panel, kept: unknown) {
      const pair = pairOf(kept);
      if (pair) fill(pair, panel);
      else panel.dispose();
    },
  });
  return {
    open(first, other) {
      const known = open.get(JSON.stringify([first, other]));
      if (known) return known.reveal();
      const title = `${basename(first)} ↔ ${basename(other)}`;
      fill([first, other], vscode.window.createWebviewPanel(panels.diff, title, vscode.ViewColumn.Active, {}));
    },
    dispose: () => serializer.dispose(),
  };
};
