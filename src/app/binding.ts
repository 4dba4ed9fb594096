import { Fault } from '../base/fault.ts';
import { imageAxes } from '../base/image.ts';
import type { Job } from '../base/job.ts';
import type { DataRef } from '../base/request.ts';
import { sizeOf, type Tensor } from '../base/tensor.ts';
import { batches, readRows } from '../data/batches.ts';
import { inputColumns, labelColumn, misfitLabels, stray } from '../data/columns.ts';
import type { Column, Dataset } from '../data/define.ts';
import { fitImages } from '../data/image-fit.ts';
import { joinColumn } from '../data/join.ts';
import { type LabelReader, labelReader, namesOfNumbers, readByName, storedClassNames } from '../data/labels.ts';
import { type Marks, marksOf } from '../data/marks.ts';
import { isDataFile } from '../data/open.ts';
import { type Predictions, predictionsOf } from '../data/predictions.ts';
import { type Fitted, fit, type Target } from '../data/preprocess.ts';
import { splitRows, storesSplit } from '../data/split.ts';
import type { FittedText } from '../data/text-fit.ts';
import type { Bound, BoundBatch } from '../evidence/bound.ts';
import { bagsOf } from './binding-bags.ts';
import { tokensOf } from './binding-text.ts';
import { rowGiven } from './given-row.ts';
import type { Ports } from './ports.ts';

type World = Pick<Ports, 'dataset' | 'source'>;
type Listener = Pick<Job, 'note' | 'signal'>;

/** Opens the data file, and files that `x`, `y` or `labels` name beside it, as one dataset. */
export const openData = async (
  ref: DataRef,
  ports: World,
  job: Listener,
  bare: boolean,
): Promise<{ readonly dataset: Dataset; readonly x?: string; readonly y?: string }> => {
  let dataset = await ports.dataset(ref.path, job.signal);
  const half = ref.split === 'train' || ref.split === 'test' ? ref.split : undefined;
  let [x, y] = [ref.x, ref.y];
  const own = (name: string): boolean => [...dataset.columns, ...dataset.extras].some((c) => c.name === name);
  if (x !== undefined && isDataFile(x) && !own(x)) {
    dataset = await ports.dataset(x, job.signal);
    x = undefined;
  }
  const suffixed = half === undefined ? undefined : [`x_${half}`, `X_${half}`].find(own);
  const wanted = x ?? (own('x') || own('X') ? undefined : suffixed);
  if (wanted !== undefined && dataset.view && dataset.extras.some((e) => e.name === wanted)) dataset = dataset.view(wanted);
  x = x ?? wanted;
  const [, ending] = /^[xX]_(.+)$/.exec(x ?? '') ?? [];
  if (y === undefined && ending !== undefined)
    y = [`y_${ending}`, `Y_${ending}`].find((name) => dataset.columns.some((c) => c.name === name));
  if (y !== undefined && !dataset.columns.some((c) => c.name === y) && dataset.extras.some((e) => e.name === y)) {
    const found = dataset.extras.find((e) => e.name === y);
    throw new Fault('data/labels-length', { path: dataset.path, labels: found?.length ?? 0, rows: dataset.length });
  }

  const file = ref.labels ?? (y !== undefined && isDataFile(y) && !dataset.columns.some((c) => c.name === y) ? y : undefined);
  const beside = file === undefined && dataset.format === 'idx' ? await mnistLabels(dataset.path, ports) : undefined;
  const labelFile = file ?? beside;
  if (labelFile !== undefined) {
    const labels = await ports.dataset(labelFile, job.signal);
    const column =
      (file === ref.labels && ref.y !== undefined ? labels.columns.find((c) => c.name === ref.y)?.name : undefined) ??
      labelColumn(labels, undefined) ??
      labels.columns[0].name;
    dataset = joinColumn(dataset, labels, column, 'y');
    y = 'y';
    if (beside !== undefined) job.note(`Labels were found beside the images, in '${beside}'.`);
  }
  const misfit = !bare && y === undefined && labelColumn(dataset, undefined) === undefined ? misfitLabels(dataset) : undefined;
  if (misfit) throw misfit;
  for (const note of dataset.notes ?? []) job.note(note);
  return { dataset, ...(x === undefined ? {} : { x }), ...(y === undefined ? {} : { y }) };
};

/** MNIST and its kin keep labels in a file named as the images' one, with `labels-idx1` for `images-idx3`. */
const mnistLabels = async (path: string, ports: World): Promise<string | undefined> => {
  const name = path.replace(/images([-.])idx3/, 'labels$1idx1');
  if (name === path) return undefined;
  return ports.source(name).then(
    () => name,
    () => undefined,
  );
};

