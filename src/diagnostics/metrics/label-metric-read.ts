import { Fault } from '../../base/fault.ts';
import type { ColumnsTool, OutputHeadTool, OutputTable, StoredColumn } from '../../evidence/evidence.ts';
import { embeddingMetric, graphMetric, type LabelMetric, matrixMetric, orderMetric } from './label-metric.ts';

export interface MetricOptions {
  readonly metric: 'auto' | 'matrix' | 'edges' | 'order' | 'embeddings' | 'weights';
  readonly metricFile: string;
  readonly metricArray: string;
  readonly normalise: boolean;
}

const isText = (c: StoredColumn): boolean => c.dtype === 'string';
const ends = [
  ['from', 'to'],
  ['parent', 'child'],
  ['source', 'target'],
] as const;
const lengths = ['weight', 'length', 'distance'];
const nameArrays = ['names', 'labels', 'label_names', 'class_names', 'classes', 'name', 'label', 'class'];

const endsOf = ({ list }: ColumnsTool): readonly [string, string] | undefined =>
  ends.find((pair) => pair.every((end) => list.some((c) => c.name === end)));

const edgesOf = async (file: ColumnsTool, signal: AbortSignal): Promise<LabelMetric> => {
  const pair = endsOf(file);
  const known = file.list.map((c) => c.name);
  if (!pair) throw new Fault('data/column', { path: file.path, name: 'from', nearest: '', known });
  const [from, to] = [await file.words(pair[0], signal), await file.words(pair[1], signal)];
  const weight = lengths.find((name) => known.includes(name));
  const weights = weight === undefined ? undefined : (await file.read(weight, signal)).data;
  // The root of a table of parents has none.
  const list = from.map((a, i) => ({ from: a, to: to[i], weight: weights?.[i] ?? 1 })).filter((e) => e.from !== '' && e.to !== '');
  return graphMetric(list, file.path);
};

/** Names beside an array of as many rows. */
const namesOf = async ({ list, words }: ColumnsTool, size: number, signal: AbortSignal): Promise<readonly string[] | undefined> => {
  const found = list.find((c) => isText(c) && c.dims.length === 1 && c.dims[0] === size && nameArrays.includes(c.name));
  return found && words(found.name, signal);
};

/** Columns of numbers of a text table side by side: the header names them, or, where a first column of text does, the rows. */
const tableOf = async (file: ColumnsTool, signal: AbortSignal) => {
  const numbers = file.list.filter((c) => !isText(c));
  const [text] = file.list.filter(isText);
  const rows = numbers[0]?.dims[0] ?? 0;
  const data = new Float64Array(rows * numbers.length);
  for (const [j, { name }] of numbers.entries())
    for (const [i, v] of (await file.read(name, signal)).data.entries()) data[i * numbers.length + j] = v;
  const names = text ? await file.words(text.name, signal) : numbers.map((c) => c.name);
  return { dims: [rows, numbers.length], data, names: names.length === rows ? names : undefined };
};

const arrayOf = async (file: ColumnsTool, wanted: string, signal: AbortSignal) => {
  const tables = file.list.filter((c) => c.dims.length === 2 && !isText(c));
  if (wanted === '' && tables.length === 0) return tableOf(file, signal);
  if (wanted === '' && tables.length > 1)
    throw new Fault('diagnostic/metric-array', { path: file.path, known: tables.map((c) => `${c.name} [${c.dims.join(', ')}]`) });
  const found = await file.read(wanted || tables[0].name, signal);
  return { ...found, names: await namesOf(file, found.dims[0], signal) };
};

/** Whole numbers from 0 need no file; other labels are named in order in one. */
const ordered = async (
  file: ColumnsTool | undefined,
  outputs: OutputTable,
  observed: readonly string[],
  signal: AbortSignal,
): Promise<LabelMetric> => {
  if (file) {
    const [column] = [file.list.find((c) => nameArrays.includes(c.name)) ?? file.list[0]];
    const names = await file.words(column.name, signal);
    // A list without a line of names begins with a class.
    const all = outputs.names.includes(column.name) && !names.includes(column.name) ? [column.name, ...names] : names;
    return orderMetric(all.length, all);
  }
  const labels = outputs.labels ? [...new Set(outputs.labels)].filter((v) => !Number.isNaN(v)) : [];
  const said = [...(observed.length > 0 ? observed : outputs.names), ...(outputs.labelNames ?? []).slice(outputs.names.length)];
  const numbers = [...said.map((name) => (/^\d+$/.test(name) ? Number(name) : Number.NaN)), ...(outputs.labelNames ? [] : labels)];
  // Classes without names of their own are numbered.
  if (numbers.some((v) => !(Number.isInteger(v) && v >= 0))) {
    if (
      observed.length > 0 ||
      (outputs.labelNames && outputs.labelNames.length > outputs.names.length) ||
      labels.some((v) => !(Number.isInteger(v) && v >= 0))
    )
      throw new Fault('diagnostic/metric-order', { labels: said });
    return orderMetric(
      Math.max(outputs.names.length, ...labels.map((v) => v + 1)),
      labels.some((v) => v >= outputs.names.length) ? undefined : outputs.names,
    );
  }
  const size = 1 + numbers.reduce((m, v) => Math.max(m, v), 0);
  return orderMetric(
    size,
    Array.from({ length: size }, (_, i) => String(i)),
  );
};

