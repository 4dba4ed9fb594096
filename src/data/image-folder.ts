import { Fault } from '../base/fault.ts';
import type { Tensor } from '../base/tensor.ts';
import type { Column, Dataset, Folder, ImageFiles, Source } from './define.ts';
import { type DecodedImage, decodeImage, type ImageHead, imageEndings, imageHead } from './image-decode.ts';
import { resized } from './picture.ts';

/** An image file: its path inside the folder, with `/`, and what its head tells. */
interface Found extends ImageHead {
  readonly name: string;
}

/** Files read at once. */
const atOnce = 16;

const inParallel = async <A, B>(items: readonly A[], work: (item: A) => Promise<B>): Promise<B[]> => {
  const out = new Array<B>(items.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < items.length; i = next++) out[i] = await work(items[i]);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  return out;
};

/** What a decoder says, where it says it in words. */
const reasonOf = (error: unknown): string =>
  error instanceof TypeError || error instanceof RangeError || !(error instanceof Error) || error.cause !== undefined
    ? 'its bytes are damaged'
    : error.message;

const unreadable = (folder: Folder, name: string, error: unknown): Fault =>
  error instanceof Fault ? error : new Fault('data/image', { path: `${folder.path}/${name}`, reason: reasonOf(error) }, { cause: error });

const headOf = async (folder: Folder, name: string, signal?: AbortSignal): Promise<Found> => {
  const source = await folder.open(name);
  try {
    return { name, ...(await imageHead((from, to) => source.read(from, to, signal), source.size)) };
  } catch (error) {
    signal?.throwIfAborted();
    throw unreadable(folder, name, error);
  }
};

const decoded = async (folder: Folder, found: Found, signal?: AbortSignal): Promise<DecodedImage> => {
  const source = await folder.open(found.name);
  const bytes = await source.read(0, source.size, signal);
  try {
    return decodeImage(bytes, found);
  } catch (error) {
    throw unreadable(folder, found.name, error);
  }
};

/** ITU-R 601 luma in 16-bit fixed point, as PIL turns colours into greys. */
const luma = (r: number, g: number, b: number): number => Math.floor((19595 * r + 38470 * g + 7471 * b + 0x8000) / 65536);

interface Shape {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  readonly depth: 8 | 16;
}

/** One image in the shape of all: its channels, its depth (×257 or ÷257), its size; rounded to whole values, as an image has them. */
const shaped = (image: DecodedImage, to: Shape): Float64Array | Uint8Array | Uint16Array => {
  const { width, height } = image;
  const pixels = width * height;
  let { data }: { data: Float64Array | Uint8Array | Uint16Array } = image;
  if (image.channels !== to.channels) {
    const from = data;
    const turned = new Float64Array(pixels * to.channels);
    if (to.channels === 3) for (let i = 0; i < turned.length; i++) turned[i] = from[Math.floor(i / 3)];
    else for (let i = 0; i < pixels; i++) turned[i] = luma(from[3 * i], from[3 * i + 1], from[3 * i + 2]);
    data = turned;
  }
  const deep = image.data instanceof Uint16Array;
  if (deep !== (to.depth === 16)) data = Float64Array.from(data, (v) => (deep ? v / 257 : v * 257));
  if (width !== to.width || height !== to.height)
    data = resized(Float64Array.from(data), { layout: 'hwc', height, width, channels: to.channels }, to.height, to.width);
  return data instanceof Float64Array ? data.map(Math.round) : data;
};

const splits = ['train', 'training', 'test', 'testing', 'val', 'valid', 'validation'];
/** Where MVTec's folders keep the masks of defects. */
const truth = 'ground_truth';

/** Rows of a folder: each image with its class and split, where the folders name them. */
interface Rows {
  readonly files: readonly string[];
  readonly classes?: readonly string[];
  readonly splits?: readonly string[];
  /** Names of the folders that every image lies in, level by level, where there are several levels. */
  readonly levels: readonly (readonly string[])[];
  readonly masks: readonly string[];
  readonly notes: readonly string[];
}

/** Folders down to the image that lies least deep; one level alone is that of the classes. */
const levelsOf = (folders: readonly (readonly string[])[]): string[][] => {
  const depth = Math.min(...folders.map((f) => f.length));
  const levels = Array.from({ length: depth }, (_, k) => folders.map((f) => f[k]));
  return levels.slice(1).some((level) => new Set(level).size > 1) ? levels : [];
};
const levelName = (k: number): string => `folder_${k + 1}`;

