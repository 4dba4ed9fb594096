import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { Fault } from '../../base/fault.ts';
import type { DataRef, ModelRef } from '../../base/request.ts';
import type { Watch } from '../../jobs/supervisor.ts';
import type { Tasks } from '../../report/tasks.ts';
import { editors, panels } from '../contributions.ts';
import { fillPanel, onDiskOnly, tabIcon } from '../panels/page.ts';
import { type DataSession, dataSession } from './data-session.ts';

type DataTask = 'data' | 'dataSelection' | 'dataSlice' | 'dataRow';
type HeavyTask = 'dataArrays' | 'predict' | 'attributionMaps';

export interface DataEditorPorts {
  readonly extension: vscode.Uri;
  /** Where files of predictions are kept from one look to the next. */
  readonly storage: string;
  /** Tasks of one reader of data, which never wait for a model; it is let go when no data are shown. */
  read<T extends DataTask>(task: T, ask: Tasks[T]['ask'], watch: Watch): Promise<Tasks[T]['give']>;
  release(): void;
  /** Tasks that wait their turn among runs. */
  submit<T extends HeavyTask>(task: T, ask: Omit<Tasks[T]['ask'], 'device' | 'seed'>, watch: Watch): Promise<Tasks[T]['give']>;
  chooseModel(data: DataRef): Promise<ModelRef | undefined>;
  saliency(model: ModelRef, data: DataRef, row: number): void;
  failed(error: unknown): void;
}

export interface DataEditors extends vscode.Disposable {
  /** In the editor of files where nothing but the file is asked for, else in a tab of its own. */
  open(data: DataRef): Promise<void>;
}

/** So many files of predictions are kept. */
const mostKept = 16;

const stampOf = async (path: string): Promise<string> => {
  const found = await stat(path).catch(() => undefined);
  return found ? `${found.size} ${found.mtimeMs}` : '';
};

/** A name that changes with the model, the data and how they are read. */
const predictionsFile = async (folder: string, data: DataRef, model: ModelRef | undefined): Promise<string> => {
  const stamps = await Promise.all([data.path, model?.path].map((path) => (path === undefined ? '' : stampOf(path))));
  const key = createHash('sha256')
    .update(JSON.stringify([data, model, stamps]))
    .digest('hex');
  return join(folder, `${key.slice(0, 32)}.npz`);
};

const prune = async (folder: string): Promise<void> => {
  const names = await readdir(folder).catch(() => []);
  const dated = await Promise.all(names.map(async (name) => ({ path: join(folder, name), at: (await stat(join(folder, name))).mtimeMs })));
  for (const { path } of dated.sort((a, b) => b.at - a.at).slice(mostKept)) await rm(path, { force: true });
};

const isRef = (state: unknown): state is { readonly data: DataRef } =>
  typeof state === 'object' && state !== null && 'data' in state && typeof state.data === 'object';

const parse = (state: unknown): unknown => {
  try {
    return typeof state === 'string' ? JSON.parse(state) : undefined;
  } catch {
    return undefined;
  }
};

/** The read-only editor of datasets: files by "Open With", datasets of an `assay.json` and folders of images in tabs of their own. */
export const dataEditors = (ports: DataEditorPorts): DataEditors => {
  const open = new Map<string, vscode.WebviewPanel>();
  let shown = 0;

  const fill = (data: DataRef, panel: vscode.WebviewPanel): void => {
    shown++;
    const session: DataSession = dataSession(data, {
      read: ports.read,
      submit: ports.submit,
      stamp: () => stampOf(data.path),
      trusted: () => vscode.workspace.isTrusted,
      async predictions(of, model) {
        await mkdir(ports.storage, { recursive: true });
        await prune(ports.storage);
        return predictionsFile(ports.storage, of, model);
      },
      there: (path) =>
        stat(path).then(
          () => true,
          () => false,
        ),
      chooseModel: ports.chooseModel,
      saliency: ports.saliency,
      failed: ports.failed,
      tell: (tell) => post({ type: 'data', tell }),
      problem: (sentence) => post({ type: 'problem', sentence }),
    });
    const post = fillPanel(
      panel,
      ports.extension,
      'data',
      JSON.stringify({ data }),
      () => [],
      (message) => {
        if (message.type === 'data') session.ask(message.ask);
        else if (message.type === 'rerun') session.reopen();
      },
    );
    const watcher = vscode.workspace.createFileSystemWatcher(
      new vscode.RelativePattern(vscode.Uri.file(dirname(data.path)), basename(data.path)),
    );
    watcher.onDidChange(() => session.reopen());
    const trust = vscode.workspace.onDidGrantWorkspaceTrust(() => session.reopen());
    panel.onDidDispose(() => {
      session.close();
      watcher.dispose();
      trust.dispose();
      if (--shown === 0) ports.release();
    });
  };

  const fillTab = (data: DataRef, panel: vscode.WebviewPanel): void => {
    const key = JSON.stringify(data);
    panel.iconPath = tabIcon(ports.extension);
    open.set(key, panel);
    panel.onDidDispose(() => {
      if (open.get(key) === panel) open.delete(key);
    });
    fill(data, panel);
  };

  const provider = vscode.window.registerCustomEditorProvider(editors.data, {
    openCustomDocument: (uri) => ({ uri, dispose: () => {} }),
    resolveCustomEditor: onDiskOnly(ports.extension, (path, panel) => fill({ path }, panel)),
  });
  const serializer = vscode.window.registerWebviewPanelSerializer(panels.data, {
    async deserializeWebviewPanel(panel, kept: unknown) {
      const state = parse(kept);
      if (isRef(state)) fillTab(state.data, panel);
      else panel.dispose();
    },
  });

  return {
    async open(data) {
      const found = await stat(data.path).catch(() => undefined);
      if (!found) throw new Fault('file/missing', { path: data.path });
      if (found.isFile() && Object.keys(data).length === 1) {
        await vscode.commands.executeCommand('vscode.openWith', vscode.Uri.file(data.path), editors.data);
        return;
      }
      const known = open.get(JSON.stringify(data));
      if (known) known.reveal(undefined, false);
      else fillTab(data, vscode.window.createWebviewPanel(panels.data, basename(data.path), vscode.ViewColumn.Active, {}));
    },
    dispose: () => vscode.Disposable.from(provider, serializer).dispose(),
  };
};
