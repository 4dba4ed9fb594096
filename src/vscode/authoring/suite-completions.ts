import { getLocation, type Node } from 'jsonc-parser';
import type { Option } from '../../base/option.ts';
import type { FileOutline } from '../../report/tasks.ts';
import { t } from '../l10n.ts';
import {
  absolute,
  arraysOf,
  type CheckTree,
  contentOf,
  diagnosticOf,
  outlineOfEntry,
  propertiesOf,
  propertyOf,
  type SuiteFacts,
  type SuiteTree,
  suiteTree,
  textOf,
  written,
} from './suite-tree.ts';

/** What may stand at a place of an `assay.json` that the schema cannot know. */
export interface Offer {
  readonly label: string;
  readonly detail?: string;
  readonly kind: 'name' | 'file' | 'key';
}
export interface Offers {
  /** What is replaced: the text under the cursor with its quotes, or nothing. */
  readonly from: number;
  readonly to: number;
  readonly offers: readonly Offer[];
  /** It stands before a colon that is not there yet: `: {}` is to follow. */
  readonly bare: boolean;
}

const shapeOf = (dims: readonly (number | string)[] | null): string => (dims ? `[${dims.join(', ')}]` : '');
const names = (list: readonly string[], detail?: string): readonly Offer[] =>
  list.map((label) => ({ label, kind: 'name', ...(detail === undefined ? {} : { detail }) }));

const fileOffers = (suite: string, files: readonly string[]): readonly Offer[] =>
  files.map((file) => ({ label: written(suite, file), kind: 'file' }));

const ends = (outline: FileOutline | undefined, key: 'inputs' | 'outputs'): readonly Offer[] =>
  outline?.kind === 'model'
    ? outline[key].map(({ name, dtype, dims }) => ({ label: name, detail: `${dtype} ${shapeOf(dims)}`, kind: 'name' }))
    : [];

const arrays = (outline: FileOutline | undefined): readonly Offer[] =>
  outline?.kind === 'data'
    ? [
        ...outline.columns.map(
          ({ name, dtype, dims }): Offer => ({
            label: name,
            detail: `${dtype} ${dims.length > 0 ? shapeOf(dims) : t('a row')}`,
            kind: 'name',
          }),
        ),
        ...outline.extras.map(
          ({ name, dtype, length }): Offer => ({ label: name, detail: t('{0}, {1} long', dtype, length), kind: 'name' }),
        ),
      ]
    : [];

const splits = (outline: FileOutline | undefined): readonly Offer[] => [
  ...names(['test', 'train'], t('rows that the file names, else a fixed part')),
  ...names(['0.2'], t('a random part of the rows')),
  ...(outline?.kind === 'data'
    ? outline.extras
        .filter(({ dtype }) => /int/.test(dtype))
        .map(({ name, length }): Offer => ({ label: `@${name}`, detail: t('{0} row numbers', length), kind: 'name' }))
    : []),
];

/** Files of these endings that the workspace has. */
const entryOffers = (
  kind: 'models' | 'datasets',
  name: string,
  key: string,
  suite: string,
  tree: SuiteTree,
  facts: SuiteFacts,
): readonly Offer[] => {
  const entry = tree[kind].find((e) => e.name === name);
  const outline = outlineOfEntry(suite, entry, facts);
  switch (`${kind}.${key}`) {
    case 'models.path':
      return fileOffers(suite, facts.models);
    case 'datasets.path':
    case 'datasets.labels':
      return fileOffers(suite, facts.data);
    case 'models.input':
      return ends(outline, 'inputs');
    case 'models.output':
      return ends(outline, 'outputs');
    case 'datasets.x':
    case 'datasets.y':
      return arrays(outline);
    case 'datasets.split':
      return splits(outline);
    default:
      return [];
  }
};

const optionOffers = (
  option: Option | undefined,
  suite: string,
  tree: SuiteTree,
  check: CheckTree,
  facts: SuiteFacts,
): readonly Offer[] => {
  if (option?.kind !== 'pick') return [];
  const model = tree.models.find(({ name }) => name === textOf(check.keys, 'model')?.text);
  const data = tree.datasets.find(({ name }) => name === textOf(check.keys, 'data')?.text);
  const labels = contentOf(propertyOf(model?.keys ?? [], 'labels')?.value);
  switch (option.from) {
    case 'class':
      return Array.isArray(labels) ? names(labels.map(String), 'class') : [];
    case 'column':
      return names(arraysOf(outlineOfEntry(suite, data, facts)), 'column');
    case 'output':
      return ends(outlineOfEntry(suite, model, facts), 'outputs');
    case 'layer':
      return [];
  }
};

