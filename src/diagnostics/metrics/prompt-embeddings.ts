import { Fault } from '../../base/fault.ts';
import { sizeOf } from '../../base/tensor.ts';
import type { ColumnsTool, OutputsTool, Values } from '../../evidence/evidence.ts';

export interface EmbeddingOptions {
  readonly texts: string;
  readonly textsFile: string;
  readonly textEncoder: string;
  readonly reference: string;
  readonly referenceFile: string;
  readonly logitScale: number;
}

/** Unit vectors, [rows, width]. */
export interface Vectors {
  readonly rows: number;
  readonly width: number;
  readonly data: Float64Array;
  /** Least and greatest norm before. */
  readonly norms: readonly [number, number];
}

export interface Embeddings {
  readonly images: Vectors;
  /** Dataset row numbers of the images. */
  readonly rows: Float64Array;
  /** [prompts · classes, width]: the classes of the first prompt come first. */
  readonly texts: Vectors;
  readonly prompts: number;
  readonly classes: number;
  readonly reference?: Vectors;
  readonly scale: number;
  readonly templates: readonly string[];
  readonly classNames: readonly string[];
  /** Class of every image, −1 where missing. */
  readonly labels?: Int32Array;
  readonly notes: readonly string[];
}

const imageNames = ['image_embeddings', 'images', 'image_features', 'embeddings', 'features', 'x', 'X', 'z'];
const textNames = ['text_embeddings', 'texts', 'text_features', 'prompts', 'prompt_embeddings', 't', 'tokens'];
const referenceNames = ['reference_embeddings', 'reference', 'references', 'pretrain_embeddings'];
const templateNames = ['templates', 'prompt_names', 'prompt_templates', 'prompts'];
const classNames = ['class_names', 'classes', 'label_names', 'names'];

/** Of vectors that are unit ones already, norms differ from 1 by rounding only. */
const ROUNDING = 1e-3;

/** Makes unit vectors; one that has no direction is named by its place. */
export const unitVectors = ({ dims, data }: Values, what: string, place: (row: number) => string): Vectors => {
  const width = dims[dims.length - 1];
  const rows = sizeOf(dims.slice(0, -1));
  const out = data.slice();
  let [low, high] = [Number.POSITIVE_INFINITY, 0];
  for (let i = 0; i < rows; i++) {
    let square = 0;
    for (let k = i * width; k < (i + 1) * width; k++) square += out[k] * out[k];
    if (!(square > 0 && Number.isFinite(square)))
      throw new Fault('diagnostic/vector', { what, place: place(i), finite: Number.isFinite(square) });
    const norm = Math.sqrt(square);
    [low, high] = [Math.min(low, norm), Math.max(high, norm)];
    for (let k = i * width; k < (i + 1) * width; k++) out[k] /= norm;
  }
  return { rows, width, data: out, norms: [low, high] };
};

const first = ({ list }: ColumnsTool, names: readonly string[], rank: number): string | undefined =>
  names.find((name) => list.some((c) => c.name === name && c.dims.length === rank && c.dtype !== 'string'));

const named = (file: ColumnsTool, given: string, names: readonly string[], rank: number, what: string): string => {
  const found = given || first(file, names, rank);
  if (!found)
    throw new Fault('diagnostic/no-embeddings', { path: file.path, what, known: file.list.map((c) => `${c.name} [${c.dims.join(', ')}]`) });
  return found;
};

const shaped = (values: Values, name: string, path: string, rank: 2 | 3): Values => {
  if (values.dims.length !== rank || values.data.length === 0)
    throw new Fault('diagnostic/embeddings-shape', {
      path,
      name,
      shape: values.dims.join(', '),
      due: rank === 3 ? '[prompts, classes, width]' : '[images, width]',
    });
  return values;
};

const textsOf = async (
  file: ColumnsTool,
  outputs: OutputsTool,
  { texts, textEncoder }: EmbeddingOptions,
  signal: AbortSignal,
): Promise<Values> => {
  const name = named(file, texts, textNames, 3, textEncoder === '' ? 'embeddings of prompts and classes' : 'tokens of prompts and classes');
  const given = shaped(await file.read(name, signal), name, file.path, 3);
  if (textEncoder === '') return given;
  const [prompts, classes, length] = given.dims;
  const { dims, data } = await outputs.encode(textEncoder, { dims: [prompts * classes, length], data: given.data });
  return { dims: [prompts, classes, dims[1]], data };
};

