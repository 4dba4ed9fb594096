import { basename, extname } from 'node:path';
import type { Node } from 'jsonc-parser';
import { nearest } from '../../base/nearest.ts';
import type { FileOutline } from '../../report/tasks.ts';
import { t } from '../l10n.ts';
import { type Finding, type Fix, finding, listed, meant, nameFixes, removal } from './finding.ts';
import {
  absolute,
  arraysOf,
  isDataFile,
  type Named,
  outlineOfEntry,
  propertiesOf,
  propertyOf,
  type SuiteFacts,
  textOf,
  written,
} from './suite-tree.ts';

/** Files that may be meant by a path: of the same name elsewhere first, then of the same ending and a like name, then the others. */
const candidates = (suite: string, path: string, files: readonly string[]): readonly string[] => {
  const near = nearest(
    basename(path),
    files.map((file) => basename(file)),
  );
  const weight = (file: string): number =>
    basename(file) === basename(path) ? 0 : basename(file) === near ? 1 : extname(file) === extname(path) ? 2 : 3;
  return [...files].sort((a, b) => weight(a) - weight(b)).map((file) => written(suite, file));
};

const fileFixes = (node: Node, suite: string, path: string, files: readonly string[]): readonly Fix[] =>
  candidates(suite, path, files)
    .slice(0, 4)
    .map((file, i) => ({
      title: t("Use '{0}'", file),
      edits: [{ from: node.offset, to: node.offset + node.length, text: JSON.stringify(file) }],
      ...(i === 0 ? { preferred: true as const } : {}),
    }));

const missingFile = (
  suite: string,
  found: { readonly text: string; readonly node: Node } | undefined,
  what: 'file' | 'file or folder',
  files: readonly string[],
  facts: SuiteFacts,
): readonly Finding[] => {
  if (!found || facts.exists(absolute(suite, found.text)) !== false) return [];
  return [
    finding(
      found.node,
      'missing-file',
      what === 'file'
        ? t("There is no file '{0}' in the folder of this file.", found.text)
        : t("There is no file or folder '{0}' in the folder of this file.", found.text),
      fileFixes(found.node, suite, found.text, files),
    ),
  ];
};

const unreadable = (node: Node | undefined, outline: FileOutline | undefined): readonly Finding[] =>
  node && outline?.kind === 'unreadable' ? [finding(node, 'unreadable-file', outline.reason, [], 'warning')] : [];

/** A model's file, and the names of its input and output. */
export const modelFindings = (text: string, suite: string, model: Named, facts: SuiteFacts): readonly Finding[] => {
  const path = textOf(model.keys, 'path');
  const outline = outlineOfEntry(suite, model, facts);
  const end = (key: 'input' | 'output'): readonly Finding[] => {
    const given = textOf(model.keys, key);
    const property = propertyOf(model.keys, key);
    if (!given || !property || outline?.kind !== 'model') return [];
    const known = outline[`${key}s`].map(({ name }) => name);
    if (known.includes(given.text)) return [];
    const no = (file: string, name: string): string =>
      key === 'input' ? t("'{0}' has no input '{1}'.", file, name) : t("'{0}' has no output '{1}'.", file, name);
    const its = (names: string): string => (key === 'input' ? t('Its inputs: {0}.', names) : t('Its outputs: {0}.', names));
    return [
      finding(
        given.node,
        `unknown-${key}`,
        [no(path?.text ?? '', given.text), meant(given.text, known), ' ', its(listed(known))].join(''),
        [...nameFixes(given.node, given.text, known), removal(text, property)],
      ),
    ];
  };
  // With no other model in its place it may be one that is not trained yet.
  const missing = missingFile(suite, path, 'file', facts.models, facts).map(
    (found): Finding =>
      found.fixes.length > 0
        ? found
        : { ...found, severity: 'warning', message: `${found.message} ${t('Train it, or choose another file.')}` },
  );
  return [...missing, ...unreadable(path?.node, outline), ...end('input'), ...end('output')];
};

/** Whether `x` finds anything: an array, several by comma, or a pattern of whole names. */
const matchesSome = (given: string, known: readonly string[]): boolean => {
  if (known.includes(given) || given.split(',').every((part) => known.includes(part.trim()))) return true;
  try {
    const pattern = new RegExp(`^(?:${given})$`);
    return known.some((name) => pattern.test(name));
  } catch {
    return false;
  }
};

/** A dataset's files, and the names of its arrays. */
export const datasetFindings = (text: string, suite: string, dataset: Named, facts: SuiteFacts): readonly Finding[] => {
  const path = textOf(dataset.keys, 'path');
  const outline = outlineOfEntry(suite, dataset, facts);
  const known = arraysOf(outline);
  const unknown = (name: string, node: Node, rewrite: (name: string) => string, extra: readonly Fix[] = []): Finding => {
    const near = nameFixes(node, name, known).map((fix) => ({
      ...fix,
      edits: fix.edits.map((edit) => ({ ...edit, text: JSON.stringify(rewrite(String(JSON.parse(edit.text)))) })),
    }));
    return finding(
      node,
      'unknown-array',
      `${t("'{0}' has no array or column '{1}'.", path?.text ?? '', name)}${meant(name, known)} ${t('It has: {0}.', listed(known))}`,
      [...near, ...extra],
    );
  };
  const array = (key: 'x' | 'y'): readonly Finding[] => {
    const given = textOf(dataset.keys, key);
    const property = propertyOf(dataset.keys, key);
    if (!given || !property) return [];
    if (isDataFile(facts, given.text) && !known.includes(given.text)) return missingFile(suite, given, 'file', facts.data, facts);
    const has = key === 'x' ? matchesSome(given.text, known) : known.includes(given.text);
    return known.length === 0 || has ? [] : [unknown(given.text, given.node, (name) => name, [removal(text, property)])];
  };
  const split = textOf(dataset.keys, 'split');
  const [, index, column] = /^(?:@(.+)|([^=]+)=.*)$/.exec(split?.text ?? '') ?? [];
  const named = index ?? column;
  const splits =
    split && named !== undefined && known.length > 0 && !known.includes(named)
      ? [unknown(named, split.node, (name) => (index === undefined ? split.text.replace(/^[^=]+/, name) : `@${name}`))]
      : [];
  const tokenizer = textOf(propertiesOf(propertyOf(dataset.keys, 'preprocess')?.value), 'tokenizer');
  return [
    ...missingFile(suite, path, 'file or folder', facts.data, facts),
    ...unreadable(path?.node, outline),
    ...missingFile(suite, textOf(dataset.keys, 'labels'), 'file', facts.data, facts),
    ...missingFile(suite, tokenizer, 'file', [], facts),
    ...array('x'),
    ...array('y'),
    ...splits,
  ];
};
