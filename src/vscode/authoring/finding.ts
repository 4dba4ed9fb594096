import type { Node } from 'jsonc-parser';
import { nearest } from '../../base/nearest.ts';
import { t } from '../l10n.ts';
import type { Property } from './suite-tree.ts';

/** A change of the text: `[from, to)` becomes `text`. */
export interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}
export interface Fix {
  readonly title: string;
  readonly edits: readonly Edit[];
  /** The one that is most likely meant. */
  readonly preferred?: true;
}
/** Something wrong with an `assay.json`, at its place, and ways to mend it. */
export interface Finding {
  readonly from: number;
  readonly to: number;
  readonly severity: 'error' | 'warning';
  readonly code: string;
  readonly message: string;
  readonly fixes: readonly Fix[];
  /** VS Code says it already, by the schema: only the fixes are needed. */
  readonly bySchema?: true;
}

const most = 4;

/** Known names in the order of how likely they are meant: the nearest first. */
const likely = (name: string, known: readonly string[]): readonly string[] => {
  const near = nearest(name, known);
  return [...known].sort((a, b) => Number(b === near) - Number(a === near)).slice(0, most);
};

/** Puts one of the names that are known in the place of a text. */
export const nameFixes = (node: Node, name: string, known: readonly string[]): readonly Fix[] => {
  const near = nearest(name, known);
  return likely(name, known).map((other) => ({
    title: t("Change to '{0}'", other),
    edits: [{ from: node.offset, to: node.offset + node.length, text: JSON.stringify(other) }],
    ...(other === near ? { preferred: true as const } : {}),
  }));
};

/** Takes a key away, with the comma that parts it from its neighbours. */
export const removal = (text: string, { key, node }: Property): Fix => {
  let from = node.offset;
  let to = node.offset + node.length;
  const after = /^\s*,[^\S\n]*/.exec(text.slice(to));
  if (after) {
    to += after[0].length;
    const before = /\n[^\S\n]*$/.exec(text.slice(0, from));
    // A key that has its line to itself takes the line with it.
    if (before && /^\s*\n/.test(text.slice(to))) from -= before[0].length;
    else to += /^\s*/.exec(text.slice(to))?.[0].length ?? 0;
  } else from -= /,?\s*$/.exec(text.slice(0, from))?.[0].length ?? 0;
  return { title: t("Remove '{0}'", key), edits: [{ from, to, text: '' }] };
};

export const finding = (
  node: Pick<Node, 'offset' | 'length'>,
  code: string,
  message: string,
  fixes: readonly Fix[] = [],
  severity: Finding['severity'] = 'error',
): Finding => ({ from: node.offset, to: node.offset + node.length, code, message, fixes, severity });

/** ` Did you mean 'x'?`, or nothing. */
export const meant = (name: string, known: readonly string[]): string => {
  const near = nearest(name, known);
  return near ? ` ${t("Did you mean '{0}'?", near)}` : '';
};

/** Names for a sentence; of many the first. */
export const listed = (known: readonly string[]): string =>
  known.length === 0 ? t('none') : known.length > 12 ? `${known.slice(0, 12).join(', ')}, …` : known.join(', ');
