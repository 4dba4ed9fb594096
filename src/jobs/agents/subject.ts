import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { Fault } from '../../base/fault.ts';
import { nearest } from '../../base/nearest.ts';
import type { DataRef, Device, ModelRef, Preprocess } from '../../base/request.ts';
import type { Tasks } from '../../report/tasks.ts';
import type { AgentPorts } from './define.ts';
import type { Given, Kinds } from './fields.ts';

const devices = ['auto', 'cpu', 'cuda', 'webgpu', 'dml', 'coreml'] as const;

export const deviceFields: Kinds<{ device: 'text' }> = {
  device: { kind: 'text', of: devices, help: 'Where to run; by default what the user has set, usually auto.' },
};
export const seedFields: Kinds<{ seed: 'whole' }> = { seed: { kind: 'whole', min: 0, help: 'Seed of every random draw; 0 where absent.' } };

export const modelHelp: string = 'Path of an .onnx file, or the name of a model in assay.json (folder/name where several folders have it).';
export const modelFields: Kinds<{ input: 'text'; output: 'text'; classes: 'texts' }> = {
  input: { kind: 'text', help: 'Graph input that receives the data, where the model has several.' },
  output: { kind: 'text', help: 'Graph output that is diagnosed, where the model has several.' },
  classes: { kind: 'texts', help: 'Class names in index order.' },
};
export const dataFields: Kinds<{
  data: 'required';
  x: 'text';
  y: 'text';
  labels: 'text';
  split: 'text';
  columns: 'text';
  preprocess: 'record';
}> = {
  data: {
    kind: 'text',
    required: true,
    help: 'Path of the labelled data (.npz, .npy, .csv, .tsv, .jsonl, .parquet, IDX, a folder of images), or the name of a dataset in assay.json (folder/name where several folders have it).',
  },
  x: { kind: 'text', help: 'Array, column or file of the inputs, where it is not x.' },
  y: { kind: 'text', help: 'Array, column or file of the labels, where it is not y.' },
  labels: { kind: 'text', help: 'A separate label file (IDX).' },
  split: { kind: 'text', help: 'train, test, a fraction (0.2 or 0.2@SEED), COLUMN=VALUE, or @ARRAY of row indices stored in the file.' },
  columns: { kind: 'text', help: 'Columns of a predictions table: prob=REGEX,label=NAME.' },
  preprocess: {
    kind: 'record',
    help: 'How inputs are prepared: scale (number), mean and std (lists), layout (nchw, nhwc, flat), resize (HxW), tokenizer (path).',
  },
};

export const deviceOf = ({ device }: Given<typeof deviceFields>, ports: AgentPorts): Device =>
  devices.find((one) => one === device) ?? ports.device;

type Names = Tasks['names']['give'];
const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Entries of all `assay.json` files, with their names and those with the folder. */
const entriesOf = async <K extends keyof Names>(
  kind: K,
  { suites, jobs }: AgentPorts,
): Promise<readonly { readonly name: string; readonly full: string; readonly ref: Names[K][string] }[]> => {
  const places = await suites();
  const read = await Promise.all(
    places.map(({ path }) =>
      // One file that cannot be read hides no other; alone, it is told.
      jobs.submit('names', { suite: path }).catch((error: unknown) => {
        if (places.length > 1 && !Fault.is(error, 'job/stopped')) return { models: {}, datasets: {} };
        throw error;
      }),
    ),
  );
  return read.flatMap((names, i) =>
    Object.entries<Names[K][string]>(names[kind] as Record<string, Names[K][string]>).map(([name, ref]) => ({
      name,
      full: `${places[i].folder}/${name}`,
      ref,
    })),
  );
};

interface Found<T> {
  readonly name: string;
  readonly ref: T;
}