const wordsOf = async (
  file: ColumnsTool,
  names: readonly string[],
  count: number,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> => {
  const found = file.list.find((c) => c.dtype === 'string' && c.dims.length === 1 && c.dims[0] === count && names.includes(c.name));
  return found && file.words(found.name, signal);
};

const labelsOf = (found: ArrayLike<number> | undefined, rows: Float64Array, classes: number): Int32Array | undefined => {
  if (!found) return undefined;
  return Int32Array.from(found, (v, i) => {
    if (Number.isNaN(v)) return -1;
    if (!Number.isInteger(v) || v < 0 || v >= classes) throw new Fault('diagnostic/label', { row: rows[i], label: v, classes });
    return v;
  });
};

/** Images from the model or an array, prompts from an array or an encoder, all made unit vectors. */
export const readEmbeddings = async (
  { columns, outputs }: { readonly columns: ColumnsTool; readonly outputs: OutputsTool },
  options: EmbeddingOptions,
  model: boolean,
  signal: AbortSignal,
): Promise<Embeddings> => {
  const notes: string[] = [];
  const file = options.textsFile === '' ? columns : await columns.file(options.textsFile, signal);
  const found = await textsOf(file, outputs, options, signal);
  const [prompts, classes, width] = found.dims;
  const templates = (await wordsOf(file, templateNames, prompts, signal)) ?? Array.from({ length: prompts }, (_, p) => `prompt ${p + 1}`);
  const names = (await wordsOf(file, classNames, classes, signal)) ?? Array.from({ length: classes }, (_, c) => String(c));
  const told = model ? await outputs.read('values') : undefined;
  const name = told ? '' : named(columns, columns.x ?? '', imageNames, 2, 'embeddings of images');
  const given: Values = told
    ? { dims: [told.values.rows, told.values.cols], data: told.values.data }
    : shaped(await columns.take(name, signal), name, columns.path, 2);
  const rows = told?.rows ?? columns.rows;
  const fits = (v: Values, what: string): Values => {
    if (v.dims[1] !== width) throw new Fault('diagnostic/embedding-width', { what, found: v.dims[1], text: width });
    return v;
  };
  const unlike = (v: Vectors, what: string): Vectors => {
    const [low, high] = v.norms;
    if (low < 1 - ROUNDING || high > 1 + ROUNDING)
      notes.push(`${what} were no unit vectors (norms ${Number(low.toPrecision(3))} to ${Number(high.toPrecision(3))}) and were made so.`);
    return v;
  };
  const images = unlike(
    unitVectors(fits(given, 'image'), 'The embedding of an image', (i) => `row ${rows[i]}`),
    'Embeddings of images',
  );
  const texts = unlike(
    unitVectors(found, 'The embedding of a prompt', (i) => `prompt ${Math.floor(i / classes)}, class ${i % classes}`),
    'Embeddings of prompts',
  );
  const referred = await referenceOf({ columns, outputs }, options, model, signal);
  const reference =
    referred &&
    unlike(
      unitVectors(fits(referred, 'reference image'), 'The embedding of a reference image', (i) => `row ${i}`),
      'Embeddings of reference images',
    );
  const stored =
    options.logitScale === 0 && columns.list.some((c) => c.name === 'logit_scale')
      ? (await columns.read('logit_scale', signal)).data[0]
      : undefined;
  const numbers = told ? told.labels : columns.label === undefined ? undefined : await numbersOf(columns, columns.label, names, signal);
  const labels = labelsOf(numbers, rows, classes);
  return {
    images,
    rows,
    texts,
    prompts,
    classes,
    ...(reference ? { reference } : {}),
    scale: options.logitScale || (stored ?? 100),
    templates,
    classNames: names,
    ...(labels ? { labels } : {}),
    notes,
  };
};

/** Labels as numbers; words by their place among the names of the classes. */
const numbersOf = async (columns: ColumnsTool, label: string, names: readonly string[], signal: AbortSignal): Promise<Float64Array> => {
  if (columns.list.find((c) => c.name === label)?.dtype !== 'string') return (await columns.take(label, signal)).data;
  const all = await columns.words(label, signal);
  return Float64Array.from(columns.rows, (row) => {
    const word = all[row];
    const at = names.indexOf(word);
    if (word !== '' && at < 0) throw new Fault('data/class-name', { path: columns.path, row, label: word, nearest: '', known: names });
    return word === '' ? Number.NaN : at;
  });
};

/** Reference images: an array, of another file where one is named; with a model, another data file that it embeds. */
const referenceOf = async (
  { columns, outputs }: { readonly columns: ColumnsTool; readonly outputs: OutputsTool },
  { reference, referenceFile }: EmbeddingOptions,
  model: boolean,
  signal: AbortSignal,
): Promise<Values | undefined> => {
  if (model && referenceFile !== '' && reference === '') {
    const { values } = await outputs.read('values', referenceFile);
    return { dims: [values.rows, values.cols], data: values.data };
  }
  const file = referenceFile === '' ? columns : await columns.file(referenceFile, signal);
  const name = reference || first(file, referenceFile === '' ? referenceNames : [...referenceNames, ...imageNames], 2);
  if (name === undefined && referenceFile === '') return undefined;
  const found = name ?? named(file, '', referenceNames, 2, 'embeddings of reference images');
  return shaped(await file.read(found, signal), found, file.path, 2);
};
