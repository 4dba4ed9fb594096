import { Fault } from '../base/fault.ts';
import { nearest } from '../base/nearest.ts';
import type { Column, Dataset } from './define.ts';

export const labelNames: readonly string[] = [
  'y',
  'label',
  'labels',
  'target',
  'targets',
  'class',
  'Y',
  'y_test',
  'y_train',
  'Y_test',
  'Y_train',
];
export const inputNames: readonly string[] = [
  'x',
  'X',
  'x_test',
  'X_test',
  'x_train',
  'X_train',
  'images',
  'image',
  'inputs',
  'input',
  'features',
  'data',
  'ids',
];
/** Formats where a single column named `x` is one feature among others. */
const tables = ['csv', 'jsonl', 'parquet'];
/** Columns of a text table that identify or group rows and are no features. */
export const besides: readonly string[] = ['id', 'split', 'group', 'subset', 'partition', 'fold', 'prediction'];

const missing = (dataset: Dataset, name: string): Fault => {
  const known = dataset.columns.map((c) => c.name);
  return dataset.refused?.get(name) ?? new Fault('data/column', { path: dataset.path, name, nearest: nearest(name, known), known });
};

/** The label column: as named, or the first of the usual names. */
export const labelColumn = (dataset: Dataset, given: string | undefined): string | undefined => {
  const has = (name: string): boolean => dataset.columns.some((c) => c.name === name);
  if (given === undefined) {
    const refused = labelNames.find((name) => dataset.refused?.has(name));
    const found = labelNames.find(has);
    if (found === undefined && refused !== undefined) throw missing(dataset, refused);
    return found;
  }
  if (!has(given)) throw missing(dataset, given);
  return given;
};

/** A column of numbers with some fields that are none: the fault that names the first of them. */
export const stray = ({ path, length }: Dataset, { name, words }: Column): Fault | undefined =>
  words && 2 * words.count <= length
    ? new Fault('data/not-a-number', { path, column: name, line: words.line, value: words.first, count: words.count })
    : undefined;

/** Labels that are usual by name but not as many as the rows. */
export const misfitLabels = ({ path, length, extras }: Dataset): Fault | undefined => {
  const found = extras.find(
    (e) => ['y', 'label', 'labels', 'target', 'targets'].includes(e.name) && e.dtype !== 'string' && e.dims.length === 0,
  );
  return found && new Fault('data/labels-length', { path, labels: found.length, rows: length });
};

export interface InputColumns {
  readonly columns: readonly Column[];
  readonly note?: string;
}

/**
 * The columns that make an input row: one array, several by comma or by a regular expression that matches whole names, else the
 * column named like the model's input, a usual name, every numeric scalar column but the label, or the only array there is.
 */
export const inputColumns = (
  dataset: Dataset,
  given: string | undefined,
  label: string | undefined,
  input: { readonly name: string; readonly text: boolean },
  marks: readonly string[] = [],
): InputColumns => {
  const find = (name: string): Column | undefined => dataset.columns.find((c) => c.name === name);
  if (given !== undefined) {
    const one = find(given);
    if (one) return { columns: [one] };
    if (given.includes(',')) {
      return {
        columns: given.split(',').map((part) => {
          const column = find(part.trim());
          if (!column) throw missing(dataset, part.trim());
          return column;
        }),
      };
    }
    let pattern: RegExp | undefined;
    try {
      pattern = new RegExp(`^(?:${given})$`);
    } catch {
      pattern = undefined;
    }
    const matching = dataset.columns.filter((c) => pattern?.test(c.name));
    if (matching.length === 0) throw missing(dataset, given);
    return { columns: matching, note: `Inputs are the ${matching.length} columns that match '${given}', in file order.` };
  }
  const usable = dataset.columns.filter((c) => c.name !== label && !marks.includes(c.name) && (c.dtype === 'string') === input.text);
  for (const name of [input.name, ...inputNames]) {
    const column = usable.find((c) => c.name === name && (c.dims.length > 0 || !tables.includes(dataset.format)));
    if (column)
      return name === input.name || name === 'x' ? { columns: [column] } : { columns: [column], note: `Inputs are taken from '${name}'.` };
  }
  const scalars = usable.filter((c) => c.dims.length === 0);
  const features = scalars.filter((c) => !besides.includes(c.name.toLowerCase()));
  if (scalars.length === usable.length && features.length > 0) {
    const left = scalars.length - features.length;
    return {
      columns: features,
      note: `Inputs are ${features.length === 1 ? `column '${features[0].name}'` : `the ${features.length} ${input.text ? 'text' : 'numeric'} columns ${features[0].name} to ${features[features.length - 1].name} in file order`}${
        label === undefined ? '' : `, without the label '${label}'`
      }${
        left > 0
          ? ` and without ${scalars
              .filter((c) => !features.includes(c))
              .map((c) => `'${c.name}'`)
              .join(', ')}`
          : ''
      }.`,
    };
  }
  const arrays = usable.filter((c) => c.dims.length > 0);
  if (arrays.length === 1) return { columns: arrays, note: `Inputs are taken from '${arrays[0].name}', the only array of rows.` };
  for (const name of [input.name, ...inputNames]) if (dataset.refused?.has(name)) throw missing(dataset, name);
  throw new Fault('data/no-input', { path: dataset.path, input: input.name, known: dataset.columns.map((c) => c.name) });
};
