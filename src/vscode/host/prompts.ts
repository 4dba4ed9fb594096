import * as vscode from 'vscode';
import type { Aside, Choice, FileKinds } from '../define.ts';
import { t } from '../l10n.ts';
import { elsewhereSentence } from './files.ts';

type Item<T> = vscode.QuickPickItem & { readonly value?: T };

const itemsOf = <T>(choices: readonly Choice<T>[]): Item<T>[] => {
  const groups = [...new Set(choices.map(({ group }) => group))];
  const headed = groups.length > 1;
  return groups.flatMap((group) => {
    const items = choices
      .filter((choice) => choice.group === group)
      .map(
        ({ label, description, detail, icon, value }): Item<T> => ({
          label,
          value,
          ...(description === undefined ? {} : { description }),
          ...(detail === undefined ? {} : { detail }),
          ...(icon === undefined ? {} : { iconPath: new vscode.ThemeIcon(icon) }),
        }),
      );
    return headed && group !== undefined ? [{ label: group, kind: vscode.QuickPickItemKind.Separator }, ...items] : items;
  });
};

export const pick = <T>(
  title: string,
  placeholder: string,
  choices: readonly Choice<T>[],
  asides: readonly Aside<T>[] = [],
): Promise<T | undefined> =>
  new Promise((done) => {
    const box = vscode.window.createQuickPick<Item<T>>();
    box.title = title;
    box.placeholder = placeholder;
    box.matchOnDescription = true;
    // A page that takes the focus meanwhile, as the walkthrough does, takes no answer away; Escape does.
    box.ignoreFocusOut = true;
    box.items = itemsOf(choices);
    const buttons = asides.map(({ icon, tooltip }): vscode.QuickInputButton => ({ iconPath: new vscode.ThemeIcon(icon), tooltip }));
    box.buttons = buttons;
    box.onDidTriggerButton((button) => {
      done(asides[buttons.indexOf(button)].value);
      box.hide();
    });
    box.onDidAccept(() => {
      done(box.selectedItems[0]?.value);
      box.hide();
    });
    box.onDidHide(() => {
      done(undefined);
      box.dispose();
    });
    box.show();
  });

export const text = async (
  title: string,
  prompt: string,
  value: string,
  check: (value: string) => string | undefined,
): Promise<string | undefined> =>
  vscode.window.showInputBox({ title, prompt, value, ignoreFocusOut: true, validateInput: (typed) => check(typed) ?? null });

const filters = (kinds: FileKinds): Record<string, string[]> =>
  Object.fromEntries(Object.entries(kinds).map(([title, endings]) => [title, [...endings]]));

const onDisk = (uri: vscode.Uri | undefined): string | undefined => {
  if (uri === undefined) return undefined;
  if (uri.scheme === 'file') return uri.fsPath;
  void vscode.window.showErrorMessage(elsewhereSentence(uri.toString(true)));
  return undefined;
};

export const openFile = async (title: string, kinds: FileKinds | 'folder'): Promise<string | undefined> => {
  const what = kinds === 'folder' ? { canSelectFiles: false, canSelectFolders: true } : { filters: filters(kinds) };
  const found = await vscode.window.showOpenDialog({ title, ...what, canSelectMany: false, openLabel: t('Choose') });
  return onDisk(found?.[0]);
};

export const saveFile = async (title: string, path: string, kinds: FileKinds): Promise<string | undefined> =>
  onDisk(await vscode.window.showSaveDialog({ title, defaultUri: vscode.Uri.file(path), filters: filters(kinds) }));

export const confirm = async (sentence: string, action: string): Promise<boolean> =>
  (await vscode.window.showWarningMessage(sentence, { modal: true }, action)) === action;
