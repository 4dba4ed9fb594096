import { stat, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { t } from '../l10n.ts';

/** What is said of a file of a virtual file system: jobs read and write files of this machine only. */
export const elsewhereSentence = (address: string): string => t("'{0}' is not a file on a disk; save a copy on one first.", address);

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

export const reveal = async (path: string): Promise<void> => {
  const uri = vscode.Uri.file(path);
  const inside = vscode.workspace.getWorkspaceFolder(uri) !== undefined;
  // A browser has no file manager of the system.
  const own = inside || vscode.env.uiKind === vscode.UIKind.Web;
  await vscode.commands.executeCommand(own ? 'revealInExplorer' : 'revealFileInOS', uri);
};

export const writeText = async (path: string, text: string): Promise<void> => {
  await writeFile(path, text);
  await showFile(path);
};

/** The change can be undone in its editor. */
export const rewrite = async (path: string, change: (text: string) => string): Promise<void> => {
  const document = await vscode.workspace.openTextDocument(vscode.Uri.file(path));
  const edit = new vscode.WorkspaceEdit();
  const whole = new vscode.Range(document.positionAt(0), document.positionAt(document.getText().length));
  edit.replace(document.uri, whole, change(document.getText()));
  await vscode.workspace.applyEdit(edit);
  await document.save();
  await showFile(path);
};
