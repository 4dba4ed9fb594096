import * as vscode from 'vscode';
import type { RunRecord } from '../../jobs/store.ts';
import type { Target } from '../define.ts';
import { brief, type History } from '../history.ts';

const symbol = ({ status, checks }: RunRecord): vscode.ThemeIcon => {
  const coloured = (icon: string, colour: string): vscode.ThemeIcon => new vscode.ThemeIcon(icon, new vscode.ThemeColor(colour));
  switch (status) {
    case 'running':
      return new vscode.ThemeIcon('sync~spin');
    case 'failed':
      return coloured('error', 'testing.iconErrored');
    case 'stopped':
      return new vscode.ThemeIcon('circle-slash');
    case 'done':
      return checks && checks.failed + checks.error > 0
        ? coloured('warning', 'testing.iconFailed')
        : coloured('pass', 'testing.iconPassed');
  }
};

const result = ({ status, reports, checks }: RunRecord): string => {
  if (status !== 'done') return status;
  if (checks) return `${checks.passed} of ${checks.passed + checks.failed + checks.skipped + checks.error} checks hold`;
  const [report] = reports;
  return report.outcome === 'measured' ? brief(report.headline) : report.outcome;
};

/** Runs of the workspace, newest first; a click reopens one. */
export const runsTree = (history: Pick<History, 'runs'>, changed: vscode.Event<void>): vscode.TreeDataProvider<RunRecord> => ({
  onDidChangeTreeData: changed,
  getChildren: async (run) => (run ? [] : [...(await history.runs())]),
  getTreeItem(run) {
    const item = new vscode.TreeItem(run.title);
    const target: Target = { runs: [run.id] };
    const started = new Date(run.startedAt);
    item.id = run.id;
    item.description = `${run.subject} · ${result(run)}`;
    item.tooltip = [
      `${run.title}: ${run.subject}`,
      `${started.toLocaleString()}${run.seconds === undefined ? '' : `, ${run.seconds.toFixed(1)} s`}`,
      run.sentence ?? result(run),
    ].join('\n');
    item.iconPath = symbol(run);
    item.contextValue = run.status === 'running' ? 'run-running' : 'run';
    item.accessibilityInformation = { label: `${run.title}, ${run.subject}, ${run.status}, ${result(run)}` };
    item.command = { command: 'assay.openRun', title: 'Open Run', arguments: [target] };
    return item;
  },
});
