import type { Catalogue } from '../base/catalogue.ts';
import { commandOf } from '../vscode/commands/diagnose.ts';

const imports = /import \{[^}]*\bt\b[^}]*\} from '[./]*l10n\.ts'/;
const calls = /(?<![\w.])t\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")?/g;

/** What calls of `t` in a file say first; undefined where that is no literal, so that no bundle can hold it. */
export const l10nTexts = (source: string): readonly (string | undefined)[] =>
  imports.test(source) ? [...source.matchAll(calls)].map(([, single, double]) => (single ?? double)?.replace(/\\(.)/g, '$1')) : [];

/** What pickers and controls show of the catalogue. */
export const catalogueTexts = ({ diagnostics }: Pick<Catalogue, 'diagnostics'>): readonly string[] =>
  diagnostics.flatMap((d) => [
    commandOf(d).title,
    d.question,
    d.family,
    ...Object.values(d.options).flatMap((option) => [
      option.help,
      ...(option.kind === 'choice' ? [...Object.values(option.titles ?? {}), ...Object.values(option.groups ?? {})] : []),
    ]),
  ]);

/** Texts of the extension and of its pages by their English, the keys of `vscode.l10n`. */
export const l10nBundle = (sources: readonly string[], more: readonly string[] = []): Readonly<Record<string, string>> => {
  const texts = [...sources.flatMap(l10nTexts).filter((text) => text !== undefined), ...more];
  return Object.fromEntries([...new Set(texts)].sort().map((text) => [text, text]));
};