/** The rows of the split, cut at the limit, and what the report says about them. */
const chooseRows = async (
  dataset: Dataset,
  ref: DataRef,
  label: string | undefined,
  x: string | undefined,
  limit: number | undefined,
  job: Listener,
): Promise<Float64Array | undefined> => {
  const ownHalf = (ref.split === 'train' || ref.split === 'test') && x?.toLowerCase() === `x_${ref.split}`;
  if (ownHalf) job.note(`Rows of '${ref.split}' are those of array '${x}'.`);
  const { rows, note } = await splitRows(dataset, ownHalf ? undefined : ref.split, label, job.signal);
  if (note) job.note(note);
  if (ref.split === undefined && storesSplit(dataset))
    job.note('The file says which rows are for testing, but no split was named: all its rows were used, training rows among them.');
  if (limit === undefined || limit >= (rows?.length ?? dataset.length)) return rows;
  job.note(`Only the first ${limit} of ${rows?.length ?? dataset.length} rows were used.`);
  return rows ? rows.subarray(0, limit) : Float64Array.from({ length: limit }, (_, i) => i);
};

interface Parts {
  readonly dataset: Dataset;
  readonly rows: Float64Array | undefined;
  readonly columns: readonly Column[];
  readonly label?: { readonly column: string; readonly reader: LabelReader };
  /** In place of `label`, where rows may have several. */
  readonly marks?: Marks;
  /** Columns to group by. */
  readonly groups: readonly string[];
  readonly fitted?: Fitted;
  readonly table?: Predictions;
  readonly tokens?: FittedText;
  readonly inputNames?: readonly string[];
  readonly target?: Target;
  readonly unscored?: Fault;
  /** The array named as the rows, where they have no scores. */
  readonly named?: string;
  readonly classNames?: readonly string[];
  readonly namesFrom: Bound['namesFrom'];
}

const assemble = ({
  dataset,
  rows,
  columns,
  label,
  marks,
  groups,
  fitted,
  table,
  tokens,
  inputNames,
  target,
  unscored,
  named,
  classNames,
  namesFrom,
}: Parts): Bound => {
  const own = [...columns.map((c) => c.name), ...(label ? [label.column] : []), ...(marks?.columns ?? [])];
  const names = [...own, ...groups];
  const batch = (numbers: Float64Array, tensors: Awaited<ReturnType<Dataset['slice']>>): BoundBatch => {
    const inputs = tensors.slice(0, columns.length);
    return {
      rows: numbers,
      ...(fitted ? { x: fitted.apply(inputs, numbers) } : {}),
      ...(table ? { scores: { rows: numbers.length, cols: table.width, data: table.read(inputs) } } : {}),
      ...(label ? { labels: label.reader.read(tensors[columns.length], numbers) } : {}),
      ...(marks
        ? { marks: { rows: numbers.length, cols: marks.width, data: marks.read(tensors.slice(columns.length, own.length), numbers) } }
        : {}),
      ...(groups.length > 0 ? { groups: Object.fromEntries(groups.map((name, g) => [name, inWords(tensors[own.length + g])])) } : {}),
    };
  };
  const takeRows: Bound['takeRows'] = async (wanted, signal) => {
    const numbers = Float64Array.from(wanted);
    return batch(numbers, await readRows(dataset, names, numbers, signal));
  };
  const single = columns.length === 1 ? columns[0].dims : [];
  return {
    path: dataset.path,
    name: dataset.path.split(/[\\/]/).at(-1) ?? dataset.path,
    count: rows?.length ?? dataset.length,
    inputDims: fitted?.dims ?? [],
    ...(tokens
      ? {
          text: {
            words: tokens.words,
            padding: tokens.padding,
            size: tokens.size,
            ...(tokens.mask === undefined ? {} : { mask: tokens.mask }),
          },
        }
      : {}),
    ...(inputNames ? { inputNames } : {}),
    labelled: label !== undefined || marks !== undefined,
    known: dataset.columns.map((c) => c.name),
    groups,
    ...(classNames ? { classNames } : {}),
    namesFrom,
    ...(table ? { table: table.scores } : {}),
    ...(table?.scores === 'values' && table.classes ? { predictionNames: table.classes } : {}),
    ...(unscored ? { unscored } : {}),
    ...(named === undefined ? {} : { rowsNamed: named }),
    dataset,
    ...(label ? { labelColumn: label.column } : {}),
    ...(label?.reader.names ? { labelNames: label.reader.names } : {}),
    rowSize: columns.reduce((n, c) => n + sizeOf(c.dims), 0),
    rowAt: (position) => rows?.[position] ?? position,
    async *batches(size, signal) {
      for await (const read of batches(dataset, names, { ...(rows ? { rows } : {}), size, signal })) yield batch(read.rows, read.columns);
    },
    take: (positions, signal) =>
      takeRows(
        positions.map((p) => rows?.[p] ?? p),
        signal,
      ),
    takeRows,
    async plain(wanted, signal) {
      if (!fitted) return undefined;
      const dims = [fitted.dims, single].find((d) => imageAxes(d) !== undefined && sizeOf(d) === sizeOf(fitted.dims));
      if (!dims) return undefined;
      const tensors = await readRows(
        dataset,
        columns.map((c) => c.name),
        Float64Array.from(wanted),
        signal,
      );
      return { values: fitted.plain(tensors), dims };
    },
    ...(fitted && target ? { given: rowGiven({ dataset, columns, fitted, tokens, target }) } : {}),
    close: () => dataset.close(),
  };
};

