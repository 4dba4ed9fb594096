import * as vscode from 'vscode';
import type { Catalogue } from '../base/catalogue.ts';
import catalogue from '../generated/catalogue.json' with { type: 'json' };
import { suiteLanguage } from './authoring/language.ts';
import { commands } from './commands/index.ts';
import { views } from './contributions.ts';
import type { Target } from './define.ts';
import { trusted } from './host/trust.ts';
import { openWindow } from './host.ts';
import { codeLenses } from './lenses/code.ts';
import { suiteLenses } from './lenses/suite.ts';
import { targetOfLink } from './link.ts';
import { checkTests } from './testing/controller.ts';
import { entriesTree } from './trees/entries.ts';
import { runsTree } from './trees/runs.ts';

const isRecord = (value: unknown): value is { readonly id: string; readonly startedAt: string } =>
  typeof value === 'object' && value !== null && 'id' in value && 'startedAt' in value;

/** What a command was invoked on: a file of the explorer, one or several runs of their view, or a target as lenses and links give it. */
const targetOf = (first: unknown, selected: unknown): Target => {
  if (first instanceof vscode.Uri) return first.scheme === 'file' ? { file: first.fsPath } : {};
  if (isRecord(first)) return { runs: Array.isArray(selected) ? selected.filter(isRecord).map(({ id }) => id) : [first.id] };
  return typeof first === 'object' && first !== null ? first : {};
};

export const activate = (context: vscode.ExtensionContext): void => {
  const window = openWindow(context, catalogue as Catalogue);
  const { host, history, outlines, checks, changed, failed } = window;
  context.subscriptions.push(
    window,
    ...commands(host.catalogue).map(({ id, needsTrust, run }) =>
      vscode.commands.registerCommand(id, async (first: unknown, selected: unknown) => {
        if (!needsTrust || trusted()) await run(host, targetOf(first, selected)).catch(failed);
      }),
    ),
    vscode.window.createTreeView(views.runs, { treeDataProvider: runsTree(history, changed, window.placeOf), canSelectMany: true }),
    vscode.window.createTreeView(views.models, { treeDataProvider: entriesTree('models', host, changed) }),
    vscode.window.createTreeView(views.datasets, { treeDataProvider: entriesTree('datasets', host, changed) }),
    vscode.window.registerUriHandler({
      handleUri(link) {
        const target = targetOfLink(link);
        if (target) void vscode.commands.executeCommand(target.focus === undefined ? 'assay.openRun' : 'assay.openCard', target);
      },
    }),
    vscode.languages.registerCodeLensProvider({ scheme: 'file', pattern: '**/assay.json' }, suiteLenses(history, changed)),
    codeLenses({ host, history, outlines, changed }),
    suiteLanguage({ ...host, history, outlines, changed, failed }),
    checkTests({ runner: checks, history, changed, memory: context.globalState, host, trusted, failed }),
  );
  window.openRunsLeftByStart().catch(failed);
};
