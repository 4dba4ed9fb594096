import { basename } from 'node:path';
import type { DataRef } from '../../base/request.ts';
import type { FileOutline } from '../../report/tasks.ts';
import { chooseModel, modelsNamed, type NamedModel } from '../commands/subject.ts';
import type { Choice, Host, SaliencySubject, SuiteFile } from '../define.ts';
import { t } from '../l10n.ts';
import { located } from '../located.ts';
import { type Content, datasetsBeside, fits, picturePreparation, takesTokens } from './fitting.ts';
import { nearestFirst } from './references.ts';

/** A model for what is open, the data it is bound by, and the name it goes by. */
export interface Chosen {
  readonly name: string;
  readonly subject: SaliencySubject;
}

export interface ChoosePorts {
  readonly host: Host;
  outline(paths: readonly string[]): Promise<readonly FileOutline[]>;
}

/** Headers that are read at most. */
const MOST = 60;

const wanted = (kind: Content['kind']): string => {
  switch (kind) {
    case 'text':
      return t('A model that takes tokens');
    case 'table':
      return t('A model that takes the columns of this table');
    case 'picture':
      return t('A model that takes pictures');
  }
};

/** Datasets beside the model as seen from where they are used, those that checks join with it first. */
const datasetsOf = (
  { catalogue }: Pick<Host, 'catalogue'>,
  suites: readonly SuiteFile[],
  { name, suite }: NamedModel,
): readonly DataRef[] => {
  const own = suites.find(({ path }) => path === suite);
  return own ? datasetsBeside(own, name).map(({ value }) => located(own.path, value, catalogue.readers)) : [];
};

/** How the content becomes rows of the model, which may take `tokens`. */
const dataFor = (content: Content, path: string, datasets: readonly DataRef[], tokens: boolean): DataRef => {
  switch (content.kind) {
    case 'picture':
      return picturePreparation(path, datasets);
    case 'text':
      return datasets.find(({ preprocess }) => preprocess?.tokenizer !== undefined) ?? { path: '' };
    case 'table': {
      const own = datasets.find((d) => d.path === path);
      const tokenizer = datasets.find(({ preprocess }) => preprocess?.tokenizer !== undefined)?.preprocess?.tokenizer;
      if (own) return own;
      return { path, ...(tokens && tokenizer !== undefined ? { preprocess: { tokenizer } } : {}) };
    }
  }
};

/** Models of the workspace that can take the content, those with data of this file first. */
export const modelsFor = async (content: Content, path: string, { host, outline }: ChoosePorts): Promise<readonly NamedModel[]> => {
  const suites = nearestFirst(await host.suites(), path);
  const named = modelsNamed(host, suites);
  const known = new Set(named.map(({ ref }) => ref.path));
  const loose = (await host.find('**/*.onnx')).filter((file) => !known.has(file) && !file.endsWith('.checkpoint.onnx'));
  const all = [...named, ...loose.map((file): NamedModel => ({ name: basename(file), ref: { path: file } }))].slice(0, MOST);
  const outlines = new Map((await outline([...new Set(all.map(({ ref }) => ref.path))])).map((one) => [one.path, one]));
  const fitting = all.filter(({ ref }) => fits(content, outlines.get(ref.path), ref));
  const own = (model: NamedModel): boolean => datasetsOf(host, suites, model).some((d) => d.path === path);
  return [...fitting].sort((a, b) => Number(own(b)) - Number(own(a)));
};

/** The subject of a model for the content of a file. */
export const subjectFor = async (content: Content, path: string, model: NamedModel, { host, outline }: ChoosePorts): Promise<Chosen> => {
  const [headers] = content.kind === 'table' ? await outline([model.ref.path]) : [];
  const datasets = datasetsOf(host, await host.suites(), model);
  return { name: model.name, subject: { model: model.ref, data: dataFor(content, path, datasets, takesTokens(headers, model.ref)) } };
};

/** The model to look at the content with: the only one that can, or the one chosen; `always` asks even so. */
export const chooseSubject = async (
  title: string,
  content: Content,
  path: string,
  ports: ChoosePorts,
  always = false,
): Promise<Chosen | undefined> => {
  const { host } = ports;
  const models = await modelsFor(content, path, ports);
  if (models.length === 1 && !always) return subjectFor(content, path, models[0], ports);
  const choices: Choice<NamedModel | 'other'>[] = [
    ...models.map((model) => ({ label: model.name, description: host.label(model.ref.path), icon: 'circuit-board', value: model })),
    { label: t('Another Model…'), icon: 'folder-opened', detail: t('Any model of the workspace, or a file'), value: 'other' as const },
  ];
  const picked = models.length === 0 ? 'other' : await host.pick(title, wanted(content.kind), choices);
  if (picked === undefined) return undefined;
  const model = picked === 'other' ? await chooseModel(host, title, {}, false, wanted(content.kind)) : picked;
  return model && model !== 'none' ? subjectFor(content, path, model, ports) : undefined;
};
