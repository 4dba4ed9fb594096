import * as vscode from 'vscode';
import type { Catalogue } from '../../base/catalogue.ts';
import type { Host, SuiteFile, Target } from '../define.ts';
import type { History, LastResult } from '../history.ts';
import { afterActivation } from '../host/soon.ts';
import { t } from '../l10n.ts';
import { readSuite } from '../suite.ts';
import { type CheckProblem, checkProblems } from './check-problems.ts';
import { factFinder } from './facts.ts';
import type { Finding } from './finding.ts';
import type { Outlines } from './outlines.ts';
import { entryAt, offersAt, outlineWords } from './suite-completions.ts';
import { suiteFindings } from './suite-findings.ts';

export interface LanguagePorts {
  readonly catalogue: Catalogue;
  readonly history: Pick<History, 'runs' | 'last'>;
  readonly outlines: Outlines;
  readonly changed: vscode.Event<void>;
  suites: Host['suites'];
  find: Host['find'];
  open: Host['open'];
  failed(error: unknown): void;
}

/** `assay.json` on a disk, whether VS Code takes it for JSON or JSON with comments. */
const suiteSelector: vscode.DocumentFilter = { scheme: 'file', pattern: '**/assay.json' };
const isSuite = ({ uri }: vscode.TextDocument): boolean => uri.scheme === 'file' && /[\\/]assay\.json$/.test(uri.fsPath);

/** Typing is over after so long. */
const pause = 300;
const chooseFile = 'assay.chooseFileFor';

const rangeOf = (document: vscode.TextDocument, { from, to }: Pick<Finding, 'from' | 'to'>): vscode.Range =>
  new vscode.Range(document.positionAt(from), document.positionAt(to));

const link = (title: string, command: string, target: Target): string =>
  `[${title}](command:${command}?${encodeURIComponent(JSON.stringify([target]))})`;

const resultLink = ({ text, run, focus }: LastResult): string =>
  link(text.replace(/\$\([\w~-]+\)\s*/g, ''), 'assay.openRun', { runs: [run], ...(focus === undefined ? {} : { focus }) });

