import { cp, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { openOnStart } from '../contributions.ts';

const isNothing = (name: string): boolean => name === '.DS_Store' || name === '.git' || name === '.assay' || name === '.vscode';
const empty = async (folder: string): Promise<boolean> => (await readdir(folder).catch(() => ['?'])).every(isNothing);

/** The folder of the workspace, where it holds nothing yet. */
export const emptyFolder = async (): Promise<string | undefined> => {
  const folders = vscode.workspace.workspaceFolders ?? [];
  const [only] = folders;
  if (folders.length !== 1 || only.uri.scheme !== 'file') return undefined;
  return (await empty(only.uri.fsPath)) ? only.uri.fsPath : undefined;
};

/** A name that is not taken: `assay-sample`, else with a number. */
const freshFolder = async (parent: string): Promise<string> => {
  for (let n = 1; ; n++) {
    const path = join(parent, n === 1 ? 'assay-sample' : `assay-sample-${n}`);
    if (!(await stat(path).catch(() => undefined))) return path;
  }
};

const taught = 'assay.assay#start';

export const openWalkthrough = async (): Promise<void> => {
  await vscode.commands.executeCommand('workbench.action.openWalkthrough', taught, false);
};

/**
 * Copies the sample into `into` if that is empty, else into a new folder in it, and opens it; the walkthrough goes on there.
 * Schemas are the extension's own: their addresses in the files are left out.
 */
export const layOutSample = async (sample: string, into: string): Promise<void> => {
  const open = await emptyFolder();
  const folder = (await empty(into)) ? into : await freshFolder(into);
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(sample)) if (name !== 'out') await cp(join(sample, name), join(folder, name), { recursive: true });
  const suite = vscode.Uri.file(join(folder, 'assay.json'));
  if (open === folder) {
    await vscode.window.showTextDocument(suite, { preview: false });
    return;
  }
  await mkdir(join(folder, '.assay'), { recursive: true });
  await writeFile(join(folder, openOnStart), JSON.stringify({ runs: [], walkthrough: true }));
  await vscode.commands.executeCommand('vscode.openFolder', vscode.Uri.file(folder));
};