/** A file that is there, else an entry of that name; one that several files have is called by its folder too. */
const find = async <K extends keyof Names>(text: string, kind: K, ports: AgentPorts): Promise<Found<{ readonly path: string }>> => {
  const path = resolve(ports.folder, text);
  if (await exists(path)) return { name: basename(path), ref: { path } };
  const what = kind === 'models' ? 'model' : 'dataset';
  const entries = await entriesOf(kind, ports);
  const named = entries.filter(({ name }) => name === text);
  const meant = named.length > 0 ? named : entries.filter(({ full }) => full === text);
  if (meant.length === 1) return { name: text, ref: meant[0].ref };
  if (meant.length > 1) throw new Fault('id/ambiguous', { what, id: text, places: meant.map(({ full }) => full) });
  if (/[\\/.]/.test(text)) throw new Fault('file/missing', { path });
  const known = entries.map(({ name, full }) => (entries.filter((other) => other.name === name).length > 1 ? full : name));
  throw new Fault('id/unknown', { what, id: text, nearest: nearest(text, known), known });
};

const present = <T extends object>(values: T): { readonly [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;

export const modelOf = async (
  text: string,
  { input, output, classes }: Given<typeof modelFields>,
  ports: AgentPorts,
): Promise<Found<ModelRef>> => {
  const { name, ref } = await find(text, 'models', ports);
  return { name, ref: { ...ref, ...present({ input, output, labels: classes }) } };
};

const preprocessKeys = ['scale', 'mean', 'std', 'layout', 'resize', 'tokenizer'] as const;
const numbers = (value: unknown): boolean => Array.isArray(value) && value.every((n) => typeof n === 'number');
const accepts: { readonly [K in (typeof preprocessKeys)[number]]: readonly [string, (value: unknown) => boolean] } = {
  scale: ['a number', (v) => typeof v === 'number'],
  mean: ['a list of numbers', numbers],
  std: ['a list of numbers', numbers],
  layout: ['one of nchw, nhwc, flat', (v) => v === 'nchw' || v === 'nhwc' || v === 'flat'],
  resize: ['HxW', (v) => typeof v === 'string' && /^\d+x\d+$/.test(v)],
  tokenizer: ['the path of a file', (v) => typeof v === 'string'],
};

const preprocessOf = (given: Readonly<Record<string, unknown>>, folder: string): Preprocess => {
  for (const [name, value] of Object.entries(given)) {
    const known = preprocessKeys.find((key) => key === name);
    if (!known)
      throw new Fault('option/unknown', { name, of: "'preprocess'", nearest: nearest(name, preprocessKeys), known: preprocessKeys });
    const [expected, holds] = accepts[known];
    if (!holds(value)) throw new Fault('option/value', { name: `preprocess.${name}`, value: JSON.stringify(value), expected });
  }
  const { tokenizer, ...rest } = given as Preprocess;
  return { ...rest, ...(tokenizer === undefined ? {} : { tokenizer: resolve(folder, tokenizer) }) };
};

/** `x` and `y` name a file only where one is there by that name. */
const fileOr = async (name: string | undefined, folder: string): Promise<string | undefined> => {
  if (name === undefined) return undefined;
  const path = resolve(folder, name);
  return (await exists(path)) ? path : name;
};

export const dataOf = async (given: Given<typeof dataFields>, ports: AgentPorts): Promise<Found<DataRef>> => {
  const { name, ref } = await find(given.data, 'datasets', ports);
  const { labels, split, columns, preprocess } = given;
  const [x, y] = await Promise.all([fileOr(given.x, ports.folder), fileOr(given.y, ports.folder)]);
  const own = present({
    x,
    y,
    split,
    columns,
    labels: labels === undefined ? undefined : resolve(ports.folder, labels),
    preprocess: preprocess && preprocessOf(preprocess, ports.folder),
  });
  return { name, ref: { ...ref, ...own } };
};

/** A file that a tool is to write: none that it reads, and none that is there unless that was allowed. */
export const outOf = async (text: string, reads: readonly string[], overwrite: boolean | undefined, folder: string): Promise<string> => {
  const path = resolve(folder, text);
  if (reads.includes(path)) throw new Fault('file/overwrites', { option: 'out', path, input: path });
  if (!overwrite && (await exists(path))) throw new Fault('file/exists', { path });
  return path;
};
