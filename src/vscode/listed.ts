import { basename } from 'node:path';
import type { Catalogue } from '../base/catalogue.ts';
import type { Host, Target } from './define.ts';
import { t } from './l10n.ts';
import { located } from './located.ts';

/** A model or dataset as its view lists it; what commands are invoked on. */
export interface Listed extends Target {
  readonly kind: 'listed';
  readonly name: string;
  readonly path: string;
  /** Where it is, as the user knows it. */
  readonly label: string;
  /** Of its entry in `suite`. */
  readonly line?: number;
  readonly there: boolean;
}
export interface Group {
  readonly kind: 'group';
  readonly name: string;
  readonly items: readonly Listed[];
  /** How many more there are than are listed. */
  readonly more: number;
}

/** Files that no assay.json names are listed up to so many. */
const mostLoose = 100;

export const dataGlob = ({ readers }: Pick<Catalogue, 'readers'>): string => `**/*{${readers.flatMap(({ endings }) => endings).join(',')}}`;
export const modelGlob = '**/*.onnx';

/** Models or datasets by the assay.json that names them, and after those the files that none names. Empty groups are left out. */
export const listed = async (
  kind: 'models' | 'datasets',
  { suites, exists, find, label, catalogue }: Pick<Host, 'suites' | 'exists' | 'find' | 'label' | 'catalogue'>,
): Promise<readonly Group[]> => {
  const target = (name: string): Target => (kind === 'models' ? { model: name } : { data: name });
  const [known, found] = await Promise.all([suites(), find(kind === 'models' ? modelGlob : dataGlob(catalogue))]);
  const groups = await Promise.all(
    known.map(async (suite): Promise<Group> => {
      const items = suite[kind].map(async ({ name, value, line }): Promise<Listed> => {
        const { path } = located(suite.path, value);
        const there = await exists(path);
        return { kind: 'listed', ...target(name), suite: suite.path, name, path, label: `${value.path} · ${suite.label}`, line, there };
      });
      return { kind: 'group', name: suite.label, items: await Promise.all(items), more: 0 };
    }),
  );
  const named = new Set(groups.flatMap(({ items }) => items.map(({ path }) => path)));
  const loose = found.filter((path) => !named.has(path) && !path.endsWith('.checkpoint.onnx'));
  const items = loose
    .slice(0, mostLoose)
    .map((path): Listed => ({ kind: 'listed', file: path, name: basename(path), path, label: label(path), there: true }));
  const others: Group = { kind: 'group', name: t('Other files of the workspace'), items, more: Math.max(0, loose.length - mostLoose) };
  return [...groups, others].filter((group) => group.items.length > 0);
};