const checkOffers = (
  path: readonly (string | number)[],
  atKey: boolean,
  suite: string,
  tree: SuiteTree,
  facts: SuiteFacts,
): readonly Offer[] => {
  const check = tree.checks[Number(path[1])];
  if (!check) return [];
  const diagnostic = diagnosticOf(facts, check);
  const [, , key, inner] = path;
  if (key === 'expect' && atKey && path.length === 4 && diagnostic) {
    const there = propertiesOf(propertyOf(check.keys, 'expect')?.value).map((p) => p.key);
    return facts
      .numbers(diagnostic.id)
      .names.filter((name) => !name.includes('*') && (!there.includes(name) || name === inner))
      .map((label) => ({ label, detail: t('headline number of {0}', diagnostic.id), kind: 'key' }));
  }
  if (key === 'options' && path.length === 4 && diagnostic) {
    if (!atKey) return optionOffers(diagnostic.options[String(inner)], suite, tree, check, facts);
    return [];
  }
  if (atKey || path.length !== 3) return [];
  const models = tree.models.map(({ name }) => name);
  const datasets = tree.datasets.map(({ name }) => name);
  switch (key) {
    case 'model':
      return names(models, 'model');
    case 'data':
    case 'againstData':
      return names(datasets, 'dataset');
    case 'against':
      return [...names(models, 'model'), ...names(datasets, 'dataset')];
    default:
      return [];
  }
};

const replaced = (node: Node | undefined, offset: number): { readonly from: number; readonly to: number } =>
  (node?.type === 'string' || node?.type === 'property') && node.offset <= offset && offset <= node.offset + node.length
    ? { from: node.offset, to: node.offset + node.length }
    : { from: offset, to: offset };

/** Names, files and numbers that may stand at an offset of an `assay.json`; what the schema offers is left to VS Code. */
export const offersAt = (text: string, offset: number, suite: string, facts: SuiteFacts): Offers | undefined => {
  const { path, isAtPropertyKey, previousNode } = getLocation(text, offset);
  const tree = suiteTree(text);
  const [first, name, key] = path;
  const offers =
    first === 'checks'
      ? checkOffers(path, isAtPropertyKey, suite, tree, facts)
      : (first === 'models' || first === 'datasets') && path.length === 3 && !isAtPropertyKey
        ? entryOffers(first, String(name), String(key), suite, tree, facts)
        : first === 'datasets' && key === 'preprocess' && path[3] === 'tokenizer'
          ? fileOffers(
              suite,
              facts.data.filter((file) => file.endsWith('.json')),
            )
          : [];
  if (offers.length === 0) return undefined;
  const place = replaced(previousNode, offset);
  return { ...place, offers, bare: isAtPropertyKey && !/^\s*:/.test(text.slice(place.to)) };
};

/** What is told of the name under the cursor: an entry of `models` or `datasets`, or a check's use of it. */
export const entryAt = (
  text: string,
  offset: number,
  suite: string,
):
  | { readonly kind: 'models' | 'datasets'; readonly name: string; readonly path: string; readonly from: number; readonly to: number }
  | undefined => {
  const { path, previousNode: node } = getLocation(text, offset);
  if (!node || offset < node.offset || offset > node.offset + node.length) return undefined;
  const tree = suiteTree(text);
  const [first, second, key] = path;
  const kinds: readonly ('models' | 'datasets')[] =
    first === 'models' || first === 'datasets'
      ? [first]
      : first !== 'checks' || path.length !== 3
        ? []
        : key === 'model'
          ? ['models']
          : key === 'data' || key === 'againstData'
            ? ['datasets']
            : key === 'against'
              ? ['models', 'datasets']
              : [];
  const name = first === 'checks' ? String(node.value) : String(second);
  if (first !== 'checks' && !(path.length === 2 || (path.length === 3 && key === 'path'))) return undefined;
  for (const kind of kinds) {
    const entry = tree[kind].find((e) => e.name === name);
    const file = entry && textOf(entry.keys, 'path');
    if (file) return { kind, name, path: absolute(suite, file.text), from: node.offset, to: node.offset + node.length };
  }
  return undefined;
};

/** A file in words: the ends of a model, the columns of data. */
export const outlineWords = (outline: FileOutline): string => {
  const few = <T>(list: readonly T[], say: (one: T) => string): string =>
    list.length > 8 ? t('{0} and {1} more', list.slice(0, 8).map(say).join(', '), list.length - 8) : list.map(say).join(', ');
  switch (outline.kind) {
    case 'model': {
      const end = ({ name, dtype, dims }: (typeof outline.inputs)[number]): string => `\`${name}\` ${dtype} ${shapeOf(dims)}`;
      return t('Inputs {0} → outputs {1}', few(outline.inputs, end), few(outline.outputs, end));
    }
    case 'data':
      return t(
        '{0} rows of {1}',
        outline.rows.toLocaleString('en'),
        few(outline.columns, ({ name, dtype, dims }) => `\`${name}\` ${dtype}${dims.length > 0 ? ` ${shapeOf(dims)}` : ''}`),
      );
    case 'unreadable':
      return outline.reason;
  }
};
