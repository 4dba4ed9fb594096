import * as vscode from 'vscode';
import type { RunRecord } from '../../jobs/store.ts';
import type { Target } from '../define.ts';
import { brief, type History, type Standing, standingOf } from '../history.ts';
import { waitingText } from '../launch.ts';

const symbols: Readonly<Record<Standing, vscode.ThemeIcon>> = {
  running: new vscode.ThemeIcon('sync~spin'),
  done: new vscode.ThemeIcon('pass', new vscode.ThemeColor('testing.iconPassed')),
  'checks-failed': new vscode.ThemeIcon('warning', new vscode.ThemeColor('testing.iconFailed')),
  unavailable: new vscode.ThemeIcon('question', new vscode.ThemeColor('testing.iconSkipped')),
  failed: new vscode.ThemeIcon('error', new vscode.ThemeColor('testing.iconErrored')),
  stopped: new vscode.ThemeIcon('circle-slash'),
};

const result = (run: RunRecord): string => {
  const standing = standingOf(run);
  const { reports, checks } = run;
  if (checks) return `${checks.passed} of ${checks.passed + checks.failed + checks.skipped + checks.error} checks hold`;
  return standing === 'done' ? brief(reports[0].headline) : standing;
};

/** Runs of the workspace, newest first; a click reopens one. */
export const runsTree = (
  history: Pick<History, 'runs'>,
  changed: vscode.Event<void>,
  placeOf: (run: string) => number | undefined,
): vscode.TreeDataProvider<RunRecord> => ({
  onDidChangeTreeData: changed,
  getChildren: async (run) => (run ? [] : [...(await history.runs())]),
  getTreeItem(run) {
    const item = new vscode.TreeItem(run.title);
    const target: Target = { runs: [run.id] };
    const place = placeOf(run.id);
    const said = place === undefined ? result(run) : waitingText(place);
    const started = new Date(run.startedAt);
    item.id = run.id;
    item.description = `${run.subject} · ${said}`;
    item.tooltip = [
      `${run.title}: ${run.subject}`,
      `${started.toLocaleString()}${run.seconds === undefined ? '' : `, ${run.seconds.toFixed(1)} s`}`,
      run.sentence ?? said,
    ].join('\n');
    item.iconPath = place === undefined ? symbols[standingOf(run)] : new vscode.ThemeIcon('clock');
    item.contextValue = run.status === 'running' ? 'run-running' : 'run';
    item.accessibilityInformation = { label: `${run.title}, ${run.subject}, ${standingOf(run)}, ${said}` };
    item.command = { command: 'assay.openRun', title: 'Open Run', arguments: [target] };
    return item;
  },
});
