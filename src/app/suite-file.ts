import { findNodeAtLocation, getNodeValue, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { Fault } from '../base/fault.ts';
import { nearest } from '../base/nearest.ts';
import type { Expectation, Suite } from '../base/request.ts';

/** What a value in `assay.json` may be. */
type Shape =
  | { readonly kind: 'text' | 'number' | 'anything' }
  | { readonly kind: 'choice'; readonly of: readonly string[] }
  | { readonly kind: 'list'; readonly of: Shape }
  /** Any keys, one shape for their values. */
  | { readonly kind: 'map'; readonly of: Shape }
  | { readonly kind: 'object'; readonly keys: Readonly<Record<string, Shape>>; readonly required?: readonly string[] };

const text: Shape = { kind: 'text' };
const number: Shape = { kind: 'number' };
const list = (of: Shape): Shape => ({ kind: 'list', of });
const map = (of: Shape): Shape => ({ kind: 'map', of });
const object = (keys: Readonly<Record<string, Shape>>, required: readonly string[] = []): Shape => ({ kind: 'object', keys, required });
const choice = (...of: string[]): Shape => ({ kind: 'choice', of });

const preprocess = object({
  scale: number,
  mean: list(number),
  std: list(number),
  layout: choice('nchw', 'nhwc', 'flat'),
  resize: text,
  tokenizer: text,
});
const shape: Shape = object({
  $schema: text,
  models: map(object({ path: text, input: text, output: text, labels: list(text) }, ['path'])),
  datasets: map(object({ path: text, x: text, y: text, labels: text, split: text, columns: text, preprocess }, ['path'])),
  checks: list(
    object(
      {
        name: text,
        run: text,
        model: text,
        data: text,
        against: text,
        againstData: text,
        options: map({ kind: 'anything' }),
        expect: map(object({ min: number, max: number, bound: choice('point', 'lower', 'upper'), level: number })),
      },
      ['name', 'run', 'data'],
    ),
  ),
});

export interface SuiteFile {
  readonly suite: Suite;
  /** Line (from 1) of each check. */
  readonly lines: readonly number[];
}

/** Reads and validates `assay.json`; faults name the key path and the line. Comments and trailing commas are let through. */
export const readSuiteFile = (content: string, path: string): SuiteFile => {
  const lineOf = (offset: number): number => content.slice(0, offset).split('\n').length;
  const errors: ParseError[] = [];
  const root = parseTree(content, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error) {
    const words = printParseErrorCode(error.error)
      .replace(/([a-z])([A-Z])/g, '$1 $2')
      .toLowerCase();
    throw new Fault('suite/syntax', { path, line: lineOf(error.offset), reason: `this is no JSON (${words})` });
  }
  if (!root) throw new Fault('suite/syntax', { path, line: 1, reason: 'the file holds no JSON' });

  const walk = (node: Node, as: Shape, where: string): void => {
    const must = (holds: boolean, expected: string): void => {
      if (!holds) throw new Fault('suite/value', { path, line: lineOf(node.offset), where: where || 'the file', expected });
    };
    switch (as.kind) {
      case 'text':
        must(node.type === 'string', 'text');
        break;
      case 'number':
        must(node.type === 'number', 'a number');
        break;
      case 'anything':
        must(['string', 'number', 'boolean'].includes(node.type), 'text, a number, true or false');
        break;
      case 'choice':
        must(as.of.includes(String(node.value)), `one of ${as.of.join(', ')}`);
        break;
      case 'list':
        must(node.type === 'array', 'a list');
        for (const [i, item] of (node.children ?? []).entries()) walk(item, as.of, `${where}[${i}]`);
        break;
      case 'map':
      case 'object': {
        must(node.type === 'object', 'an object');
        const seen = new Set<string>();
        for (const property of node.children ?? []) {
          const [key, value] = property.children ?? [];
          if (!key || !value) continue;
          const name = String(key.value);
          const inner = where ? `${where}.${name}` : name;
          if (seen.has(name)) throw new Fault('suite/key-twice', { path, line: lineOf(key.offset), where: inner });
          seen.add(name);
          const of = as.kind === 'map' ? as.of : Object.hasOwn(as.keys, name) ? as.keys[name] : undefined;
          if (!of) {
            const known = as.kind === 'object' ? Object.keys(as.keys) : [];
            throw new Fault('suite/key', { path, line: lineOf(key.offset), where: inner, nearest: nearest(name, known), known });
          }
          walk(value, of, inner);
        }
        for (const name of as.kind === 'object' ? (as.required ?? []) : []) must(seen.has(name), `given a '${name}'`);
      }
    }
  };
  walk(root, shape, '');
  checkGates(root, path, lineOf);
  const suite: Suite = getNodeValue(root);
  const checks = root.children?.find((p) => p.children?.[0]?.value === 'checks')?.children?.[1]?.children ?? [];
  return { suite, lines: checks.map((c) => lineOf(c.offset)) };
};

/** Gates that nothing could pass. */
const checkGates = (root: Node, path: string, lineOf: (offset: number) => number): void => {
  for (const [i, check] of (findNodeAtLocation(root, ['checks'])?.children ?? []).entries())
    for (const gate of findNodeAtLocation(check, ['expect'])?.children ?? []) {
      const [name, value] = gate.children ?? [];
      const { min, max }: Expectation = value ? getNodeValue(value) : {};
      if (min !== undefined && max !== undefined && min > max)
        throw new Fault('suite/value', {
          path,
          line: lineOf(gate.offset),
          where: `checks[${i}].expect.${name?.value}.min`,
          expected: `at most its max, ${max}`,
        });
    }
};

/** Every name that a check uses must be there, and no two checks share one. `ids` are the diagnostics. */
export const checkNames = ({ suite, lines }: SuiteFile, path: string, ids: readonly string[]): void => {
  const names = new Set<string>();
  for (const [i, check] of (suite.checks ?? []).entries()) {
    const line = lines[i] ?? 1;
    const must = (key: string, what: string, id: string | undefined, known: readonly string[]): void => {
      if (id !== undefined && !known.includes(id))
        throw new Fault('suite/name', { path, line, where: `checks[${i}].${key}`, what, id, nearest: nearest(id, known), known });
    };
    must('run', 'diagnostic', check.run, ids);
    must('model', 'model', check.model, Object.keys(suite.models ?? {}));
    must('data', 'dataset', check.data, Object.keys(suite.datasets ?? {}));
    must('against', 'model or dataset', check.against, [...Object.keys(suite.models ?? {}), ...Object.keys(suite.datasets ?? {})]);
    must('againstData', 'dataset', check.againstData, Object.keys(suite.datasets ?? {}));
    if (names.has(check.name)) throw new Fault('suite/twice', { path, line, where: `checks[${i}]`, id: check.name });
    names.add(check.name);
  }
};
