import { dirname } from 'node:path';
import * as vscode from 'vscode';
import type { DataRef } from '../../base/request.ts';
import type { Attribution } from '../../report/tasks.ts';
import type { Host, Place, SaliencySubject } from '../define.ts';
import { datasetsBeside } from '../insight/fitting.ts';
import { nearestFirst, picturePlaces, referenceAt, rowMeant } from '../insight/references.ts';
import { thumbnailOf } from '../insight/thumbnail.ts';
import { answerOf, classOf, escaped, strongestOf } from '../insight/wording.ts';
import { t } from '../l10n.ts';
import { located } from '../located.ts';

/** A sample and the model to look at it with. */
interface Meant {
  readonly subject: SaliencySubject;
  readonly place: Place;
  readonly name: string;
  readonly model: string;
}

export interface SampleHoverPorts {
  readonly host: Host;
  attribute(subject: SaliencySubject, place: Place, signal: AbortSignal): Promise<Attribution>;
  /** The model that a picture is looked at with, without a question. */
  forPicture(path: string): Promise<{ readonly name: string; readonly subject: SaliencySubject } | undefined>;
}

/** Hovers that stay known. */
const KEPT = 20;

/** Code around the line: of a notebook all its cells. */
const codeOf = (document: vscode.TextDocument): string => {
  const notebook = vscode.workspace.notebookDocuments.find((one) => one.getCells().some((cell) => cell.document === document));
  return notebook
    ? notebook
        .getCells()
        .map((cell) => cell.document.getText())
        .join('\n')
    : document.getText();
};

/** Over the path of a picture, or one row of a known dataset: a small picture with its map, and the way to the image tab. */
export const sampleHover = ({ host, attribute, forPicture }: SampleHoverPorts): vscode.HoverProvider => {
  const known = new Map<string, Promise<Attribution>>();

  const meantAt = async (
    document: vscode.TextDocument,
    line: string,
    column: number,
  ): Promise<(Meant & { readonly range: readonly [number, number] }) | undefined> => {
    const reference = referenceAt(line, column);
    if (!reference) return undefined;
    const range = [reference.from, reference.to] as const;
    const suites = nearestFirst(await host.suites(), document.uri.fsPath);
    const datasets = suites.flatMap((suite) =>
      suite.datasets.map(({ name, value }) => ({ name, suite, ref: located(suite.path, value, host.catalogue.readers) })),
    );
    if (reference.kind === 'path') {
      const own = vscode.workspace.getWorkspaceFolder(document.uri);
      const folders = [...(own ? [own] : []), ...(vscode.workspace.workspaceFolders ?? [])].map(({ uri }) => uri.fsPath);
      const refs: readonly DataRef[] = datasets.map(({ ref }) => ref);
      for (const path of picturePlaces(reference.path, document.uri.fsPath, [...folders, ...suites.map((s) => dirname(s.path))], refs)) {
        if (!(await host.exists(path))) continue;
        const chosen = await forPicture(path);
        return chosen && { ...chosen, model: chosen.name, name: reference.path, place: { position: 0 }, range };
      }
      return undefined;
    }
    const sample = rowMeant(reference, codeOf(document), datasets);
    if (!sample) return undefined;
    const { suite, name } = sample.data;
    // The model that a check asks about these data; else the first that is named beside them.
    const model = [...suite.models].sort((a, b) => {
      const first = (one: string): number =>
        Number(datasetsBeside(suite, one)[0]?.name === name && suite.checks.some((c) => c.value.model === one));
      return first(b.name) - first(a.name);
    })[0];
    if (!model) return undefined;
    const subject = { model: located(suite.path, model.value), data: sample.ref };
    return { subject, place: sample.place, model: model.name, name: `${name}, ${reference.name}[${reference.index}]`, range };
  };

  const seen = (key: string, ask: () => Promise<Attribution>): Promise<Attribution> => {
    const found = known.get(key) ?? ask();
    known.delete(key);
    known.set(key, found);
    found.catch(() => known.delete(key));
    for (const old of known.keys()) if (known.size > KEPT) known.delete(old);
    return found;
  };

  return {
    async provideHover(document, position, token) {
      const meant = await meantAt(document, document.lineAt(position.line).text, position.character);
      if (!meant || token.isCancellationRequested) return undefined;
      const {
        subject,
        place,
        range: [from, to],
      } = meant;
      const text = new vscode.MarkdownString();
      text.isTrusted = { enabledCommands: ['assay.lookAtSample', 'workbench.trust.manage'] };
      const range = new vscode.Range(position.line, from, position.line, to);
      if (!vscode.workspace.isTrusted) {
        text.appendMarkdown(
          `${t('Saliency is off: running a model needs a trusted workspace.')} [${t('Manage Trust')}](command:workbench.trust.manage)`,
        );
        return new vscode.Hover(text, range);
      }
      const stop = new AbortController();
      token.onCancellationRequested(() => stop.abort());
      const link = `[${t('Open in the image tab')}](command:assay.lookAtSample?${encodeURIComponent(JSON.stringify([{ sample: { subject, place } }]))})`;
      try {
        const a = await seen(JSON.stringify([subject, place]), () => attribute(subject, place, stop.signal));
        const picture = thumbnailOf(a);
        const name = classOf(a);
        if (picture) {
          const size = `|width=${picture.width},height=${picture.height}`;
          const plain = picture.plain === undefined ? '' : `![${t('The sample')}](${picture.plain}${size})&nbsp;`;
          text.appendMarkdown(`${plain}![${t('The sample under its map')}](${picture.mapped}${size})\n\n`);
        }
        text.appendMarkdown(`**${escaped(meant.name)}** · ${escaped(meant.model)}\n\n`);
        const answer = answerOf(a);
        if (answer !== '') text.appendMarkdown(`${answer}\n\n`);
        if (!picture)
          text.appendMarkdown(
            `${strongestOf(a)
              .map((line) => `- ${line}`)
              .join('\n')}\n\n`,
          );
        else if (name !== undefined) text.appendMarkdown(`${t('Red speaks for {0}, blue against it.', escaped(name))}\n\n`);
        text.appendMarkdown(link);
      } catch (error) {
        if (stop.signal.aborted) return undefined;
        text.appendText(error instanceof Error ? error.message : String(error));
      }
      return new vscode.Hover(text, range);
    },
  };
};
