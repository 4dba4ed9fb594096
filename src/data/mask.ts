import { Fault } from '../base/fault.ts';
import { sizeOf } from '../base/tensor.ts';
import { readRows } from './batches.ts';
import type { Column, Dataset, ImageFiles } from './define.ts';
import { toFloats } from './values.ts';

/** 1 where a pixel belongs to a defect. */
export interface Mask {
  readonly height: number;
  readonly width: number;
  readonly data: Uint8Array;
}

export interface Masks {
  readonly notes: readonly string[];
  /** The mask of a row of the data. Throws `data/mask-value`. */
  read(row: number, signal?: AbortSignal): Promise<Mask>;
}

/** Values 0 and 1, or 0 and 255 (65535 where masks have 16 bits). */
const binary = (path: string, values: ArrayLike<number>, where: string): Uint8Array => {
  const out = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const v = values[i];
    if (v !== 0 && v !== 1 && v !== 255 && v !== 65535) throw new Fault('data/mask-value', { path, where, value: v });
    out[i] = v === 0 ? 0 : 1;
  }
  return out;
};

/** Height and width of rows that are grids: [H, W], [1, H, W] or [H, W, 1]. */
export const gridOf = (dims: readonly number[]): readonly [number, number] | undefined => {
  const wide = dims.length === 3 ? (dims[0] === 1 ? dims.slice(1) : dims[2] === 1 ? dims.slice(0, 2) : dims) : dims;
  return wide.length === 2 ? [wide[0], wide[1]] : undefined;
};

/** Masks in an array of the data, one grid a row. */
export const storedMasks = (dataset: Dataset, column: Column): Masks => {
  const grid = gridOf(column.dims);
  if (!grid) throw new Fault('data/no-grid', { path: dataset.path, column: column.name, dims: `[${column.dims.join(', ')}]` });
  return {
    notes: [],
    async read(row, signal) {
      const [tensor] = await readRows(dataset, [column.name], Float64Array.of(row), signal);
      return { height: grid[0], width: grid[1], data: binary(dataset.path, toFloats(tensor), `row ${row} of '${column.name}'`) };
    },
  };
};

/** The parts of a path that name an image: without ending, without `_mask`, without the folders of splits and of masks. */
const keyOf = (name: string): string =>
  name
    .replace(/\.[^./]*$/, '')
    .replace(/_(mask|gt|label)$/i, '')
    .split('/')
    .filter(
      (part, i, all) =>
        i === all.length - 1 || !/^(train|training|test|testing|val|valid|validation|ground_truth|masks?|images?)$/i.test(part),
    )
    .join('/');
const lastOf = (key: string): string => key.split('/').at(-1) ?? key;

/** Last parts that occur once, with their place. */
const unique = (keys: readonly string[]): Map<string, number> => {
  const found = new Map<string, number>();
  const twice = new Set<string>();
  for (const [i, key] of keys.entries()) {
    const last = lastOf(key);
    if (found.has(last)) twice.add(last);
    found.set(last, i);
  }
  for (const last of twice) found.delete(last);
  return found;
};

/** Images without a mask in folders where most images have one. */
const forgotten = (images: ImageFiles, of: readonly (number | undefined)[]): string[] => {
  const folderOf = (name: string): string => name.slice(0, name.lastIndexOf('/') + 1);
  const lead = new Map<string, number>();
  for (const [i, { name }] of images.files.entries())
    lead.set(folderOf(name), (lead.get(folderOf(name)) ?? 0) + (of[i] === undefined ? -1 : 1));
  return images.files.flatMap(({ name }, i) => (of[i] === undefined && (lead.get(folderOf(name)) ?? 0) > 0 ? [name] : []));
};

/**
 * Masks as image files called like the images (`broken/000_mask.png` for `broken/000.png`); by the file name alone where the folders
 * differ and no name comes twice. An image without a mask is normal.
 */
export const masksByName = (path: string, images: ImageFiles, masks: ImageFiles): Masks => {
  const keys = masks.files.map((f) => keyOf(f.name));
  const whole = new Map(keys.map((key, i) => [key, i]));
  const own = images.files.map((f) => keyOf(f.name));
  const [lasts, ownLasts] = [unique(keys), unique(own)];
  const of = own.map((key) => whole.get(key) ?? (ownLasts.has(lastOf(key)) ? lasts.get(lastOf(key)) : undefined));
  const matched = new Set(of.filter((i) => i !== undefined));
  const [first] = images.files;
  if (matched.size === 0) throw new Fault('data/masks-unmatched', { path, mask: masks.files[0].name, image: first.name });
  const left = masks.files.filter((_, i) => !matched.has(i));
  const without = of.filter((i) => i === undefined).length;
  const suspects = forgotten(images, of);
  const sizes = new Set(masks.files.map((f) => `${f.height}×${f.width}`));
  const blank = (row: number): Mask => {
    const { height, width } = sizes.size === 1 ? masks.files[0] : images.files[row];
    return { height, width, data: new Uint8Array(height * width) };
  };
  return {
    notes: [
      `Masks were found by name for ${of.length - without} of ${of.length} images${without > 0 ? `; the ${without} without one count as normal` : ''}.`,
      ...(suspects.length > 0
        ? [
            `${suspects.length === 1 ? 'One of these lies' : `${suspects.length} of these lie`} in a folder where most images have a mask, the first being '${suspects[0]}'; where it shows a defect, it spoils the normal images: give it its mask.`,
          ]
        : []),
      ...(left.length > 0
        ? [`${left.length} ${left.length === 1 ? 'mask has' : 'masks have'} no image, the first being '${left[0].name}'.`]
        : []),
    ],
    async read(row, signal) {
      const at = of[row];
      if (at === undefined) return blank(row);
      const { height, width, channels, data } = await masks.decode(at, signal);
      const where = `mask '${masks.files[at].name}'`;
      if (channels === 1) return { height, width, data: binary(path, data, where) };
      const grey = new Uint8Array(height * width);
      for (let i = 0; i < grey.length; i++) {
        const [r, g, b] = data.subarray(3 * i, 3 * i + 3);
        if (r !== g || g !== b) throw new Fault('data/mask-value', { path, where, value: Number.NaN });
        grey[i] = r;
      }
      return { height, width, data: binary(path, grey, where) };
    },
  };
};

/** Each pixel takes the value of the nearest one. */
export const nearestMask = ({ height, width, data }: Mask, to: readonly [number, number]): Mask => {
  const [h, w] = to;
  const out = new Uint8Array(sizeOf(to));
  for (let y = 0; y < h; y++) {
    const from = Math.min(height - 1, Math.floor(((y + 0.5) * height) / h)) * width;
    for (let x = 0; x < w; x++) out[y * w + x] = data[from + Math.min(width - 1, Math.floor(((x + 0.5) * width) / w))];
  }
  return { height: h, width: w, data: out };
};
