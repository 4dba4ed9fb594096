const call = /\bt\(\s*'((?:[^'\\]|\\.)*)'/g;

/** Texts of the extension by their English, the keys of `vscode.l10n`: what stands in calls of `t` in files that import it. */
export const l10nBundle = (sources: readonly string[]): Readonly<Record<string, string>> => {
  const texts = sources
    .filter((source) => /import \{[^}]*\bt\b[^}]*\} from '[./]*l10n\.ts'/.test(source))
    .flatMap((source) => [...source.matchAll(call)].map(([, text]) => text.replace(/\\(.)/g, '$1')));
  return Object.fromEntries([...new Set(texts)].sort().map((text) => [text, text]));
};
