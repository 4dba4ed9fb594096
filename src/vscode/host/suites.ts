import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import type { SuitePlace } from '../../jobs/agents/define.ts';
import type { SuiteFile } from '../define.ts';
import { readSuite } from '../suite.ts';
import { foldersOnDisk } from './files.ts';

export interface Suites extends vscode.Disposable {
  readonly changed: vscode.Event<void>;
  all(): Promise<readonly SuiteFile[]>;
}

const skipped = '**/{node_modules,.git,.assay,.venv,venv,out,dist}/**';

/**
 * Files of the workspace that lie on a disk, by glob, in the order of their paths. Each folder is searched by itself: a virtual file
 * system need not have a search, and VS Code would wait for one.
 */
export const findFiles = async (glob: string): Promise<readonly string[]> => {
  const folders = foldersOnDisk().map(({ path }) => vscode.Uri.file(path));
  const found = await Promise.all(
    folders.map((folder) => vscode.workspace.findFiles(new vscode.RelativePattern(folder, glob), skipped, 500)),
  );
  return [...new Set(found.flat().map(({ fsPath }) => fsPath))].sort();
};

/** As the user knows a file: relative to its workspace folder, with the folder's name where there are several. */
export const labelOf = (path: string): string => vscode.workspace.asRelativePath(path);

/** What an agent calls the folder of an `assay.json`, before a name that another has too. */
export const suitePlace = ({ path, label }: SuiteFile): SuitePlace => {
  const folder = dirname(label);
  return { path, folder: folder === '.' ? basename(dirname(path)) : folder.replaceAll('\\', '/') };
};

/** Text as it stands in an open editor, else on the disk. */
const textOf = async (path: string): Promise<string> => {
  const open = vscode.workspace.textDocuments.find(({ uri }) => uri.scheme === 'file' && uri.fsPath === path);
  return open ? open.getText() : new TextDecoder().decode(await vscode.workspace.fs.readFile(vscode.Uri.file(path)));
};

/** Every `assay.json` of the workspace, read when asked for and kept until one of them changes. */
export const suiteFiles = (): Suites => {
  const changed = new vscode.EventEmitter<void>();
  const watcher = vscode.workspace.createFileSystemWatcher('**/assay.json');
  let known: Promise<readonly SuiteFile[]> | undefined;
  const forget = (): void => {
    known = undefined;
    changed.fire();
  };
  const read = async (): Promise<readonly SuiteFile[]> => {
    const paths = await findFiles('**/assay.json');
    return Promise.all(paths.map(async (path) => ({ path, label: labelOf(path), ...readSuite(await textOf(path)) })));
  };
  const listeners = [
    changed,
    watcher,
    watcher.onDidChange(forget),
    watcher.onDidCreate(forget),
    watcher.onDidDelete(forget),
    vscode.workspace.onDidChangeWorkspaceFolders(forget),
    vscode.workspace.onDidSaveTextDocument(({ fileName }) => {
      if (fileName.endsWith('assay.json')) forget();
    }),
  ];
  return {
    changed: changed.event,
    all: () => {
      if (known) return known;
      const found = read();
      known = found;
      // What could not be read once may be there the next time.
      found.catch(() => {
        if (known === found) known = undefined;
      });
      return found;
    },
    dispose: () => vscode.Disposable.from(...listeners).dispose(),
  };
};