const inWords = ({ data }: Tensor): string[] => Array.from(data as ArrayLike<string | number | bigint>, String);

/** Of the columns asked for, and the usual one, those that hold one value a row. */
const groupColumns = ({ columns }: Dataset, asked: readonly string[] = []): readonly string[] =>
  [...new Set(asked)].filter((name) => columns.some((c) => c.name === name && c.dims.length === 0));

const labelOf = async (
  dataset: Dataset,
  column: string | undefined,
  known: readonly string[] | undefined,
  job: Listener,
  open = false,
): Promise<Parts['label']> => {
  const found = dataset.columns.find((c) => c.name === column);
  if (!found) return undefined;
  const reader = await labelReader(dataset, found, known, job.signal, open);
  for (const note of reader.notes) job.note(note);
  return { column: found.name, reader };
};

const namesFrom = (options: BindOptions, label: Parts['label']): Bound['namesFrom'] =>
  options.bare ? 'stored' : options.labels ? 'given' : label?.reader.names ? 'labels' : 'stored';

/** Where a column was left out of the inputs for a field that is no number, that field is at fault and not the shape. */
const fitRows = (dataset: Dataset, named: string | undefined, columns: readonly Column[], ref: DataRef, target: Target): Fitted => {
  try {
    return fit(dataset.path, columns, ref.preprocess ?? {}, target);
  } catch (error) {
    const [left] = named === undefined && Fault.is(error, 'data/shape') ? dataset.columns.flatMap((c) => stray(dataset, c) ?? []) : [];
    throw left ?? error;
  }
};

export interface BindOptions {
  /** Rows may have several labels: they are read as 0 and 1 for each, or as the scores that they are. */
  readonly marks?: boolean | 'scores';
  /** Folder of the model, where its tokenizer may lie. */
  readonly beside?: string;
  /** The model's input; absent for a table of predictions. */
  readonly target?: Target;
  /** Class names given with the model. */
  readonly labels?: readonly string[];
  readonly limit?: number;
  /** Columns to group by, where the data have them. */
  readonly groups?: readonly string[];
  /** Column by which rows are gathered into bags, each of which is a row of the input. */
  readonly bag?: string;
  /** Columns that are no part of the input. */
  readonly aside?: readonly string[];
  /** Columns are read by a study itself: without a model, the data need not be predictions. */
  readonly bare?: boolean;
}

/** What is asked must have a use, and class names must differ. */
const checkAsked = (ref: DataRef, { target, labels, bare }: BindOptions): void => {
  const twice = labels?.find((name, i, all) => all.indexOf(name) !== i);
  if (labels && twice !== undefined)
    throw new Fault('option/value', { name: 'classes', value: labels.join(','), expected: `different names ('${twice}' is there twice)` });
  if (target && !bare && ref.columns !== undefined) throw new Fault('option/with-model', { name: 'columns' });
  const idle = target || bare ? [] : [...(ref.x === undefined ? [] : ['x']), ...Object.keys(ref.preprocess ?? {})];
  if (idle.length > 0) throw new Fault('option/without-model', { names: idle });
};

const tableOrNone = (dataset: Dataset, y: string | undefined): Predictions | Fault => {
  try {
    return predictionsOf(dataset, undefined, y);
  } catch (error) {
    if (Fault.is(error, 'data/predictions')) return error;
    throw error;
  }
};

