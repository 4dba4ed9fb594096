import * as vscode from 'vscode';
import type { Target } from '../define.ts';
import { readSuite } from '../suite.ts';

/** The newest result for an entry of `assay.json`: a few words, and the run they came from. */
export interface LastResult {
  readonly text: string;
  readonly run: string;
  readonly focus?: string;
}
export interface LastResults {
  readonly changed: vscode.Event<void>;
  /** Of a check by its name, of a model or dataset by its path as written. */
  of(suite: string, kind: 'model' | 'data' | 'check', name: string): LastResult | undefined;
}

/** Above each entry of `assay.json`: Run, Saliency, and the last headline numbers. */
export const suiteLenses = (results: LastResults): vscode.CodeLensProvider => ({
  onDidChangeCodeLenses: results.changed,
  provideCodeLenses(document) {
    const suite = document.uri.fsPath;
    const { models, datasets, checks } = readSuite(document.getText());
    const at = (offset: number, title: string, command: string, target: Target): vscode.CodeLens => {
      const place = document.positionAt(offset);
      return new vscode.CodeLens(new vscode.Range(place, place), { title, command, arguments: [target] });
    };
    const last = (offset: number, kind: 'model' | 'data' | 'check', name: string): vscode.CodeLens[] => {
      const result = results.of(suite, kind, name);
      if (!result) return [];
      return [
        at(offset, result.text, 'assay.openRun', { runs: [result.run], ...(result.focus === undefined ? {} : { focus: result.focus }) }),
      ];
    };
    return [
      ...models.flatMap(({ name, offset }) => [
        at(offset, '$(beaker) Run…', 'assay.runDiagnostic', { suite, model: name }),
        at(offset, '$(eye) Saliency', 'assay.saliency', { suite, model: name }),
        ...last(offset, 'model', name),
      ]),
      ...datasets.flatMap(({ name, offset }) => [
        at(offset, '$(beaker) Run…', 'assay.runDiagnostic', { suite, data: name }),
        ...last(offset, 'data', name),
      ]),
      ...checks.flatMap(({ name, offset }) => [
        at(offset, '$(play) Run', 'assay.runSuite', { suite, check: name }),
        ...last(offset, 'check', name),
      ]),
    ];
  },
});
