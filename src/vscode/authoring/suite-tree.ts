import { dirname, isAbsolute, join, relative } from 'node:path';
import { getNodeValue, type Node, parseTree } from 'jsonc-parser';
import type { Catalogue, CatalogueDiagnostic } from '../../base/catalogue.ts';
import type { FileOutline } from '../../report/tasks.ts';

/** What is known of the world while an `assay.json` is written; `undefined` is not known, and nothing is said of it. */
export interface SuiteFacts {
  readonly catalogue: Pick<Catalogue, 'diagnostics' | 'readers'>;
  exists(path: string): boolean | undefined;
  outline(path: string): FileOutline | undefined;
  /** Files of the workspace. */
  readonly models: readonly string[];
  readonly data: readonly string[];
  /** Headline numbers of a diagnostic, as far as they are known; `all` where there are no others. */
  numbers(diagnostic: string): { readonly names: readonly string[]; readonly all: boolean };
}

/** One key of an object with the places of its name and value. */
export interface Property {
  readonly key: string;
  /** The whole `"key": value`. */
  readonly node: Node;
  readonly name: Node;
  readonly value: Node | undefined;
}
export interface Named {
  readonly name: string;
  readonly property: Property;
  readonly keys: readonly Property[];
}
export interface CheckTree {
  readonly node: Node;
  readonly keys: readonly Property[];
}
/** An `assay.json` with the places of its parts, also while it is being typed. Comments and trailing commas are let through. */
export interface SuiteTree {
  readonly root: Node | undefined;
  readonly keys: readonly Property[];
  readonly models: readonly Named[];
  readonly datasets: readonly Named[];
  readonly checks: readonly CheckTree[];
}

export const propertiesOf = (node: Node | undefined): readonly Property[] =>
  node?.type === 'object'
    ? (node.children ?? []).flatMap((property) => {
        const [name, value] = property.children ?? [];
        return name ? [{ key: String(name.value), node: property, name, value }] : [];
      })
    : [];

/** The first of that name. */
export const propertyOf = (keys: readonly Property[], key: string): Property | undefined => keys.find((p) => p.key === key);

/** The text of a key, where it holds text that is not empty. */
export const textOf = (keys: readonly Property[], key: string): { readonly text: string; readonly node: Node } | undefined => {
  const node = propertyOf(keys, key)?.value;
  return node?.type === 'string' && node.value !== '' ? { text: String(node.value), node } : undefined;
};

export const contentOf = (node: Node | undefined): unknown => (node ? getNodeValue(node) : undefined);

export const suiteTree = (text: string): SuiteTree => {
  const root = parseTree(text, [], { allowTrailingComma: true });
  const keys = propertiesOf(root);
  const named = (key: string): readonly Named[] =>
    propertiesOf(propertyOf(keys, key)?.value).map((property) => ({
      name: property.key,
      property,
      keys: propertiesOf(property.value),
    }));
  const list = propertyOf(keys, 'checks')?.value;
  const checks = list?.type === 'array' ? (list.children ?? []) : [];
  return {
    root,
    keys,
    models: named('models'),
    datasets: named('datasets'),
    checks: checks.filter(({ type }) => type === 'object').map((node) => ({ node, keys: propertiesOf(node) })),
  };
};

export const absolute = (suite: string, path: string): string => (isAbsolute(path) ? path : join(dirname(suite), path));

/** As it would be written in the `assay.json`: relative to its folder, with `/`. */
export const written = (suite: string, path: string): string => relative(dirname(suite), path).replaceAll('\\', '/');

export const diagnosticOf = ({ catalogue }: Pick<SuiteFacts, 'catalogue'>, { keys }: CheckTree): CatalogueDiagnostic | undefined => {
  const run = textOf(keys, 'run')?.text;
  return catalogue.diagnostics.find(({ id }) => id === run);
};

/** What the file behind an entry is, by its `path`. */
export const outlineOfEntry = (suite: string, entry: Named | undefined, facts: Pick<SuiteFacts, 'outline'>): FileOutline | undefined => {
  const path = entry && textOf(entry.keys, 'path');
  return path && facts.outline(absolute(suite, path.text));
};

/** Whether a name is that of a data file, by its ending. */
export const isDataFile = ({ catalogue }: Pick<SuiteFacts, 'catalogue'>, name: string): boolean =>
  catalogue.readers.some(({ endings }) => endings.some((ending) => name.toLowerCase().endsWith(ending)));

/** Arrays and columns that `x` and `y` may name. */
export const arraysOf = (outline: FileOutline | undefined): readonly string[] =>
  outline?.kind === 'data' ? [...outline.columns, ...outline.extras].map(({ name }) => name) : [];

/** Every file that an `assay.json` names. */
export const filesOf = (suite: string, { models, datasets }: SuiteTree, facts: Pick<SuiteFacts, 'catalogue'>): readonly string[] => {
  const paths = [...models, ...datasets].flatMap(({ keys }) => {
    const preprocess = propertiesOf(propertyOf(keys, 'preprocess')?.value);
    const xy = ['x', 'y'].flatMap((key) => textOf(keys, key) ?? []).filter(({ text }) => isDataFile(facts, text));
    return [textOf(keys, 'path'), textOf(keys, 'labels'), textOf(preprocess, 'tokenizer'), ...xy].flatMap((found) => found?.text ?? []);
  });
  return [...new Set(paths.map((path) => absolute(suite, path)))];
};