/** `<class>/…`, or `<split>/<class>/…` where the top folders are called after splits; or images alone. */
const arrange = (names: readonly string[]): Rows => {
  const parts = names.map((name) => name.split('/'));
  const tops = new Set(parts.filter((p) => p.length > 1).map(([top]) => top));
  if (tops.size === 0) return { files: names, levels: [], masks: [], notes: [] };
  const divided = [...tops].every((top) => splits.includes(top.toLowerCase()) || top === truth) && !(tops.size === 1 && tops.has(truth));
  const depth = divided ? 3 : 2;
  const isMask = (p: readonly string[]): boolean => divided && p[0] === truth;
  const loose = parts.filter((p) => p.length < depth && !isMask(p)).length;
  const flat = divided && loose === parts.filter((p) => !isMask(p)).length;
  const used = parts.filter((p) => !isMask(p) && (flat || p.length >= depth));
  const levels = flat ? [] : levelsOf(used.map((p) => p.slice(depth - 2, -1)));
  return {
    files: used.map((p) => p.join('/')),
    levels,
    ...(flat ? {} : { classes: used.map((p) => p[depth - 2]) }),
    ...(divided ? { splits: used.map(([top]) => top.toLowerCase()) } : {}),
    masks: parts.filter(isMask).map((p) => p.join('/')),
    notes: [
      ...(loose > 0 && !flat
        ? [`${loose} ${loose === 1 ? 'image lies' : 'images lie'} in no folder of a class and ${loose === 1 ? 'was' : 'were'} left out.`]
        : []),
      ...(levels.length > 0
        ? [
            `Images lie in folders ${levels.length} deep, and classes are those of the first; where it is a domain, name y '${levelName(1)}', and '${levelName(0)}' as the domain.`,
          ]
        : []),
    ],
  };
};

