import * as vscode from 'vscode';
import type { RunRecord } from '../../jobs/store.ts';
import type { Host, Target } from '../define.ts';
import { brief, type History, type Standing, standingOf, standingText } from '../history.ts';
import { t } from '../l10n.ts';
import { waitingText } from '../launch.ts';
import { arranged, type RunGroup, type RunsShown } from '../order-runs.ts';
import { runTooltip } from '../tooltips.ts';

const symbols: Readonly<Record<Standing, vscode.ThemeIcon>> = {
  running: new vscode.ThemeIcon('sync~spin'),
  done: new vscode.ThemeIcon('pass', new vscode.ThemeColor('testing.iconPassed')),
  'checks-failed': new vscode.ThemeIcon('warning', new vscode.ThemeColor('testing.iconFailed')),
  unavailable: new vscode.ThemeIcon('question', new vscode.ThemeColor('testing.iconSkipped')),
  failed: new vscode.ThemeIcon('error', new vscode.ThemeColor('testing.iconErrored')),
  stopped: new vscode.ThemeIcon('circle-slash'),
};

const result = (run: RunRecord): string => {
  const { reports, checks } = run;
  if (checks) {
    const all = checks.passed + checks.failed + checks.skipped + checks.error;
    return checks.passed === 1 ? t('1 of {0} checks holds', all) : t('{0} of {1} checks hold', checks.passed, all);
  }
  return standingOf(run) === 'done' ? brief(reports[0].headline) : standingText(run);
};

const goingContext = { going: 'run-training', paused: 'run-paused', other: 'run-running' } as const;

type Item = RunRecord | RunGroup;
const isGroup = (item: Item): item is RunGroup => item.kind === 'runs';

/** `place`: how many jobs go before it, where it waits. */
const itemOf = (run: RunRecord, place: number | undefined, training: 'going' | 'paused' | undefined): vscode.TreeItem => {
  const said = place !== undefined ? waitingText(place) : training === 'paused' ? t('paused') : result(run);
  const item = new vscode.TreeItem(run.title);
  const target: Target = { runs: [run.id] };
  item.id = run.id;
  item.description = place === undefined ? `${run.subject} · ${said}` : `${said} · ${run.subject}`;
  item.tooltip = new vscode.MarkdownString(runTooltip(run));
  item.iconPath =
    place !== undefined
      ? new vscode.ThemeIcon('clock')
      : training === 'paused'
        ? new vscode.ThemeIcon('debug-pause')
        : symbols[standingOf(run)];
  item.contextValue = run.status === 'running' ? goingContext[training ?? 'other'] : run.status === 'done' ? 'run' : 'run-ended';
  item.accessibilityInformation = { label: [run.title, run.subject, ...(place === undefined ? [standingText(run)] : []), said].join(', ') };
  item.command = { command: 'assay.openRun', title: t('Open Run'), arguments: [target] };
  return item;
};

/** Runs of the workspace as they are asked to be shown; a click reopens one. */
export const runsTree = (
  history: Pick<History, 'runs'>,
  shown: () => RunsShown,
  changed: vscode.Event<void>,
  placeOf: (run: string) => number | undefined,
  trainingOf: Host['trainingOf'],
): vscode.TreeDataProvider<Item> => ({
  onDidChangeTreeData: changed,
  async getChildren(item) {
    if (item) return isGroup(item) ? [...item.runs] : [];
    return [...arranged(await history.runs(), shown(), Date.now())];
  },
  getTreeItem(item) {
    if (!isGroup(item)) return itemOf(item, placeOf(item.id), trainingOf(item.id));
    const head = new vscode.TreeItem(item.name, vscode.TreeItemCollapsibleState.Expanded);
    head.id = `model ${item.name}`;
    head.description = item.runs.length === 1 ? '1 run' : `${item.runs.length} runs`;
    head.iconPath = new vscode.ThemeIcon('circuit-board');
    return head;
  },
});

const mime = 'application/vnd.code.tree.assay.runs';

/** A run dropped on another is compared with it. */
export const runsDrop = (compare: (runs: readonly [string, string]) => void): vscode.TreeDragAndDropController<Item> => ({
  dragMimeTypes: [mime],
  dropMimeTypes: [mime],
  handleDrag(items, data) {
    const ids = items.flatMap((item) => (isGroup(item) ? [] : [item.id]));
    if (ids.length > 0) data.set(mime, new vscode.DataTransferItem(ids));
  },
  handleDrop(onto, data) {
    const ids: unknown = data.get(mime)?.value;
    if (!onto || isGroup(onto) || !Array.isArray(ids)) return;
    const dragged: unknown = ids.find((id) => id !== onto.id);
    if (typeof dragged === 'string') compare([onto.id, dragged]);
  },
});
