import * as vscode from 'vscode';
import { t } from '../l10n.ts';

/** Whether models may be run here; where not, that is said, with the way to change it. */
export const trusted = (): boolean => {
  if (vscode.workspace.isTrusted) return true;
  void vscode.window.showErrorMessage(t('Running a model needs a trusted workspace.'), t('Manage Trust')).then((chosen) => {
    if (chosen) void vscode.commands.executeCommand('workbench.trust.manage');
  });
  return false;
};