const count = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`;

const heads = async (folder: Folder, names: readonly string[], signal?: AbortSignal): Promise<readonly Found[]> =>
  inParallel(names, (name) => {
    signal?.throwIfAborted();
    return headOf(folder, name, signal);
  });

const imageFiles = (folder: Folder, found: readonly Found[]): ImageFiles => ({
  files: found,
  decode: (row, signal) => decoded(folder, found[row], signal),
});

const text = (name: string, values: readonly string[]) => ({ column: { name, dtype: 'string', dims: [] } satisfies Column, values });

/** The images as rows of one shape; where they have several sizes, only once one is given. */
const rowsOf = (
  folder: Folder,
  found: readonly Found[],
  rows: Rows,
  masks: ImageFiles | undefined,
  notes: readonly string[],
  to: Shape | undefined,
): Dataset => {
  const { path } = folder;
  const names = rows.classes && [...new Set(rows.classes)].sort();
  const words = [
    ...(rows.classes ? [text('y', rows.classes)] : []),
    text(
      'file',
      found.map((f) => f.name),
    ),
    ...(rows.splits ? [text('split', rows.splits)] : []),
    ...rows.levels.map((level, k) => text(levelName(k), level)),
  ];
  const x: Column | undefined = to && { name: 'x', dtype: to.depth === 16 ? 'uint16' : 'uint8', dims: [to.height, to.width, to.channels] };
  const columns = [...(x ? [x] : []), ...words.map((w) => w.column)];
  const sizes = new Set(found.map((f) => `${f.height}×${f.width}`));
  const other = found.find((f) => f.width !== found[0].width || f.height !== found[0].height);
  const uneven =
    !x && other
      ? new Fault('data/image-sizes', {
          path,
          sizes: sizes.size,
          first: `'${found[0].name}' ${found[0].height}×${found[0].width}`,
          file: other.name,
          other: `${other.height}×${other.width}`,
        })
      : undefined;
  const take: Dataset['take'] = (wanted, numbers, signal) =>
    Promise.all(
      wanted.map(async (name): Promise<Tensor> => {
        const word = words.find((w) => w.column.name === name);
        const list = Array.from(numbers);
        if (word) return { dtype: 'string', dims: [list.length], data: list.map((r) => word.values[r]) };
        if (name !== 'x' || !to || !x)
          throw name === 'x' && uneven ? uneven : new Fault('data/column', { path, name, nearest: '', known: columns.map((c) => c.name) });
        const size = to.height * to.width * to.channels;
        const data = to.depth === 16 ? new Uint16Array(list.length * size) : new Uint8Array(list.length * size);
        await inParallel(
          list.map((row, i) => [row, i] as const),
          async ([row, i]) => {
            signal?.throwIfAborted();
            data.set(shaped(await decoded(folder, found[row], signal), to), i * size);
          },
        );
        return { dtype: x.dtype, dims: [list.length, ...x.dims], data };
      }),
    );
  return {
    format: 'images',
    path,
    length: found.length,
    columns,
    extras: names ? [{ name: 'class_names', dtype: 'string', dims: [], length: names.length }] : [],
    namesOf: 'y',
    ...(uneven ? { refused: new Map([['x', uneven]]) } : {}),
    notes,
    images: {
      ...imageFiles(folder, found),
      channels: to?.channels ?? channelsOf(found),
      ...(masks ? { masks } : {}),
      sized: (height, width, channels) =>
        rowsOf(folder, found, rows, masks, notes, { height, width, channels: channels ?? channelsOf(found), depth: depthOf(found) }),
    },
    slice: (wanted, from, end, signal) =>
      take(
        wanted,
        Array.from({ length: end - from }, (_, i) => from + i),
        signal,
      ),
    take,
    async extra(name) {
      if (name !== 'class_names' || !names) throw new Fault('data/column', { path, name, nearest: '', known: columns.map((c) => c.name) });
      return { dtype: 'string', dims: [names.length], data: names };
    },
    close: async () => {},
  };
};

const channelsOf = (found: readonly Found[]): 1 | 3 => (found.some((f) => f.channels === 3) ? 3 : 1);
const depthOf = (found: readonly Found[]): 8 | 16 => (found.some((f) => f.depth === 16) ? 16 : 8);

/** Opens a folder of PNG and JPEG files, each a row: classes are the folders they lie in, sorted. Only the heads are read. */
export const openImageFolder = async (folder: Folder, signal?: AbortSignal): Promise<Dataset> => {
  const all = await folder.files();
  const names = all.filter((name) => imageEndings.some((ending) => name.toLowerCase().endsWith(ending)));
  if (names.length === 0) throw new Fault('data/no-images', { path: folder.path, files: all.length, known: imageEndings });
  const rows = arrange(names);
  if (rows.files.length === 0) throw new Fault('data/no-images', { path: folder.path, files: all.length, known: imageEndings });
  const found = await heads(folder, rows.files, signal);
  const masks = rows.masks.length > 0 ? imageFiles(folder, await heads(folder, rows.masks, signal)) : undefined;
  const turned = found.filter((f) => f.turned).length;
  const deep = found.filter((f) => f.depth === 16).length;
  const classes = rows.classes && [...new Set(rows.classes)].sort();
  const notes = [
    ...rows.notes,
    ...(classes
      ? [
          `${classes.length === 1 ? 'The only class is the folder' : `Classes are the ${classes.length} folders in sorted order:`} ${classes.slice(0, 20).join(', ')}${classes.length > 20 ? ', …' : ''}.`,
        ]
      : []),
    ...(all.length > names.length
      ? [
          `${count(all.length - names.length, 'file is', 'files are')} no image and ${all.length - names.length === 1 ? 'was' : 'were'} left out.`,
        ]
      : []),
    ...(turned > 0
      ? [
          `${count(turned, 'image says', 'images say')} that the camera was turned; pixels were taken as stored, as torchvision does. Turn the files themselves if the model was trained on upright pictures.`,
        ]
      : []),
    ...(deep > 0
      ? [`${deep === found.length ? 'Images have' : `${deep} of ${found.length} images have`} 16 bits a value: values are 0 to 65535.`]
      : []),
  ];
  const uniform = found.every((f) => f.width === found[0].width && f.height === found[0].height);
  const to: Shape | undefined = uniform
    ? { height: found[0].height, width: found[0].width, channels: channelsOf(found), depth: depthOf(found) }
    : undefined;
  return rowsOf(folder, found, rows, masks, notes, to);
};

/** A dataset, in every size, under another path. */
const calledAs = (path: string, { images, ...dataset }: Dataset): Dataset => ({
  ...dataset,
  path,
  ...(images ? { images: { ...images, sized: (...size) => calledAs(path, images.sized(...size)) } } : {}),
});

/** One PNG or JPEG file as a dataset of one row. */
export const openImageFile = async (source: Source, signal?: AbortSignal): Promise<Dataset> => {
  const path = source.path.slice(0, -source.name.length - 1);
  return calledAs(source.path, await openImageFolder({ path, files: async () => [source.name], open: async () => source }, signal));
};
