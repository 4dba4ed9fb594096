import { stat, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import * as vscode from 'vscode';

/** Folders of the workspace that lie on a disk. */
export const foldersOnDisk = (): readonly { readonly name: string; readonly path: string }[] =>
  (vscode.workspace.workspaceFolders ?? [])
    .filter(({ uri }) => uri.scheme === 'file')
    .map(({ name, uri }) => ({ name: name || basename(uri.fsPath), path: uri.fsPath }));

/** Undefined where there is no such file or folder. */
export const statOf = (path: string): Promise<{ readonly mtimeMs: number; readonly size: number } | undefined> =>
  stat(path).then(
    ({ mtimeMs, size }) => ({ mtimeMs, size }),
    () => undefined,
  );

/** Writes a file that is not there yet; false where it is. */
export const createFile = async (path: string, text: string): Promise<boolean> => {
  try {
    await writeFile(path, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
};

export const showFile = async (path: string): Promise<void> => {
  await vscode.window.showTextDocument(vscode.Uri.file(path), { preview: false });
};
