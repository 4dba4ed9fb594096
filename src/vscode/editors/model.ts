import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { Watch } from '../../jobs/supervisor.ts';
import type { ModelProfile, ProfileRequest } from '../../report/model-study.ts';
import type { ModelLayers, WeightFacts } from '../../report/tasks.ts';
import { editors } from '../contributions.ts';
import { t } from '../l10n.ts';
import { fillPanel, onDiskOnly, remember } from '../panels/page.ts';
import { problemOf } from '../problem.ts';
import type { ToPage } from '../protocol.ts';

export interface ModelEditorPorts {
  readonly extension: vscode.Uri;
  layers(path: string, run: boolean, signal: AbortSignal): Promise<ModelLayers>;
  weights(path: string, name: string, signal: AbortSignal): Promise<WeightFacts>;
  profile(ask: ProfileRequest, watch: Watch): Promise<ModelProfile>;
  /** Runs a command on the file. */
  ask(command: `assay.${string}`, path: string): void;
  save(name: string, bytes: Uint8Array): void;
}

export interface ModelEditors extends vscode.Disposable {
  /** Profiles the layers of a model in every editor that shows it. */
  profile(ask: ProfileRequest): void;
}

const commands = {
  diagnose: 'assay.runDiagnostic',
  gradient: 'assay.gradientGraph',
  profile: 'assay.profileModel',
  difference: 'assay.compareModelFiles',
} as const;

const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The read-only editor of `*.onnx`: headers at once, shapes by a run where the workspace is trusted, weights when asked for. */
export const modelEditors = (ports: ModelEditorPorts): ModelEditors => {
  const open = new Map<string, Set<(ask: ProfileRequest) => void>>();
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
          const notes = [...facts.notes, t('Shapes could not be measured: {0}', sentenceOf(error))];
          return { ...facts, notes };
        });
        if (!mine.signal.aborted) tell({ type: 'model', name, facts: measured, measuring: false, trusted });
      } catch (error) {
        if (!mine.signal.aborted) tell({ type: 'problem', sentence: sentenceOf(error) });
      }
    };
    let profiling = new AbortController();
    const profile = async (ask: ProfileRequest): Promise<void> => {
      profiling.abort();
      profiling = new AbortController();
      const { signal } = profiling;
      tell({ type: 'profile', fraction: 0, text: t('Starting') });
      try {
        const facts = await ports.profile(ask, { signal, onProgress: (fraction, text) => tell({ type: 'profile', fraction, text }) });
        if (!signal.aborted) tell({ type: 'profile', facts });
      } catch (error) {
        if (signal === profiling.signal) tell({ type: 'profile', problem: problemOf(error)?.sentence ?? t('Stopped on request.') });
      }
    };
    const start = (ask: ProfileRequest): void => void profile(ask);
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
          case 'gradient':
          case 'profile':
          case 'difference':
            return ports.ask(commands[message.type], path);
          case 'rerun':
            return void read();
          case 'export':
            return ports.save(message.name, Buffer.from(message.base64, 'base64'));
          case 'cancel':
            return profiling.abort();
          default:
            return;
        }
      },
    );
    const watcher = vscode.workspace.createFileSystemWatcher(
      new vscode.RelativePattern(vscode.Uri.joinPath(vscode.Uri.file(path), '..'), name),
    );
    watcher.onDidChange(() => void read());
    const here = open.get(path) ?? new Set();
    open.set(path, here.add(start));
    panel.onDidDispose(() => {
      here.delete(start);
      profiling.abort();
      current.abort();
      watcher.dispose();
    });
    void read();
  };
  const provider = vscode.window.registerCustomEditorProvider(editors.model, {
    openCustomDocument: (uri) => ({ uri, dispose: () => {} }),
    resolveCustomEditor: onDiskOnly(ports.extension, fill),
  });
  return {
    profile(ask) {
      for (const start of open.get(ask.model.path) ?? []) start(ask);
    },
    dispose: () => provider.dispose(),
  };
};
