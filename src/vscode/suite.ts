import { findNodeAtLocation, getNodeValue, type Node, parseTree } from 'jsonc-parser';
import type { Check, DataRef, ModelRef } from '../base/request.ts';

/** A named entry of `assay.json` and the line (zero-based) where its name (for a check: its opening brace) stands. */
export interface Entry<T> {
  readonly name: string;
  readonly value: T;
  readonly line: number;
}
export interface SuiteText {
  readonly models: readonly Entry<ModelRef>[];
  readonly datasets: readonly Entry<DataRef>[];
  readonly checks: readonly Entry<Check>[];
  /** Where the list of checks begins. */
  readonly checksLine?: number;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const refers = <T extends { readonly path: string }>(value: unknown): value is T =>
  isObject(value) && typeof value.path === 'string' && value.path !== '';
const checks = (value: unknown): value is Check =>
  isObject(value) && typeof value.name === 'string' && typeof value.run === 'string' && typeof value.data === 'string';

/** Zero-based line of an offset. */
type LineOf = (offset: number) => number;

const named = <T extends { readonly path: string }>(root: Node, lineOf: LineOf, key: string): Entry<T>[] => {
  const found: Entry<T>[] = [];
  for (const property of findNodeAtLocation(root, [key])?.children ?? []) {
    const [name, value] = property.children ?? [];
    const content: unknown = value ? getNodeValue(value) : undefined;
    if (name && refers<T>(content)) found.push({ name: String(name.value), value: content, line: lineOf(name.offset) });
  }
  return found;
};

const checksOf = (root: Node, lineOf: LineOf): Entry<Check>[] => {
  const found: Entry<Check>[] = [];
  for (const item of findNodeAtLocation(root, ['checks'])?.children ?? []) {
    const content: unknown = getNodeValue(item);
    if (checks(content)) found.push({ name: content.name, value: content, line: lineOf(item.offset) });
  }
  return found;
};

/** What can be read of an `assay.json`, also while it is being typed: incomplete entries are left out. */
export const readSuite = (text: string): SuiteText => {
  const root = parseTree(text, [], { allowTrailingComma: true });
  if (root?.type !== 'object') return { models: [], datasets: [], checks: [] };
  const lineOf: LineOf = (offset) => text.slice(0, offset).split('\n').length - 1;
  const list = findNodeAtLocation(root, ['checks'])?.parent;
  return {
    ...(list ? { checksLine: lineOf(list.offset) } : {}),
    models: named<ModelRef>(root, lineOf, 'models'),
    datasets: named<DataRef>(root, lineOf, 'datasets'),
    checks: checksOf(root, lineOf),
  };
};
