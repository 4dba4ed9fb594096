import * as vscode from 'vscode';

/** Whether models may be run here; where not, that is said, with the way to change it. */
export const trusted = (): boolean => {
  if (vscode.workspace.isTrusted) return true;
  void vscode.window.showErrorMessage('Running a model needs a trusted workspace.', 'Manage Trust').then((chosen) => {
    if (chosen) void vscode.commands.executeCommand('workbench.trust.manage');
  });
  return false;
};
