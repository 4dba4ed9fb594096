// An extension of the tests: calls language-model tools as an agent would, and shows folders of the disk as if they were elsewhere.
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { type Answer, type Ask, answerFile, askFile, scheme } from './protocol.ts';

const answerTo = async ({ tool, input }: Ask): Promise<Answer> => {
  try {
    const { content } = await vscode.lm.invokeTool(tool, { input, toolInvocationToken: undefined });
    return { text: content.map((part) => (part instanceof vscode.LanguageModelTextPart ? part.value : '')).join('\n') };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
};

const never = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
const refuse = (): never => {
  throw vscode.FileSystemError.NoPermissions();
};
const statOf = async (path: string): Promise<vscode.FileStat> => {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw vscode.FileSystemError.FileNotFound(path);
  const type = found.isDirectory() ? vscode.FileType.Directory : vscode.FileType.File;
  return { type, size: found.size, ctime: 0, mtime: found.mtimeMs };
};
const elsewhere: vscode.FileSystemProvider = {
  onDidChangeFile: never.event,
  watch: () => new vscode.Disposable(() => {}),
  stat: ({ path }) => statOf(path),
  async readDirectory({ path }) {
    const names = await readdir(path);
    return Promise.all(names.map(async (name): Promise<[string, vscode.FileType]> => [name, (await statOf(join(path, name))).type]));
  },
  readFile: ({ path }) => readFile(path),
  createDirectory: refuse,
  writeFile: refuse,
  delete: refuse,
  rename: refuse,
};

export const activate = (context: vscode.ExtensionContext): void => {
  context.subscriptions.push(
    vscode.workspace.registerFileSystemProvider(scheme, elsewhere, { isReadonly: true, isCaseSensitive: true }),
    vscode.commands.registerCommand('probe.invoke', async () => {
      const folder = vscode.workspace.workspaceFolders?.[0].uri.fsPath ?? '';
      const ask = JSON.parse(await readFile(join(folder, askFile), 'utf8')) as Ask;
      await writeFile(join(folder, answerFile), JSON.stringify(await answerTo(ask)));
    }),
    // As the menu of an extension would, which does not look at the scheme.
    vscode.commands.registerCommand('probe.diagnose', () =>
      vscode.commands.executeCommand('assay.reliability', vscode.window.activeTextEditor?.document.uri),
    ),
  );
};
