import { basename, dirname } from 'node:path';
import type { DataRef, ModelRef } from '../../base/request.ts';
import type { Aside, Choice, FileKinds, Host, SuiteFile, Target } from '../define.ts';
import { t } from '../l10n.ts';
import { located } from '../located.ts';

const modelKinds = (): FileKinds => ({ [t('ONNX models')]: ['onnx'], [t('All files')]: ['*'] });
const dataKinds = (): FileKinds => ({
  [t('Data')]: ['npz', 'npy', 'csv', 'tsv', 'parquet', 'jsonl', 'gz', 'idx', 'idx1-ubyte', 'idx3-ubyte'],
  [t('All files')]: ['*'],
});

/** A model or dataset with the name it goes by and the `assay.json` it came from. */
export interface Named<T> {
  readonly name: string;
  readonly ref: T;
  readonly suite?: string;
}
type Kind = 'models' | 'datasets';
type Ref<K extends Kind> = SuiteFile[K][number]['value'];

const entries = <K extends Kind>({ catalogue }: Pick<Host, 'catalogue'>, suites: readonly SuiteFile[], kind: K): Choice<Named<Ref<K>>>[] =>
  suites.flatMap((suite) =>
    suite[kind].map(({ name, value }) => ({
      label: name,
      description: value.path,
      icon: kind === 'models' ? 'circuit-board' : 'database',
      group: suite.label,
      value: { name, ref: located(suite.path, value as Ref<K>, catalogue.readers), suite: suite.path },
    })),
  );

/** The name of an entry as a run tells it: with its folder where another `assay.json` has an entry of that name. */
export const calledIn = (suites: readonly SuiteFile[], { name, suite }: Omit<Named<unknown>, 'ref'>): string => {
  const own = suites.find(({ path }) => path === suite);
  const has = (other: SuiteFile): boolean => [...other.models, ...other.datasets].some((one) => one.name === name);
  const folder = own && suites.some((other) => other !== own && has(other)) ? dirname(own.label) : '.';
  return folder === '.' ? name : `${name} (${folder})`;
};

export type NamedModel = Named<ModelRef>;
/** The models that the `assay.json` files of the workspace name. */
export const modelsNamed = (host: Pick<Host, 'catalogue'>, suites: readonly SuiteFile[]): readonly NamedModel[] =>
  entries(host, suites, 'models').map(({ value }) => value);

/** The entry called `name` in `suite`, as a command's target names it. */
const entry = <K extends Kind>(
  host: Pick<Host, 'catalogue'>,
  suites: readonly SuiteFile[],
  kind: K,
  suite: string | undefined,
  name: string | undefined,
): Named<Ref<K>> | undefined => entries(host, suites, kind).find(({ value }) => value.suite === suite && value.name === name)?.value;

const sameFile = <K extends Kind>(
  host: Pick<Host, 'catalogue'>,
  suites: readonly SuiteFile[],
  kind: K,
  path: string,
): Named<Ref<K>> | undefined => entries(host, suites, kind).find(({ value }) => value.ref.path === path)?.value;

/** `none`: the data is a table of predictions. */
export const chooseModel = async (
  host: Host,
  title: string,
  target: Target,
  withoutModel: boolean,
  what: string = t('Model'),
): Promise<Named<ModelRef> | 'none' | undefined> => {
  const suites = await host.suites();
  const meant = entry(host, suites, 'models', target.suite, target.model);
  if (meant) return meant;
  if (target.file?.endsWith('.onnx'))
    return sameFile(host, suites, 'models', target.file) ?? { name: basename(target.file), ref: { path: target.file } };
  const known = entries(host, suites, 'models');
  const named = new Set(known.map(({ value }) => value.ref.path));
  const loose = (await host.find('**/*.onnx')).filter((path) => !named.has(path) && !path.endsWith('.checkpoint.onnx'));
  const choices: Choice<Named<ModelRef> | 'none' | 'file'>[] = [
    ...known,
    ...loose.map((path) => ({
      label: basename(path),
      description: host.label(path),
      icon: 'circuit-board',
      group: t('other models'),
      value: { name: basename(path), ref: { path } },
    })),
    ...(withoutModel
      ? [
          {
            label: t('No model'),
            detail: t('The data is a table of predictions and labels'),
            icon: 'table',
            group: t('elsewhere'),
            value: 'none' as const,
          },
        ]
      : []),
    { label: t('Choose a model file…'), icon: 'folder-opened', group: t('elsewhere'), value: 'file' as const },
  ];
  const chosen = await host.pick(title, what, choices);
  if (chosen !== 'file') return chosen;
  const path = await host.open(t('Model'), modelKinds());
  return path === undefined ? undefined : { name: basename(path), ref: { path } };
};

/** `options`: the user wants to set the options first. */
export const chooseData = async (
  host: Host,
  title: string,
  target: Target,
  model: Named<ModelRef> | 'none',
  asides: readonly Aside<'options'>[],
  what: string = t('Table of predictions'),
): Promise<Named<DataRef> | 'options' | undefined> => {
  const suites = await host.suites();
  const meant = entry(host, suites, 'datasets', target.suite, target.data);
  if (meant) return meant;
  if (target.file !== undefined && !target.file.endsWith('.onnx'))
    return sameFile(host, suites, 'datasets', target.file) ?? { name: basename(target.file), ref: { path: target.file } };
  // Datasets that stand in the same file as the model come first.
  const near = model === 'none' ? undefined : model.suite;
  const known = entries(
    host,
    [...suites].sort((a, b) => Number(b.path === near) - Number(a.path === near)),
    'datasets',
  );
  const edited = await host.edited();
  const read =
    edited !== undefined && host.catalogue.readers.some(({ endings }) => endings.some((end) => edited.toLowerCase().endsWith(end)));
  const shown = read && !known.some(({ value }) => value.ref.path === edited) ? edited : undefined;
  const choices: Choice<Named<DataRef> | 'options' | 'file' | 'folder'>[] = [
    ...(shown === undefined
      ? []
      : [
          {
            label: basename(shown),
            description: host.label(shown),
            icon: 'file',
            group: t('open in the editor'),
            value: { name: basename(shown), ref: { path: shown } },
          },
        ]),
    ...known,
    { label: t('Choose a data file…'), icon: 'file', group: t('elsewhere'), value: 'file' as const },
    { label: t('Choose a folder of images…'), icon: 'folder-opened', group: t('elsewhere'), value: 'folder' as const },
  ];
  const chosen = await host.pick<Named<DataRef> | 'options' | 'file' | 'folder'>(
    title,
    model === 'none' ? what : t('Dataset'),
    choices,
    asides,
  );
  if (chosen !== 'file' && chosen !== 'folder') return chosen;
  const path = await host.open(t('Dataset'), chosen === 'folder' ? 'folder' : dataKinds());
  return path === undefined ? undefined : { name: basename(path), ref: { path } };
};
