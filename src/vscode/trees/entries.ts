import { stat } from 'node:fs/promises';
import * as vscode from 'vscode';
import type { Host } from '../define.ts';
import type { History } from '../history.ts';
import { t } from '../l10n.ts';
import { type Group, type Listed, listed } from '../listed.ts';
import { listedTooltip } from '../tooltips.ts';

interface More {
  readonly kind: 'more';
  readonly count: number;
}
type Item = Group | Listed | More;

const kinds = {
  models: { icon: 'circuit-board', context: 'model', open: 'assay.openModel' },
  datasets: { icon: 'database', context: 'dataset', open: 'assay.openData' },
} as const;

const childrenOf = ({ items, more }: Group): readonly Item[] => (more > 0 ? [...items, { kind: 'more', count: more }] : items);

/** Models or datasets that an `assay.json` of the workspace names, and those that none does. */
export const entriesTree = (
  kind: keyof typeof kinds,
  host: Pick<Host, 'suites' | 'exists' | 'find' | 'label' | 'catalogue'>,
  history: Pick<History, 'runs'>,
  changed: vscode.Event<void>,
): vscode.TreeDataProvider<Item> => {
  const { icon, context, open } = kinds[kind];
  const itemOf = (one: Listed): vscode.TreeItem => {
    const { name, label, suite, path, line, there } = one;
    const item = new vscode.TreeItem(name);
    item.id = `${suite ?? ''}#${suite === undefined ? path : name}`;
    item.description = there ? label : `${label} · ${t('not found')}`;
    item.accessibilityInformation = { label: `${name}, ${item.description}` };
    item.iconPath = there ? new vscode.ThemeIcon(icon) : new vscode.ThemeIcon('warning', new vscode.ThemeColor('list.warningForeground'));
    item.contextValue = there ? context : `${context}-missing`;
    if (there) item.resourceUri = vscode.Uri.file(path);
    if (suite !== undefined && line !== undefined) {
      const selection = new vscode.Range(line, 0, line, 0);
      item.command = { command: 'vscode.open', title: t('Show Entry'), arguments: [vscode.Uri.file(suite), { selection }] };
    } else item.command = { command: open, title: t('Open'), arguments: [vscode.Uri.file(path)] };
    return item;
  };
  return {
    onDidChangeTreeData: changed,
    async getChildren(item) {
      if (item) return item.kind === 'group' ? [...childrenOf(item)] : [];
      const groups = await listed(kind, host);
      // One group needs no heading.
      return groups.length === 1 ? [...childrenOf(groups[0])] : [...groups];
    },
    getTreeItem(item) {
      switch (item.kind) {
        case 'listed':
          return itemOf(item);
        case 'group': {
          const head = new vscode.TreeItem(item.name, vscode.TreeItemCollapsibleState.Expanded);
          head.id = `group ${item.name}`;
          return head;
        }
        case 'more': {
          const rest = new vscode.TreeItem(t('{0} more', item.count));
          rest.description = t('name the ones you use in an assay.json');
          return rest;
        }
      }
    },
    async resolveTreeItem(shown, item) {
      if (item.kind !== 'listed') return shown;
      const file = await stat(item.path).catch(() => undefined);
      shown.tooltip = new vscode.MarkdownString(
        listedTooltip(item, file && { bytes: file.size, changed: file.mtimeMs }, await history.runs()),
      );
      return shown;
    },
  };
};
