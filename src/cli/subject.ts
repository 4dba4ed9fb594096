import { Fault } from '../base/fault.ts';
import type { AgainstRef, DataRef, Device, ModelRef, Preprocess } from '../base/request.ts';
import { devices, type Flag, type Typed } from './define.ts';

/** Flags that name a model and bind data to its input (product contract, "Binding data to inputs"). */
export const subjectFlags: Readonly<Record<string, Flag>> = {
  model: { value: 'M.onnx', help: 'The model; without it the data is a table of predictions.' },
  data: { value: 'FILE', help: 'The dataset: .npz, .npy, .csv, .tsv, .jsonl, .parquet, IDX, or a folder of images.' },
  x: { value: 'NAME', help: 'Array, column or file of the inputs.' },
  y: { value: 'NAME', help: 'Array, column or file of the labels.' },
  labels: { value: 'FILE', help: 'A separate label file (IDX).' },
  classes: { value: 'A,B,…', help: 'Class names in index order.' },
  input: { value: 'NAME', help: 'Graph input that receives the data.' },
  output: { value: 'NAME', help: 'Graph output that is diagnosed.' },
  split: { value: 'SPLIT', help: 'train, test, a fraction, COLUMN=VALUE, or @ARRAY of row indices.' },
  scale: { value: 'F', help: 'Multiplies the inputs.' },
  mean: { value: 'A,B,C', help: 'Subtracted per channel after scaling.' },
  std: { value: 'A,B,C', help: 'Divides per channel.' },
  layout: { value: 'nchw|nhwc|flat', help: 'Layout of stored images.' },
  resize: { value: 'HxW', help: 'Resizes images (bilinear).' },
  tokenizer: { value: 'FILE', help: 'tokenizer.json or a vocabulary, for a column of text; else the tokenizer.json beside the model.' },
  columns: { value: 'prob=REGEX,label=NAME', help: 'Columns of a predictions table.' },
};

/** What a diagnostic of two is given beside its subject. */
export const againstFlags: Readonly<Record<string, Flag>> = {
  against: { value: 'FILE', help: 'The model, or table of predictions, that it is compared with.' },
  againstData: { value: 'FILE', help: 'Data of the model compared with, where its rows are prepared otherwise.' },
  againstInput: { value: 'NAME', help: 'Graph input of the model compared with; else as input.' },
  againstOutput: { value: 'NAME', help: 'Graph output of the model compared with; else as output.' },
};

export const runFlags: Readonly<Record<string, Flag>> = {
  limit: { value: 'N', help: 'At most the first N rows.' },
  device: { value: devices.join('|'), help: 'Where to run; auto takes the fastest that agrees with the CPU.' },
  seed: { value: 'S', help: 'Seed of every random draw.' },
};

export const outputFlags: Readonly<Record<string, Flag>> = {
  json: { value: 'F', help: 'Writes the report as JSON (- for standard output).' },
  html: { value: 'F', help: 'Writes one self-contained HTML page.' },
};

const numbers = (name: string, text: string): number[] =>
  text.split(',').map((part) => {
    const n = Number(part);
    if (part.trim() === '' || !Number.isFinite(n))
      throw new Fault('option/value', { name, value: text, expected: 'numbers separated by commas' });
    return n;
  });

const number = (name: string, text: string): number => {
  const n = Number(text);
  if (!Number.isFinite(n)) throw new Fault('option/value', { name, value: text, expected: 'a number' });
  return n;
};

const whole = (name: string, text: string | undefined, otherwise: number | undefined, min: number): number | undefined => {
  if (text === undefined) return otherwise;
  const n = Number(text);
  if (!Number.isInteger(n) || n < min || n > 4294967295)
    throw new Fault('option/value', { name, value: text, expected: `a whole number from ${min} to 4294967295` });
  return n;
};

const oneOf = <T extends string>(name: string, text: string, of: readonly T[]): T => {
  const found = of.find((o) => o === text);
  if (!found) throw new Fault('option/value', { name, value: text, expected: `one of ${of.join(', ')}` });
  return found;
};

export const modelOf = ({ flags }: Typed, path: string): ModelRef => ({
  path,
  ...(flags.input === undefined ? {} : { input: flags.input }),
  ...(flags.output === undefined ? {} : { output: flags.output }),
  ...(flags.classes === undefined ? {} : { labels: flags.classes.split(',') }),
});

export const dataOf = ({ flags }: Typed, path: string): DataRef => {
  const preprocess: Preprocess = {
    ...(flags.scale ? { scale: number('scale', flags.scale) } : {}),
    ...(flags.mean ? { mean: numbers('mean', flags.mean) } : {}),
    ...(flags.std ? { std: numbers('std', flags.std) } : {}),
    ...(flags.layout ? { layout: oneOf('layout', flags.layout, ['nchw', 'nhwc', 'flat']) } : {}),
    ...(flags.resize ? { resize: flags.resize } : {}),
    ...(flags.tokenizer ? { tokenizer: flags.tokenizer } : {}),
  };
  const names = Object.fromEntries((['x', 'y', 'labels', 'split', 'columns'] as const).flatMap((k) => (flags[k] ? [[k, flags[k]]] : [])));
  return { path, ...names, ...(Object.keys(preprocess).length ? { preprocess } : {}) };
};

/** A table of predictions, which has no use for what binds inputs; beside a model, the split is one of the model's data. */
export const tableOf = (typed: Typed, path: string, beside: boolean): DataRef => {
  const { y, split, columns } = dataOf(typed, path);
  return {
    path,
    ...(y === undefined ? {} : { y }),
    ...(split === undefined || beside ? {} : { split }),
    ...(columns === undefined ? {} : { columns }),
  };
};

/** What is compared with: a model by its ending, else a table, which stands `beside` a model or another table. */
export const againstOf = (typed: Typed, path: string, data: string | undefined, beside: boolean): AgainstRef => {
  if (!path.toLowerCase().endsWith('.onnx')) {
    if (data !== undefined)
      throw new Fault('option/value', { name: 'againstData', value: data, expected: `left out: '${path}' is a table of predictions` });
    return { data: tableOf(typed, path, beside) };
  }
  const { againstInput: input, againstOutput: output } = typed.flags;
  return {
    model: { ...modelOf(typed, path), ...(input === undefined ? {} : { input }), ...(output === undefined ? {} : { output }) },
    ...(data === undefined ? {} : { data: dataOf(typed, data) }),
  };
};

export const deviceOf = ({ flags }: Typed): Device => (flags.device ? oneOf('device', flags.device, devices) : 'auto');
export const seedOf = ({ flags }: Typed): number => whole('seed', flags.seed, 0, 0) ?? 0;
export const limitOf = ({ flags }: Typed): number | undefined => whole('limit', flags.limit, undefined, 1);
