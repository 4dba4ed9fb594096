import * as vscode from 'vscode';
import { isHeader, numeric, separatorOf } from '../../base/cell.ts';
import { Fault } from '../../base/fault.ts';
import type { AttributeRequest, Attribution } from '../../report/tasks.ts';
import { contexts } from '../contributions.ts';
import { type Cell, cellsOf, rowAt, rowStarts } from '../insight/cells.ts';
import type { Chosen } from '../insight/choose.ts';
import type { Content } from '../insight/fitting.ts';
import { type Latest, latest } from '../insight/latest.ts';
import { cellMarks, type Mark, type Marks, textMarks } from '../insight/marks.ts';
import { markHover, statusOf, statusTooltip } from '../insight/wording.ts';
import { t } from '../l10n.ts';
import type { Method } from '../methods.ts';
import { type ShadingRamp, shadingRamp } from './shading-ramp.ts';

/** What is asked of the model: which class, by which method. */
export interface Look extends Chosen {
  readonly method: string;
  /** A class by name; the predicted one where absent. */
  readonly target?: string;
}

export interface ShadingPorts {
  readonly methods: readonly Method[];
  attribute(ask: Pick<AttributeRequest, 'model' | 'data' | 'given' | 'method' | 'target'>, signal: AbortSignal): Promise<Attribution>;
  /** The model to begin with; undefined where none was chosen. */
  begin(content: Content, path: string): Promise<Look | undefined>;
  /** What is looked at instead; `off` turns the shading off. */
  change(content: Content, path: string, look: Look, seen: Attribution | undefined): Promise<Look | 'off' | undefined>;
  failed(error: unknown): void;
}

export interface Shadings extends vscode.Disposable {
  /** Shades the text in the active editor, or no longer. */
  toggle(): Promise<void>;
  choose(): Promise<void>;
}

/** Characters of a text that are read at most. */
const MOST = 100_000;
/** Pauses after an edit, and after a move of the cursor. */
const [EDIT, MOVE] = [300, 150];

/** What is shown of a document now. */
interface Seen extends Marks {
  readonly attribution: Attribution;
  readonly version: number;
  /** The row of the table, counted from 1 behind its header. */
  readonly place: string;
  readonly cut: boolean;
}
interface Shading {
  readonly document: vscode.TextDocument;
  readonly table: boolean;
  look: Look;
  seen?: Seen | undefined;
  /** Why there is nothing to see; `idle` where nothing is wrong. */
  problem?: string | undefined;
  idle?: string | undefined;
  readonly asked: Latest;
}

const isTable = ({ languageId, uri }: vscode.TextDocument): boolean => /^[ct]sv$/.test(languageId) || /\.[ct]sv$/i.test(uri.path);

/** Where rows of a table start, found once for each version of its text. */
const tables = new WeakMap<vscode.TextDocument, { readonly version: number; readonly table: Table }>();
interface Table {
  readonly text: string;
  readonly separator: string;
  readonly starts: readonly number[];
  /** Names of the columns, where the first row holds them. */
  readonly names?: readonly string[];
  readonly columns: number;
  /** Some of them hold no numbers. */
  readonly words: boolean;
}
const tableOf = (document: vscode.TextDocument): Table => {
  const known = tables.get(document);
  if (known?.version === document.version) return known.table;
  const text = document.getText();
  const separator = separatorOf(
    text
      .slice(0, 65536)
      .split(/\r?\n/, 1)[0]
      .replace(/^\uFEFF/, ''),
    document.uri.path,
  );
  const starts = rowStarts(text, separator);
  const row = (k: number): readonly string[] =>
    k + 1 < starts.length
      ? cellsOf(text, rowAt(text, starts, starts[k]) ?? { from: 0, to: 0 }, separator).map(({ value }) => value.trim())
      : [];
  const first = row(0);
  const second = row(1);
  const table: Table = {
    text,
    separator,
    starts,
    columns: first.length,
    words: second.some((value) => numeric(value) === undefined),
    ...(isHeader(first, second) ? { names: first } : {}),
  };
  tables.set(document, { version: document.version, table });
  return table;
};
const contentOf = (document: vscode.TextDocument): Content =>
  isTable(document) ? { kind: 'table', ...tableOf(document) } : { kind: 'text' };

/** Why a text cannot be looked at; nothing where it can. */
const hindrance = (document: vscode.TextDocument): string | undefined => {
  if (!isTable(document)) return undefined;
  if (document.uri.scheme !== 'file') return t('Save the table first: its other rows are read from the file.');
  return undefined;
};

