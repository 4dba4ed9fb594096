import * as vscode from 'vscode';
import type { Outlines } from '../authoring/outlines.ts';
import { outlineWords } from '../authoring/suite-completions.ts';
import { codeLanguages } from '../contributions.ts';
import type { Host, Target } from '../define.ts';
import type { History, LastResult } from '../history.ts';
import { t } from '../l10n.ts';
import { located } from '../located.ts';
import { type KnownFile, type Mention, type MentionFinder, mentionFinder } from './mentions.ts';

export interface CodePorts {
  readonly host: Pick<Host, 'catalogue' | 'suites' | 'find'>;
  readonly history: Pick<History, 'lastOf'>;
  readonly outlines: Outlines;
  readonly changed: vscode.Event<void>;
}

/** Files on a disk, and the cells of notebooks that are. */
const selector: readonly vscode.DocumentFilter[] = codeLanguages.flatMap((language) => [
  { language, scheme: 'file' },
  { language, scheme: 'vscode-notebook-cell' },
]);
/** Code that a person writes is shorter. */
const largest = 4_000_000;

const targetOf = ({ kind, path, suite, name }: KnownFile): Target =>
  suite === undefined || name === undefined ? { file: path } : { suite, ...(kind === 'model' ? { model: name } : { data: name }) };

const link = (title: string, command: string, target: Target): string =>
  `[${title}](command:${command}?${encodeURIComponent(JSON.stringify([target]))})`;

const opening = ({ run, focus }: LastResult): Target => ({ runs: [run], ...(focus === undefined ? {} : { focus }) });

/** Over lines of code that name a model or dataset of the workspace: what it last measured, Run and Saliency; the same on hover. */
export const codeLenses = ({ host, history, outlines, changed }: CodePorts): vscode.Disposable => {
  let finder: Promise<MentionFinder> | undefined;
  const seen = new WeakMap<
    vscode.TextDocument,
    { readonly version: number; readonly finder: MentionFinder; readonly found: readonly Mention[] }
  >();
  const again = new vscode.EventEmitter<void>();
  const models = vscode.workspace.createFileSystemWatcher('**/*.onnx', false, true, false);

  const known = async (): Promise<MentionFinder> => {
    const [suites, loose] = await Promise.all([host.suites(), host.find('**/*.onnx')]);
    const entries = suites.flatMap((suite): KnownFile[] => [
      ...suite.models.map(
        ({ name, value }): KnownFile => ({ path: located(suite.path, value).path, kind: 'model', suite: suite.path, name }),
      ),
      ...suite.datasets.map(
        ({ name, value }): KnownFile => ({ path: located(suite.path, value).path, kind: 'data', suite: suite.path, name }),
      ),
    ]);
    const named = new Set(entries.map(({ path }) => path));
    return mentionFinder([...entries, ...loose.filter((path) => !named.has(path)).map((path): KnownFile => ({ path, kind: 'model' }))]);
  };
  const mentions = async (document: vscode.TextDocument): Promise<readonly Mention[]> => {
    finder ??= known();
    const current = await finder;
    const earlier = seen.get(document);
    if (earlier?.version === document.version && earlier.finder === current) return earlier.found;
    const text = document.getText();
    const found = text.length > largest ? [] : current.in(text, document.uri.fsPath);
    seen.set(document, { version: document.version, finder: current, found });
    return found;
  };
  const forget = (): void => {
    finder = undefined;
    again.fire();
  };

  const lenses: vscode.CodeLensProvider = {
    onDidChangeCodeLenses: again.event,
    async provideCodeLenses(document) {
      const found = await mentions(document);
      const last = found.length === 0 ? undefined : await history.lastOf();
      return found.flatMap(({ line, from, to, file }) => {
        const at = (title: string, command: string, target: Target): vscode.CodeLens =>
          new vscode.CodeLens(new vscode.Range(line, from, line, to), { title, command, arguments: [target] });
        const result = last?.(file.path);
        return [
          ...(result ? [at(result.text, 'assay.openRun', opening(result))] : []),
          at(`$(beaker)\u00a0${t('Run…')}`, 'assay.runDiagnostic', targetOf(file)),
          ...(file.kind === 'model' ? [at(`$(eye)\u00a0${t('Saliency')}`, 'assay.saliency', targetOf(file))] : []),
        ];
      });
    },
  };

  const hover: vscode.HoverProvider = {
    async provideHover(document, { line, character }) {
      const mention = (await mentions(document)).find((m) => m.line === line && m.from <= character && character <= m.to);
      if (!mention) return undefined;
      const { file } = mention;
      const [known, last] = await Promise.all([outlines.look([file.path]), history.lastOf()]);
      const outline = known.get(file.path);
      const result = last(file.path);
      const words = new vscode.MarkdownString('', true);
      words.isTrusted = { enabledCommands: ['assay.openRun', 'assay.runDiagnostic', 'assay.saliency', 'assay.openModel'] };
      words.appendMarkdown(`**${file.name ?? vscode.workspace.asRelativePath(file.path)}**`);
      words.appendMarkdown(outline === null ? `  \n${t('There is no such file.')}` : outline ? `  \n${outlineWords(outline)}` : '');
      if (result) words.appendMarkdown(`\n\n${t('Last: {0}', link(result.text, 'assay.openRun', opening(result)))}`);
      const links = [
        link(t('Run…'), 'assay.runDiagnostic', targetOf(file)),
        ...(file.kind === 'model'
          ? [link(t('Saliency'), 'assay.saliency', targetOf(file)), link(t('Open'), 'assay.openModel', { file: file.path })]
          : []),
      ];
      words.appendMarkdown(`\n\n${links.join(' · ')}`);
      return new vscode.Hover(words, new vscode.Range(line, mention.from, line, mention.to));
    },
  };

  return vscode.Disposable.from(
    again,
    models,
    models.onDidCreate(forget),
    models.onDidDelete(forget),
    changed(forget),
    vscode.languages.registerCodeLensProvider(selector, lenses),
    vscode.languages.registerHoverProvider(selector, hover),
  );
};
