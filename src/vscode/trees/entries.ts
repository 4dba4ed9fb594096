import * as vscode from 'vscode';
import type { Host, Target } from '../define.ts';
import { located } from '../located.ts';

/** A model or dataset of an `assay.json`; what commands are invoked on. */
export interface Item extends Target {
  readonly name: string;
  readonly path: string;
  readonly label: string;
  readonly line: number;
  readonly there: boolean;
}

const kinds = {
  models: { icon: 'circuit-board', context: 'model', target: (name: string): Target => ({ model: name }) },
  datasets: { icon: 'database', context: 'dataset', target: (name: string): Target => ({ data: name }) },
} as const;

/** Models or datasets that the `assay.json` files of the workspace name; a click shows the entry. */
export const entriesTree = (
  kind: keyof typeof kinds,
  { suites, exists }: Pick<Host, 'suites' | 'exists'>,
  changed: vscode.Event<void>,
): vscode.TreeDataProvider<Item> => ({
  onDidChangeTreeData: changed,
  async getChildren(item) {
    if (item) return [];
    const found = (await suites()).flatMap((suite) =>
      suite[kind].map(async ({ name, value, line }) => {
        const { path } = located(suite.path, value);
        const there = await exists(path);
        return { ...kinds[kind].target(name), suite: suite.path, name, path, label: `${value.path} · ${suite.label}`, line, there };
      }),
    );
    return Promise.all(found);
  },
  getTreeItem({ name, path, label, suite, line, there }) {
    const item = new vscode.TreeItem(name);
    item.id = `${suite}#${name}`;
    item.description = there ? label : `${label} · not found`;
    item.accessibilityInformation = { label: `${name}, ${item.description}` };
    item.tooltip = there ? path : `${path} does not exist.`;
    item.iconPath = there
      ? new vscode.ThemeIcon(kinds[kind].icon)
      : new vscode.ThemeIcon('warning', new vscode.ThemeColor('list.warningForeground'));
    item.contextValue = kinds[kind].context;
    const selection = new vscode.Range(line, 0, line, 0);
    if (suite !== undefined)
      item.command = { command: 'vscode.open', title: 'Show Entry', arguments: [vscode.Uri.file(suite), { selection }] };
    return item;
  },
});
