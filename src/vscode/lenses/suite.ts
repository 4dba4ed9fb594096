import * as vscode from 'vscode';
import type { Target } from '../define.ts';
import type { History, LastResult } from '../history.ts';
import { t } from '../l10n.ts';
import { readSuite } from '../suite.ts';

/** Above each entry of `assay.json`: Run, Saliency, and the last headline numbers. */
export const suiteLenses = (history: Pick<History, 'last'>, changed: vscode.Event<void>): vscode.CodeLensProvider => ({
  onDidChangeCodeLenses: changed,
  async provideCodeLenses(document) {
    const suite = document.uri.fsPath;
    const text = readSuite(document.getText());
    const last = await history.last(suite, text);
    const at = (line: number, title: string, command: string, target: Target): vscode.CodeLens =>
      new vscode.CodeLens(new vscode.Range(line, 0, line, 0), { title, command, arguments: [target] });
    const before = (line: number, result: LastResult | undefined): vscode.CodeLens[] =>
      result
        ? [
            result.focus === undefined
              ? at(line, result.text, 'assay.openRun', { runs: [result.run] })
              : at(line, result.text, 'assay.openCard', { runs: [result.run], focus: result.focus }),
          ]
        : [];
    const all =
      text.checks.length > 1 && text.checksLine !== undefined
        ? [at(text.checksLine, `$(run-all)\u00a0${t('Run All {0}', text.checks.length)}`, 'assay.runSuite', { suite })]
        : [];
    return [
      ...all,
      ...text.models.flatMap(({ name, line }) => [
        at(line, `$(beaker)\u00a0${t('Run…')}`, 'assay.runDiagnostic', { suite, model: name }),
        at(line, `$(eye)\u00a0${t('Saliency')}`, 'assay.saliency', { suite, model: name }),
        ...before(line, last.models.get(name)),
      ]),
      ...text.datasets.flatMap(({ name, line }) => [
        at(line, `$(beaker)\u00a0${t('Run…')}`, 'assay.runDiagnostic', { suite, data: name }),
        ...before(line, last.datasets.get(name)),
      ]),
      ...text.checks.flatMap(({ name, line }) => [
        at(line, `$(play)\u00a0${t('Run')}`, 'assay.runSuite', { suite, check: name }),
        ...before(line, last.checks.get(name)),
      ]),
    ];
  },
});
