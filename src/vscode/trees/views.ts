import * as vscode from 'vscode';
import { filled, listed, views } from '../contributions.ts';
import type { Host } from '../define.ts';
import type { History } from '../history.ts';
import { afterActivation } from '../host/soon.ts';
import { t } from '../l10n.ts';
import { dataGlob, modelGlob } from '../listed.ts';
import { filterText } from '../order-runs.ts';
import { entriesTree } from './entries.ts';
import { runsDrop, runsTree } from './runs.ts';

export interface ViewsPorts {
  readonly host: Host;
  readonly history: Pick<History, 'runs'>;
  readonly changed: vscode.Event<void>;
  failed(error: unknown): void;
  /** Where a run stands that waits for others, from 1. */
  placeOf(run: string): number | undefined;
}
/** A view that has been filled once; what an empty one says would else stand there while it is looked for entries. */
const listing = <T>(view: string, tree: vscode.TreeDataProvider<T>): vscode.TreeDataProvider<T> => ({
  ...tree,
  async getChildren(item) {
    const children = await tree.getChildren(item);
    if (item === undefined) {
      void vscode.commands.executeCommand('setContext', filled(view), (children ?? []).length > 0);
      void vscode.commands.executeCommand('setContext', listed(view), true);
    }
    return children;
  },
});

/** Files come and go in bursts. */
const settled = 300;

/** The three views of the activity bar, kept up to date with runs and files. */
export const openViews = ({ host, history, changed, failed, placeOf }: ViewsPorts): vscode.Disposable => {
  const again = new vscode.EventEmitter<void>();
  let waiting: NodeJS.Timeout | undefined;
  const soon = (): void => {
    clearTimeout(waiting);
    waiting = setTimeout(() => again.fire(), settled);
  };
  const watchers = [modelGlob, dataGlob(host.catalogue)].map((glob) => vscode.workspace.createFileSystemWatcher(glob, false, true, false));
  const compare = (ids: readonly [string, string]): void =>
    void vscode.commands.executeCommand('assay.compareRuns', { runs: ids }).then(undefined, failed);
  const runs = vscode.window.createTreeView(views.runs, {
    treeDataProvider: listing(
      views.runs,
      runsTree(
        history,
        () => host.runsShown(),
        again.event,
        placeOf,
        (run) => host.trainingOf(run),
      ),
    ),
    canSelectMany: true,
    dragAndDropController: runsDrop(compare),
  });
  const tell = async (): Promise<void> => {
    const all = await history.runs();
    const running = all.filter(({ status }) => status === 'running').length;
    runs.badge =
      running > 0 ? { value: running, tooltip: running === 1 ? t('1 run is going on') : t('{0} runs are going on', running) } : undefined;
    const text = filterText(host.runsShown());
    runs.message = text ?? '';
    await vscode.commands.executeCommand('setContext', 'assay.runsFiltered', text !== undefined);
  };
  const refresh = (): void => {
    again.fire();
    tell().catch(failed);
  };
  const parts = [
    again,
    runs,
    ...(['models', 'datasets'] as const).map((kind) =>
      vscode.window.createTreeView(views[kind], {
        treeDataProvider: listing(views[kind], entriesTree(kind, host, history, again.event)),
        canSelectMany: true,
      }),
    ),
    ...watchers,
    ...watchers.flatMap((watcher) => [watcher.onDidCreate(soon), watcher.onDidDelete(soon)]),
    changed(refresh),
    vscode.workspace.onDidChangeWorkspaceFolders(soon),
  ];
  afterActivation(() => tell().catch(failed));
  return {
    dispose() {
      clearTimeout(waiting);
      vscode.Disposable.from(...parts).dispose();
    },
  };
};
