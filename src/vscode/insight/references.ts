import { basename, dirname, isAbsolute, join, sep } from 'node:path';
import type { DataRef } from '../../base/request.ts';
import type { Place } from '../define.ts';
import { isPicture } from './fitting.ts';

/** What names a sample in a line of code: a path, or one row of an array, and where it stands. */
export type Reference = { readonly from: number; readonly to: number } & (
  | { readonly kind: 'path'; readonly path: string }
  | {
      readonly kind: 'row';
      /** The variable, and the array taken of it: `data["x"][17]`, `data.x[17]`. */
      readonly name: string;
      readonly array?: string;
      readonly index: number;
    }
);

const strings = /(["'`])((?:\\.|(?!\1)[^\\])*)\1/g;
/** `name`, then attributes and keys, then a row number, which may be followed by other axes. */
const rows = /([A-Za-z_]\w*)((?:\.[A-Za-z_]\w*|\[\s*(?:"[^"\]]*"|'[^'\]]*')\s*\])*)\[\s*(\d+)\s*[\],]/g;
const lastPart = /(?:\.([A-Za-z_]\w*)|\[\s*["']([^"'\]]*)["']\s*\])$/;

/** The sample named at a column of a line. */
export const referenceAt = (line: string, column: number): Reference | undefined => {
  const inside = (from: number, to: number): boolean => from <= column && column <= to;
  for (const { 0: whole, 2: path, index: from } of line.matchAll(strings))
    if (inside(from, from + whole.length) && isPicture(path)) return { kind: 'path', path, from, to: from + whole.length };
  for (const { 0: whole, 1: name, 2: parts, 3: digits, index: from } of line.matchAll(rows)) {
    const to = from + whole.length;
    if (!inside(from, to)) continue;
    const [, attribute, key] = lastPart.exec(parts) ?? [];
    const array = attribute ?? key;
    return { kind: 'row', name, ...(array === undefined ? {} : { array }), index: Number(digits), from, to };
  }
  return undefined;
};

/** Those first whose folder holds the file, the deepest of them before the others. */
export const nearestFirst = <F extends { readonly path: string }>(suites: readonly F[], file: string): readonly F[] => {
  const depth = ({ path }: F): number => (file.startsWith(dirname(path) + sep) ? dirname(path).length : 0);
  return [...suites].sort((a, b) => depth(b) - depth(a));
};

/** Where a picture may lie: beside the code, in a folder of the workspace, in a folder of images or beside it. */
export const picturePlaces = (path: string, code: string, folders: readonly string[], datasets: readonly DataRef[]): readonly string[] =>
  isAbsolute(path)
    ? [path]
    : [...new Set([dirname(code), ...folders, ...datasets.flatMap((d) => [d.path, dirname(d.path)])])].map((folder) => join(folder, path));

interface NamedData {
  readonly name: string;
  readonly ref: DataRef;
}
export interface Sample<D extends NamedData> {
  readonly data: D;
  readonly ref: DataRef;
  readonly place: Place;
}

/** Files whose names stand in the statement that gives the variable its value. */
const assigned = (code: string, name: string): string =>
  code
    .split(/\r?\n/)
    .filter((line) => new RegExp(`(?:^|[^\\w.])${name}\\b[^=]*(?<![=!<>])=(?!=)`).test(line))
    .join('\n');

/** The row of a known dataset that the code means: by the file that the variable is read from, else by the name of dataset or array. */
export const rowMeant = <D extends NamedData>(
  { name, array, index }: Extract<Reference, { kind: 'row' }>,
  code: string,
  datasets: readonly D[],
): Sample<D> | undefined => {
  const called = array ?? name;
  const lower = called.toLowerCase();
  const arraysOf = ({ x = 'x', y = 'y' }: DataRef): readonly string[] => [x, y].map((one) => one.toLowerCase());
  const half = (own: DataRef): string | undefined =>
    /_([a-z]+)$/.exec(lower)?.[1] ?? (arraysOf(own).includes(lower) ? undefined : own.split);
  const isArray = (own: DataRef): boolean =>
    arraysOf(own).some((one) => lower === one || (own.split !== undefined && lower === `${one}_${own.split}`));
  const read = assigned(code, name);
  const candidates = [
    datasets.filter(({ ref }) => read.includes(basename(ref.path)) && (isArray(ref) || array === undefined)),
    datasets.filter((d) => d.name === called || d.name === name),
    datasets.filter(({ ref }) => isArray(ref) && code.includes(basename(ref.path))),
    datasets.filter(({ ref }) => isArray(ref)),
  ].find((some) => some.length > 0);
  if (!candidates) return undefined;
  // Of the parts of one file the one that the name tells: x_test is the part test, x the whole file.
  const data = candidates.find(({ ref }) => ref.split !== undefined && ref.split === half(ref)) ?? candidates[0];
  const { split, ...whole } = data.ref;
  const inSplit = split !== undefined && (lower.endsWith(`_${split}`) || data.name === name);
  return inSplit ? { data, ref: data.ref, place: { position: index } } : { data, ref: whole, place: { row: index } };
};
