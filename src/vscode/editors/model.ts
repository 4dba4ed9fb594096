import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { ModelLayers, WeightFacts } from '../../report/tasks.ts';
import { editors } from '../contributions.ts';
import { fillPanel, remember } from '../panels/page.ts';
import type { ToPage } from '../protocol.ts';

export interface ModelEditorPorts {
  readonly extension: vscode.Uri;
  layers(path: string, run: boolean, signal: AbortSignal): Promise<ModelLayers>;
  weights(path: string, name: string, signal: AbortSignal): Promise<WeightFacts>;
  diagnose(path: string): void;
  gradient(path: string): void;
  save(name: string, bytes: Uint8Array): void;
}

const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The read-only editor of `*.onnx`: headers at once, shapes by a run where the workspace is trusted, weights when asked for. */
export const modelEditors = (ports: ModelEditorPorts): vscode.Disposable => {
  const fill = (path: string, panel: vscode.WebviewPanel): void => {
    const name = basename(path);
    let told: readonly ToPage[] = [];
    let current = new AbortController();
    const tell = (message: ToPage): void => {
      told = remember(told, message);
      post(message);
    };
    const read = async (): Promise<void> => {
      current.abort();
      const mine = new AbortController();
      current = mine;
      told = [];
      const trusted = vscode.workspace.isTrusted;
      try {
        const facts = await ports.layers(path, false, mine.signal);
        tell({ type: 'model', name, facts, measuring: trusted, trusted });
        if (!trusted) return;
        const measured = await ports.layers(path, true, mine.signal).catch((error: unknown) => {
          const notes = [...facts.notes, `Shapes could not be measured: ${sentenceOf(error)}`];
          return { ...facts, notes };
        });
        if (!mine.signal.aborted) tell({ type: 'model', name, facts: measured, measuring: false, trusted });
      } catch (error) {
        if (!mine.signal.aborted) tell({ type: 'problem', sentence: sentenceOf(error) });
      }
    };
    const weights = async (wanted: string): Promise<void> => {
      const { signal } = current;
      try {
        tell({ type: 'weights', name: wanted, facts: await ports.weights(path, wanted, signal) });
      } catch (error) {
        if (!signal.aborted) tell({ type: 'weights', name: wanted, problem: sentenceOf(error) });
      }
    };
    const post = fillPanel(
      panel,
      ports.extension,
      'model',
      '',
      () => told,
      (message) => {
        switch (message.type) {
          case 'weights':
            return void weights(message.name);
          case 'diagnose':
            return ports.diagnose(path);
          case 'gradient':
            return ports.gradient(path);
          case 'rerun':
            return void read();
          case 'export':
            return ports.save(message.name, Buffer.from(message.base64, 'base64'));
          case 'ready':
          case 'cancel':
          case 'sample':
          case 'attribute':
          case 'second':
            return;
        }
      },
    );
    const watcher = vscode.workspace.createFileSystemWatcher(
      new vscode.RelativePattern(vscode.Uri.joinPath(vscode.Uri.file(path), '..'), name),
    );
    watcher.onDidChange(() => void read());
    panel.onDidDispose(() => {
      current.abort();
      watcher.dispose();
    });
    void read();
  };
  return vscode.window.registerCustomEditorProvider(editors.model, {
    openCustomDocument: (uri) => ({ uri, dispose: () => {} }),
    resolveCustomEditor: ({ uri }, panel) => fill(uri.fsPath, panel),
  });
};