/** Distances between labels as the options say, or as the form of the file tells. */
export const readMetric = async (
  { metric, metricFile, metricArray, normalise }: MetricOptions,
  tools: { readonly columns: ColumnsTool; readonly outputHead: OutputHeadTool },
  outputs: OutputTable,
  observed: readonly string[],
  model: boolean,
  signal: AbortSignal,
): Promise<LabelMetric> => {
  const file = metricFile === '' ? undefined : await tools.columns.file(metricFile, signal);
  const namesAlone = file?.list.every((c) => isText(c) && c.dims.length === 1) && !endsOf(file);
  if (metric === 'order' || (metric === 'auto' && metricArray === '' && namesAlone)) return ordered(file, outputs, observed, signal);
  if (metric === 'weights' || (metric === 'auto' && !file && model)) {
    const { dims, data } = await tools.outputHead.classWeights();
    return embeddingMetric(data, dims, 'the weights of the last layer', normalise, outputs.names);
  }
  if (!file) throw new Fault('diagnostic/metric-missing', {});
  if (metric === 'edges' || (metric === 'auto' && metricArray === '' && endsOf(file))) return edgesOf(file, signal);
  const { dims, data, names } = await arrayOf(file, metricArray, signal);
  const square = dims.length === 2 && dims[0] === dims[1];
  return metric === 'embeddings' || (metric === 'auto' && !square)
    ? embeddingMetric(data, dims, file.path, normalise, names)
    : matrixMetric(data, dims, file.path, names);
};

/** The label of every class: as `observed` says by name or number, else by the names of the classes, else in their order. */
export const observedLabels = (observed: readonly string[], classes: readonly string[], { size, names }: LabelMetric): Int32Array => {
  const index = new Map(names?.map((name, i) => [name, i]));
  const place = (name: string): number => index.get(name) ?? (/^\d+$/.test(name) && Number(name) < size ? Number(name) : -1);
  const wanted = observed.length > 0 ? observed : classes;
  if (observed.length > 0 && observed.length !== classes.length)
    throw new Fault('diagnostic/observed', { given: observed.length, classes: classes.length });
  const known = names ?? Array.from({ length: size }, (_, i) => String(i));
  const missing = wanted.filter((name) => place(name) < 0);
  // Where neither side has names both are in index order.
  const plain = observed.length === 0 && names === undefined && classes.length === size;
  if (missing.length > 0 && !plain) throw new Fault('diagnostic/label-names', { missing, known });
  const labels = Int32Array.from(wanted, (name, i) => (plain ? i : place(name)));
  const twice = labels.findIndex((v, i) => labels.indexOf(v) !== i);
  if (twice >= 0) throw new Fault('diagnostic/observed-twice', { label: known[labels[twice]] });
  return labels;
};

/** Place among the labels of what every row is labelled with; −1 where that is missing. */
export const trueLabels = (
  { rows, labels, labelNames, names: classes }: OutputTable,
  { size, names }: LabelMetric,
  observed: ArrayLike<number>,
): Int32Array | undefined => {
  if (!labels) return undefined;
  // A label in words may be the name of a class, too, whose label `observed` tells.
  const index = new Map([
    ...(labelNames ? classes.map((name, k) => [name, observed[k]] as const) : []),
    ...(names?.map((name, i) => [name, i] as const) ?? []),
  ]);
  const missing = new Set<string>();
  const found = Int32Array.from(labels, (v, i) => {
    if (Number.isNaN(v)) return -1;
    const name = labelNames?.[v] ?? String(v);
    const at = index.get(name);
    if (at !== undefined) return at;
    if (labelNames && names) missing.add(name);
    else if (!(Number.isInteger(v) && v >= 0 && v < size))
      throw new Fault('diagnostic/metric-label', { row: rows[i], label: name, labels: size });
    return v;
  });
  if (missing.size > 0) throw new Fault('diagnostic/label-names', { missing: [...missing], known: names ?? [] });
  return found;
};
