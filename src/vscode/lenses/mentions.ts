import { basename, dirname, isAbsolute, join } from 'node:path';

/** A model or dataset that code may name. */
export interface KnownFile {
  readonly path: string;
  readonly kind: 'model' | 'data';
  /** The entry of an `assay.json` that names it. */
  readonly suite?: string;
  readonly name?: string;
}
/** Where a line of code names one. Places are zero-based; `[from, to)` are columns of the text between the quotes. */
export interface Mention {
  readonly line: number;
  readonly from: number;
  readonly to: number;
  readonly file: KnownFile;
}

/** A path in code is no longer. */
const longest = 300;
/** Of a file that names hundreds, the first are enough. */
const most = 200;

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Known files by their names: what a line of code shows is often only the end of a path. */
const byName = (files: readonly KnownFile[]): ReadonlyMap<string, readonly KnownFile[]> => {
  const found = new Map<string, KnownFile[]>();
  for (const file of files) {
    const name = basename(file.path);
    const same = found.get(name);
    if (same) same.push(file);
    else found.set(name, [file]);
  }
  return found;
};

export interface MentionFinder {
  /** Mentions in a document; `at` is its path. */
  in(text: string, at: string): readonly Mention[];
}

/**
 * Finds string literals that name a known file. Only the endings of known files are searched for, and from each the text is read back to
 * its opening quote, so that a large file costs one pass of a regular expression.
 */
export const mentionFinder = (files: readonly KnownFile[]): MentionFinder => {
  const names = byName(files);
  const endings = [...new Set([...names.keys()].map((name) => /[^.]*$/.exec(name)?.[0] ?? name))];
  if (endings.length === 0) return { in: () => [] };
  const end = new RegExp(`(?:${endings.map(escaped).join('|')})(['"\`])`, 'g');
  return {
    in(text, at) {
      const found: Mention[] = [];
      let line = 0;
      let start = 0;
      end.lastIndex = 0;
      for (let match = end.exec(text); match && found.length < most; match = end.exec(text)) {
        const close = match.index + match[0].length - 1;
        // Lines before the match are counted on from the last one.
        for (let next = text.indexOf('\n', start); next >= 0 && next < close; next = text.indexOf('\n', start)) {
          line++;
          start = next + 1;
        }
        const low = Math.max(start, close - longest);
        const open = text.lastIndexOf(match[1], close - 1);
        if (open < low) continue;
        const written = text.slice(open + 1, close).replaceAll('\\\\', '\\');
        const file = resolved(written, at, names);
        if (file) found.push({ line, from: open + 1 - start, to: close - start, file });
      }
      return found;
    },
  };
};

/** The file meant: by its path from the folder of the code or one above it, else the only one that ends like it. */
const resolved = (written: string, at: string, names: ReadonlyMap<string, readonly KnownFile[]>): KnownFile | undefined => {
  const plain = written.replaceAll('\\', '/');
  const like = names.get(plain.slice(plain.lastIndexOf('/') + 1));
  if (!like) return undefined;
  if (isAbsolute(written)) return like.find(({ path }) => path === written);
  for (let folder = dirname(at); ; folder = dirname(folder)) {
    const exact = like.find(({ path }) => path === join(folder, plain));
    if (exact) return exact;
    if (dirname(folder) === folder) break;
  }
  const tail = like.filter(({ path }) => path.replaceAll('\\', '/').endsWith(`/${plain.replace(/^(\.{1,2}\/)+/, '')}`));
  return tail.length === 1 || new Set(tail.map(({ path }) => path)).size === 1 ? tail[0] : undefined;
};