/** Completion, hover, problems and quick fixes of `assay.json`, beside what VS Code makes of its schema. */
export const suiteLanguage = (ports: LanguagePorts): vscode.Disposable => {
  const { catalogue, history, outlines, changed, failed } = ports;
  const finder = factFinder(ports);
  const problems = vscode.languages.createDiagnosticCollection('assay');
  const endings = ['.onnx', ...catalogue.readers.flatMap((reader) => reader.endings)];
  const files = vscode.workspace.createFileSystemWatcher(`**/*{${endings.join(',')}}`);

  const findingsOf = async (
    text: string,
    path: string,
    read: 'headers' | 'names',
  ): Promise<{ readonly findings: readonly Finding[]; readonly checks: readonly CheckProblem[] }> => {
    const [facts, last] = await Promise.all([finder.of(text, path, read), history.last(path, readSuite(text))]);
    return { findings: suiteFindings(text, path, facts), checks: checkProblems(text, last.checks) };
  };

  const problemOf = (document: vscode.TextDocument, found: Finding): vscode.Diagnostic => {
    const severity = found.severity === 'error' ? vscode.DiagnosticSeverity.Error : vscode.DiagnosticSeverity.Warning;
    const problem = new vscode.Diagnostic(rangeOf(document, found), found.message, severity);
    problem.source = 'Assay';
    problem.code = found.code;
    return problem;
  };

  /** Headers are read for files that someone looks at: that starts a job process. */
  const shown = (path: string): boolean => vscode.window.visibleTextEditors.some(({ document }) => document.uri.fsPath === path);
  /** The newest look at a file counts; an older one that ends later is dropped. */
  const looks = new Map<string, number>();
  const look = async (path: string): Promise<void> => {
    const turn = (looks.get(path) ?? 0) + 1;
    looks.set(path, turn);
    const uri = vscode.Uri.file(path);
    const document = await vscode.workspace.openTextDocument(uri);
    const version = document.version;
    const { findings, checks } = await findingsOf(document.getText(), path, shown(path) ? 'headers' : 'names');
    if (looks.get(path) !== turn || document.version !== version) return;
    const own = findings.filter(({ bySchema }) => !bySchema);
    problems.set(
      uri,
      [...own, ...checks].map((found) => problemOf(document, found)),
    );
  };
  let waiting: NodeJS.Timeout | undefined;
  const due = new Set<string>();
  const soon = (path: string): void => {
    due.add(path);
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      for (const one of due) look(one).catch(() => problems.delete(vscode.Uri.file(one)));
      due.clear();
    }, pause);
  };
  const all = (): void => {
    ports.suites().then(
      (suites: readonly SuiteFile[]) => {
        const paths = new Set(suites.map(({ path }) => path));
        problems.forEach((uri) => {
          if (!paths.has(uri.fsPath)) problems.delete(uri);
        });
        for (const path of paths) soon(path);
      },
      (error: unknown) => failed(error),
    );
  };
  const moved = (): void => {
    finder.forget();
    all();
  };

  const actions: vscode.CodeActionProvider = {
    async provideCodeActions(document, range, { diagnostics }) {
      const { findings, checks } = await findingsOf(document.getText(), document.uri.fsPath, 'headers');
      const touched = <T extends Finding>(list: readonly T[]): readonly T[] =>
        list.filter((one) => range.intersection(rangeOf(document, one)));
      const fixes = touched(findings).flatMap((found) => {
        const place = rangeOf(document, found);
        const about = diagnostics.filter((one) => one.range.intersection(place));
        const made = found.fixes.map(({ title, edits, preferred }) => {
          const action = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
          action.edit = new vscode.WorkspaceEdit();
          for (const edit of edits) action.edit.replace(document.uri, rangeOf(document, edit), edit.text);
          action.diagnostics = about;
          if (preferred) action.isPreferred = true;
          return action;
        });
        if (found.code !== 'missing-file') return made;
        const choose = new vscode.CodeAction(t('Choose a file…'), vscode.CodeActionKind.QuickFix);
        choose.command = { command: chooseFile, title: t('Choose a File'), arguments: [document.uri, place] };
        choose.diagnostics = about;
        return [...made, choose];
      });
      const reports = touched(checks).flatMap(({ check, run, focus, code }) => {
        const about = diagnostics.filter((one) => one.code === code);
        const act = (title: string, command: string, target: Target): vscode.CodeAction => {
          const action = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
          action.command = { command, title, arguments: [target] };
          action.diagnostics = about;
          return action;
        };
        return [
          act(t("Open the report of '{0}'", check), 'assay.openRun', { runs: [run], ...(focus === undefined ? {} : { focus }) }),
          act(t("Run '{0}' again", check), 'assay.runSuite', { suite: document.uri.fsPath, check }),
        ];
      });
      return [...fixes, ...reports];
    },
  };

  const completion: vscode.CompletionItemProvider = {
    async provideCompletionItems(document, position) {
      const text = document.getText();
      const path = document.uri.fsPath;
      const found = offersAt(text, document.offsetAt(position), path, await finder.of(text, path, 'headers'));
      if (!found) return undefined;
      const range = rangeOf(document, found);
      const kinds = {
        name: vscode.CompletionItemKind.Reference,
        file: vscode.CompletionItemKind.File,
        key: vscode.CompletionItemKind.Property,
      };
      return found.offers.map(({ label, detail, kind }, i) => {
        const item = new vscode.CompletionItem(label, kinds[kind]);
        const quoted = JSON.stringify(label);
        item.range = range;
        item.filterText = quoted;
        item.sortText = String(i).padStart(4, '0');
        item.insertText =
          kind === 'key' && found.bare
            ? new vscode.SnippetString()
                .appendText(`${quoted}: { "`)
                .appendChoice(['min', 'max'])
                .appendText('": ')
                .appendTabstop(0)
                .appendText(' }')
            : quoted;
        if (detail !== undefined) item.detail = detail;
        return item;
      });
    },
  };

  const hover: vscode.HoverProvider = {
    async provideHover(document, position) {
      const text = document.getText();
      const suite = document.uri.fsPath;
      const entry = entryAt(text, document.offsetAt(position), suite);
      if (!entry) return undefined;
      const [known, last] = await Promise.all([outlines.look([entry.path]), history.last(suite, readSuite(text))]);
      const outline = known.get(entry.path);
      const result = last[entry.kind].get(entry.name);
      const target: Target = entry.kind === 'models' ? { suite, model: entry.name } : { suite, data: entry.name };
      const words = new vscode.MarkdownString('', true);
      words.isTrusted = { enabledCommands: ['assay.openRun', 'assay.runDiagnostic', 'assay.saliency'] };
      words.appendMarkdown(outline === null ? t('There is no such file.') : outline ? outlineWords(outline) : '');
      if (result) words.appendMarkdown(`\n\n${t('Last: {0}', resultLink(result))}`);
      const run = [
        link(t('Run…'), 'assay.runDiagnostic', target),
        ...(entry.kind === 'models' ? [link(t('Saliency'), 'assay.saliency', target)] : []),
      ];
      words.appendMarkdown(`\n\n${run.join(' · ')}`);
      return new vscode.Hover(words, rangeOf(document, entry));
    },
  };

  const choose = async (uri: vscode.Uri, range: vscode.Range): Promise<void> => {
    const file = await ports.open('File', { Files: endings.map((ending) => ending.replace(/^[.-]/, '')), 'All files': ['*'] });
    if (file === undefined) return;
    const edit = new vscode.WorkspaceEdit();
    const folder = vscode.Uri.joinPath(uri, '..').fsPath;
    const inside = file.startsWith(`${folder}/`) || file.startsWith(`${folder}\\`);
    edit.replace(uri, range, JSON.stringify(inside ? file.slice(folder.length + 1).replaceAll('\\', '/') : file));
    await vscode.workspace.applyEdit(edit);
  };

  afterActivation(all);
  return vscode.Disposable.from(
    problems,
    files,
    files.onDidCreate(moved),
    files.onDidDelete(moved),
    files.onDidChange(all),
    changed(all),
    vscode.workspace.onDidGrantWorkspaceTrust(all),
    vscode.window.onDidChangeVisibleTextEditors((editors) => {
      for (const { document } of editors) if (isSuite(document)) soon(document.uri.fsPath);
    }),
    vscode.workspace.onDidChangeTextDocument(({ document }) => {
      if (isSuite(document)) soon(document.uri.fsPath);
    }),
    vscode.languages.registerCompletionItemProvider(suiteSelector, completion, '"', ':', ' ', '/', '@'),
    vscode.languages.registerCodeActionsProvider(suiteSelector, actions, { providedCodeActionKinds: [vscode.CodeActionKind.QuickFix] }),
    vscode.languages.registerHoverProvider(suiteSelector, hover),
    vscode.commands.registerCommand(chooseFile, (uri: vscode.Uri, range: vscode.Range) => choose(uri, range).catch(failed)),
    { dispose: () => clearTimeout(waiting) },
  );
};
