import * as vscode from 'vscode';
import { editors } from '../contributions.ts';
import type { Host } from '../define.ts';
import { createFile, foldersOnDisk, showFile, statOf } from './files.ts';
import { confirm, openFile, pick, saveFile, text } from './prompts.ts';
import { findFiles, labelOf } from './suites.ts';

/** What commands ask of the editor and its files alone, without jobs and runs. */
export const workbench: Pick<
  Host,
  | 'find'
  | 'edited'
  | 'exists'
  | 'label'
  | 'pick'
  | 'text'
  | 'open'
  | 'save'
  | 'confirm'
  | 'folders'
  | 'create'
  | 'show'
  | 'say'
  | 'execute'
  | 'showModel'
> = {
  find: findFiles,
  async edited() {
    const document = vscode.window.activeTextEditor?.document;
    if (document?.uri.scheme !== 'file') return undefined;
    if (document.isDirty) await document.save();
    return document.uri.fsPath;
  },
  exists: async (path) => (await statOf(path)) !== undefined,
  label: labelOf,
  pick,
  text,
  open: openFile,
  save: saveFile,
  confirm,
  folders: foldersOnDisk,
  create: createFile,
  show: showFile,
  say: async (sentence, ...actions) => vscode.window.showInformationMessage(sentence, ...actions),
  execute: async (id, target) => void (await vscode.commands.executeCommand(id, target)),
  async showModel(path) {
    await vscode.commands.executeCommand('vscode.openWith', vscode.Uri.file(path), editors.model);
  },
};
