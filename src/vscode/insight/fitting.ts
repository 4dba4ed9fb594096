import { imageAxes } from '../../base/image.ts';
import type { DataRef, ModelRef } from '../../base/request.ts';
import type { FileOutline } from '../../report/tasks.ts';
import type { SuiteFile } from '../define.ts';

/** What is looked at in an editor: running text, rows of a table with so many columns, of which some hold words, or a picture. */
export type Content =
  | { readonly kind: 'text' }
  | { readonly kind: 'table'; readonly columns: number; readonly words: boolean }
  | { readonly kind: 'picture' };

/** A free axis of a picture stands for any length. */
const FREE = 64;

const inputOf = (outline: Extract<FileOutline, { kind: 'model' }>, input: string | undefined) =>
  outline.inputs.find(({ name }) => name === input) ?? outline.inputs[0];

export const takesTokens = (outline: FileOutline | undefined, { input }: Pick<ModelRef, 'input'>): boolean =>
  outline?.kind === 'model' && /^u?int/.test(inputOf(outline, input)?.dtype ?? '');

/** Whether a model's input can take the content, by its headers; where they do not tell, it may. */
export const fits = (content: Content, outline: FileOutline | undefined, { input }: Pick<ModelRef, 'input'>): boolean => {
  if (outline?.kind !== 'model') return outline === undefined;
  const own = inputOf(outline, input);
  if (!own) return false;
  if (own.dims === null) return true;
  const tokens = /^u?int/.test(own.dtype);
  const row = own.dims.slice(1);
  switch (content.kind) {
    case 'text':
      return tokens && row.length === 1;
    case 'picture':
      return !tokens && imageAxes(row.map((d) => (typeof d === 'number' ? d : FREE))) !== undefined;
    case 'table': {
      if (tokens) return content.words && row.length === 1;
      const size = row.reduce<number>((n, d) => n * (typeof d === 'number' ? d : 1), 1);
      return own.dtype !== 'string' && size <= content.columns;
    }
  }
};

/** Datasets of the file that names the model, those that a check joins with it first. */
export const datasetsBeside = (
  { checks, datasets }: Pick<SuiteFile, 'checks' | 'datasets'>,
  model: string,
): readonly SuiteFile['datasets'][number][] => {
  const joined = new Set(checks.filter(({ value }) => value.model === model).map(({ value }) => value.data));
  return [...datasets].sort((a, b) => Number(joined.has(b.name)) - Number(joined.has(a.name)));
};

const isImage = /\.(png|jpe?g|jpe|jfif)$/i;
export const isPicture = (path: string): boolean => isImage.test(path);
/** Folders have no ending that a reader knows. */
const isFile = /\.[a-z0-9]+$/i;
const holds = (folder: string, path: string): boolean =>
  path.startsWith(`${folder.replace(/[\\/]$/, '')}/`) || path.startsWith(`${folder}\\`);

/**
 * How a picture that is in no dataset is prepared: as those of the folder that it lies in or of another folder of images. A table of
 * numbers may have a range of its own: of it only mean and standard deviation hold for pictures, where it has no scale.
 */
export const picturePreparation = (path: string, datasets: readonly DataRef[]): DataRef => {
  const folders = datasets.filter((d) => !isFile.test(d.path.replace(/.*[\\/]/, '')));
  const found =
    folders.find((d) => holds(d.path, path)) ??
    folders[0] ??
    datasets.find(({ preprocess }) => preprocess && preprocess.scale === undefined && preprocess.tokenizer === undefined);
  const preprocess = found?.preprocess;
  return { path, ...(preprocess ? { preprocess } : {}) };
};
