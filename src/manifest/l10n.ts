const imports = /import \{[^}]*\bt\b[^}]*\} from '[./]*l10n\.ts'/;
const calls = /(?<![\w.])t\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")?/g;

/** What calls of `t` in a file say first; undefined where that is no literal, so that no bundle can hold it. */
export const l10nTexts = (source: string): readonly (string | undefined)[] =>
  imports.test(source) ? [...source.matchAll(calls)].map(([, single, double]) => (single ?? double)?.replace(/\\(.)/g, '$1')) : [];

/** Texts of the extension and of its pages by their English, the keys of `vscode.l10n`. */
export const l10nBundle = (sources: readonly string[]): Readonly<Record<string, string>> => {
  const texts = sources.flatMap(l10nTexts).filter((text) => text !== undefined);
  return Object.fromEntries([...new Set(texts)].sort().map((text) => [text, text]));
};