/** Rows without a model and without predictions: labels, where there are any, and columns for who reads them by name. */
const bindBare = async (
  dataset: Dataset,
  unscored: Fault,
  { ref, x, y }: { readonly ref: DataRef; readonly x: string | undefined; readonly y: string | undefined },
  job: Listener,
  options: BindOptions,
  stored: readonly string[] | undefined,
): Promise<Bound> => {
  const name = labelColumn(dataset, y);
  const known = options.labels ?? stored;
  const label = await labelOf(dataset, name, known, job, true);
  const classNames = known ?? label?.reader.names;
  return assemble({
    dataset,
    rows: await chooseRows(dataset, ref, name, x, options.limit, job),
    columns: [],
    unscored,
    ...(x === undefined ? {} : { named: x }),
    groups: groupColumns(dataset, options.groups),
    namesFrom: namesFrom(options, label),
    ...(label ? { label } : {}),
    ...(classNames ? { classNames } : {}),
  });
};

/** Binds a dataset to a model's input, or reads it as a table of predictions. Everything assumed on the way is noted. */
export const bind = async (ref: DataRef, ports: World, job: Listener, options: BindOptions): Promise<Bound> => {
  checkAsked(ref, options);
  const { x, y, ...opened } = await openData(ref, ports, job, options.bare === true && !options.target);
  const images = fitImages(opened.dataset, ref.preprocess ?? {}, options.target);
  for (const fact of images.notes) job.note(fact);
  const { target, beside } = options;
  const bags = await bagsOf(images.dataset, { x, y }, options, job);
  const tokens = bags
    ? undefined
    : target && (await tokensOf(images.dataset, { x, y, tokenizer: ref.preprocess?.tokenizer, beside, target }, ports, job));
  const dataset = bags?.dataset ?? tokens?.dataset ?? images.dataset;
  const stored = await storedClassNames(dataset, y, job.signal);
  const given = options.labels ?? stored;
  if (!options.target) {
    const table = options.bare && ref.columns === undefined ? tableOrNone(dataset, y) : predictionsOf(dataset, ref.columns, y);
    if (table instanceof Fault) return bindBare(dataset, table, { ref, x, y }, job, options, stored);
    for (const note of table.notes) job.note(note);
    const named = options.labels ?? (table.scores === 'values' ? undefined : table.classes) ?? stored;
    const marks = options.marks ? marksOf(dataset, table.label, table.classes) : undefined;
    const label = options.marks ? undefined : await labelOf(dataset, table.label, named, job, options.bare);
    const rows = await chooseRows(dataset, ref, table.label, undefined, options.limit, job);
    const columns = table.columns.map((name) => dataset.columns.find((c) => c.name === name)).filter((c) => c !== undefined);
    const classNames = named ?? label?.reader.names;
    return assemble({
      dataset,
      rows,
      columns,
      table,
      groups: groupColumns(dataset, options.groups),
      namesFrom: namesFrom(options, label),
      ...(marks ? { marks } : {}),
      ...(label ? { label: options.bare ? label : { ...label, reader: readByName(dataset.path, label.reader, table.classes) } } : {}),
      ...(classNames ? { classNames } : {}),
    });
  }
  const labelName = labelColumn(dataset, y);
  const marks = options.marks ? marksOf(dataset, labelName, undefined, options.marks === 'scores') : undefined;
  const label = options.marks ? undefined : await labelOf(dataset, labelName, given, job, options.bare);
  const { columns, note } = inputColumns(
    dataset,
    bags?.x ?? tokens?.x ?? x,
    labelName,
    {
      name: options.target.name,
      text: options.target.dtype === 'string',
    },
    [...(marks?.columns ?? []), ...(options.aside ?? [])],
  );
  if (note) job.note(note);
  const text = columns.find((c) => c.dtype === 'string');
  if (text && options.target.dtype !== 'string')
    throw stray(dataset, text) ?? new Fault('data/text-input', { path: dataset.path, column: text.name, input: options.target.name });
  const fitted = fitRows(dataset, x, columns, ref, options.target);
  for (const fact of fitted.notes) job.note(fact);
  const rows = await chooseRows(dataset, ref, labelName, columns[0].name, options.limit, job);
  const classNames = given ?? label?.reader.names ?? marks?.names;
  const inputNames = await namesOfNumbers(dataset, columns, job.signal);
  return assemble({
    dataset,
    rows,
    columns,
    fitted,
    target: options.target,
    ...(tokens ? { tokens } : {}),
    ...(inputNames ? { inputNames } : {}),
    ...(marks ? { marks } : {}),
    groups: groupColumns(dataset, options.groups),
    namesFrom: namesFrom(options, label),
    ...(label ? { label } : {}),
    ...(classNames ? { classNames } : {}),
  });
};