/** Shades the open text by what speaks for the class that the model predicts. One state for each document, drawn in all its editors. */
export const shadings = (ports: ShadingPorts): Shadings => {
  const open = new Map<string, Shading>();
  // Made with the first text that is shaded.
  let made: ShadingRamp | undefined;
  const ramp = (): ShadingRamp => {
    if (made) return made;
    made = shadingRamp();
    made.changed(() => vscode.window.visibleTextEditors.forEach(paint));
    return made;
  };
  const bar = vscode.window.createStatusBarItem('assay.textSaliency', vscode.StatusBarAlignment.Right, 90);
  bar.name = t('Assay: Saliency in Text');
  bar.command = 'assay.textSaliencyOptions';
  const keyOf = ({ uri }: vscode.TextDocument): string => uri.toString();
  const editorsOf = (document: vscode.TextDocument): readonly vscode.TextEditor[] =>
    vscode.window.visibleTextEditors.filter((editor) => editor.document === document);
  const methodOf = (id: string): string => ports.methods.find((method) => method.id === id)?.title ?? id;

  const paint = (editor: vscode.TextEditor): void => {
    const { document } = editor;
    const shading = open.get(keyOf(document));
    if (!shading) return;
    const { seen } = shading;
    if (!seen) ramp().clear(editor);
    if (seen?.version !== document.version) return;
    const rangeOf = ({ from, to }: Pick<Mark, 'from' | 'to'>): vscode.Range =>
      new vscode.Range(document.positionAt(from), document.positionAt(to));
    const end = document.getText().length;
    const unseen = seen.tokens && seen.seenTo < end && (seen.cut || seen.tokens.all > seen.tokens.seen) && !isTable(document);
    ramp().paint(editor, seen.marks, rangeOf, unseen ? [rangeOf({ from: seen.seenTo, to: end })] : []);
  };
  const tell = (): void => {
    const shading = vscode.window.activeTextEditor && open.get(keyOf(vscode.window.activeTextEditor.document));
    void vscode.commands.executeCommand('setContext', contexts.shaded, shading !== undefined);
    if (!shading) {
      bar.hide();
      return;
    }
    const { look, seen, problem, idle } = shading;
    bar.backgroundColor = problem === undefined ? undefined : new vscode.ThemeColor('statusBarItem.warningBackground');
    if (problem !== undefined) {
      bar.text = `$(warning) ${t('{0}: no saliency', look.name)}`;
      bar.tooltip = `${problem}\n${t('Click to choose model, class or method.')}`;
    } else if (idle !== undefined) {
      bar.text = `$(eye) ${t('{0}: no row', look.name)}`;
      bar.tooltip = idle;
    } else if (seen) {
      bar.text = statusOf(look.name, seen.attribution, seen, seen.cut, seen.place);
      bar.tooltip = new vscode.MarkdownString(statusTooltip(look.name, methodOf(look.method), seen.attribution, seen, seen.cut));
    } else {
      bar.text = `$(loading~spin) ${t('{0}: saliency…', look.name)}`;
      bar.tooltip = t('The first look at a model opens it and compiles its gradient.');
    }
    bar.accessibilityInformation = { label: `${t('Saliency in text')}, ${bar.text.replace(/\$\([^)]*\) /, '')}`, role: 'button' };
    bar.show();
  };
  const show = (shading: Shading): void => {
    for (const editor of editorsOf(shading.document)) paint(editor);
    tell();
  };

  /** What stands under the cursor of a table: its row, or why there is none. */
  const rowOf = (
    document: vscode.TextDocument,
  ): { readonly cells: readonly Cell[]; readonly names: readonly string[]; readonly row: number } | string => {
    const table = tableOf(document);
    const [editor] = editorsOf(document);
    const row = editor && rowAt(table.text, table.starts, document.offsetAt(editor.selection.active));
    if (!row) return t('The cursor is in no row.');
    if (table.names && row.index === 0) return t('The cursor is in the row of column names; move it to a row of values.');
    const cells = cellsOf(table.text, row, table.separator);
    return { cells, names: table.names ?? [], row: row.index + (table.names ? 0 : 1) };
  };

  const question = async (shading: Shading, signal: AbortSignal): Promise<void> => {
    const { document, look, table } = shading;
    const { version } = document;
    const stale = (): boolean => signal.aborted || document.isClosed || document.version !== version || shading.look !== look;
    const row = table ? rowOf(document) : undefined;
    if (typeof row === 'string') {
      shading.seen = undefined;
      shading.problem = undefined;
      shading.idle = row;
      return show(shading);
    }
    shading.idle = undefined;
    const whole = row ? '' : document.getText();
    const text = whole.slice(0, MOST);
    const given: NonNullable<AttributeRequest['given']> = row
      ? { kind: 'fields', fields: row.cells.map(({ value }) => value) }
      : { kind: 'text', text };
    try {
      const target = look.target === undefined ? {} : { target: look.target };
      const attribution = await ports.attribute({ ...look.subject, given, method: look.method, ...target }, signal);
      if (stale()) return;
      const marks = row ? cellMarks(attribution, row.cells, row.names) : textMarks(attribution, text.length);
      shading.problem = marks
        ? undefined
        : row
          ? t('{0} tells no cells apart for this model; choose another method.', methodOf(look.method))
          : t('{0} tells no tokens apart for this model; choose another method.', methodOf(look.method));
      shading.seen = marks && { ...marks, attribution, version, place: row ? t('row {0}', row.row) : '', cut: whole.length > text.length };
    } catch (error) {
      if (stale() || (error instanceof Fault && error.code === 'job/stopped')) return;
      shading.seen = undefined;
      shading.problem = error instanceof Error ? error.message : String(error);
    }
    show(shading);
  };

  const begin = (document: vscode.TextDocument, look: Look): void => {
    const shading: Shading = {
      document,
      table: isTable(document),
      look,
      asked: latest((signal) => question(shading, signal).catch(ports.failed)),
    };
    open.set(keyOf(document), shading);
    show(shading);
    shading.asked.due(0);
  };
  const end = (document: vscode.TextDocument): void => {
    const shading = open.get(keyOf(document));
    if (!shading) return;
    shading.asked.stop();
    open.delete(keyOf(document));
    for (const editor of editorsOf(document)) made?.clear(editor);
    tell();
  };
  const active = (): vscode.TextDocument | undefined => {
    const document = vscode.window.activeTextEditor?.document;
    if (!document) void vscode.window.showInformationMessage(t('Open a text, source or CSV file, and put the cursor in it.'));
    return document;
  };

  const ask = ({ document }: { readonly document: vscode.TextDocument }, pause: number): void =>
    open.get(keyOf(document))?.asked.due(pause);
  const hover: vscode.HoverProvider = {
    provideHover(document, position) {
      const shading = open.get(keyOf(document));
      const seen = shading?.seen;
      if (!shading || !seen || seen.version !== document.version) return undefined;
      const offset = document.offsetAt(position);
      const mark = seen.marks.find(({ from, to }) => from <= offset && offset < to) ?? seen.marks.find(({ to }) => to === offset);
      if (!mark) return undefined;
      const range = new vscode.Range(document.positionAt(mark.from), document.positionAt(mark.to));
      const { look } = shading;
      const text = new vscode.MarkdownString(markHover(mark, document.getText(range), seen.attribution, look.name, methodOf(look.method)));
      text.isTrusted = { enabledCommands: ['assay.textSaliencyOptions', 'assay.toggleTextSaliency'] };
      return new vscode.Hover(text, range);
    },
  };

  const listening = [
    bar,
    vscode.languages.registerHoverProvider([{ scheme: 'file' }, { scheme: 'untitled' }], hover),
    vscode.workspace.onDidChangeTextDocument((change) => {
      if (change.contentChanges.length > 0) ask(change, EDIT);
    }),
    vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => {
      const shading = open.get(keyOf(textEditor.document));
      if (!shading?.table) return;
      const { active: cursor } = textEditor.selection;
      const marks = shading.seen?.version === textEditor.document.version ? shading.seen.marks : [];
      const offset = textEditor.document.offsetAt(cursor);
      const [first, last] = [marks[0], marks.at(-1)];
      // Within the row that is shaded nothing new is to be asked.
      if (first && last && textEditor.document.positionAt(first.from).line === cursor.line && offset <= last.to) return;
      shading.asked.due(MOVE);
    }),
    vscode.window.onDidChangeActiveTextEditor(tell),
    vscode.window.onDidChangeVisibleTextEditors((editors) => editors.forEach(paint)),
    vscode.workspace.onDidCloseTextDocument(end),
  ];

  return {
    async toggle() {
      const document = active();
      if (!document) return;
      if (open.has(keyOf(document))) return end(document);
      const hindered = hindrance(document);
      if (hindered !== undefined) return void vscode.window.showInformationMessage(hindered);
      const look = await ports.begin(contentOf(document), document.uri.fsPath);
      if (look) begin(document, look);
    },
    async choose() {
      const document = active();
      if (!document) return;
      const shading = open.get(keyOf(document));
      if (!shading) return this.toggle();
      const look = await ports.change(contentOf(document), document.uri.fsPath, shading.look, shading.seen?.attribution);
      if (look === 'off') return end(document);
      if (!look) return;
      shading.look = look;
      shading.problem = undefined;
      tell();
      shading.asked.due(0);
    },
    dispose() {
      for (const { asked } of open.values()) asked.stop();
      vscode.Disposable.from(...listening, ...(made ? [made] : [])).dispose();
    },
  };
};
