import { Fault } from '../base/fault.ts';
import { type ImageAxes, imageAxes, pixelAt } from '../base/image.ts';
import type { Preprocess } from '../base/request.ts';
import { type DType, sizeOf, type Tensor } from '../base/tensor.ts';
import type { Column } from './define.ts';
import { resized } from './picture.ts';
import { fromFloats, isWholeType, toFloats } from './values.ts';

/** What the model expects of one row: a name is an axis of free length; `dims` absent where the rank is unknown. */
export interface Target {
  readonly name: string;
  readonly dtype: DType;
  readonly dims?: readonly (number | string | undefined)[];
}

/** How rows of some columns become rows of an input. */
export interface Fitted {
  /** Shape of one input row. */
  readonly dims: readonly number[];
  /** Mean and standard deviation of the channels were applied: pictures are drawn from the values before that. */
  readonly normalised: boolean;
  readonly notes: readonly string[];
  /** One tensor a column → the input, [rows, ...dims]. `from` is the number of the first row, for faults. */
  apply(columns: readonly Tensor[], rows: ArrayLike<number>): Tensor;
  /** The same values without mean and standard deviation. */
  plain(columns: readonly Tensor[]): Float64Array;
}

const shape = (dims: readonly (number | string | undefined)[]): string => `[${dims.map((d) => d ?? '?').join(', ')}]`;

/** Whether a row shape can stand for the target's as it is. */
const matches = (dims: readonly number[], target: Target['dims']): boolean =>
  target === undefined || (dims.length === target.length && target.every((t, i) => typeof t !== 'number' || t === dims[i]));

/** The target's shape for a row of `size` elements, its free axes solved where at most one is free. */
const solved = (target: NonNullable<Target['dims']>, size: number): number[] | undefined => {
  const known = target.reduce<number>((n, d) => n * (typeof d === 'number' ? d : 1), 1);
  const free = target.filter((d) => typeof d !== 'number').length;
  if (free === 0) return known === size ? (target as number[]).slice() : undefined;
  if (free > 1 || known === 0 || size % known !== 0) return undefined;
  return target.map((d) => (typeof d === 'number' ? d : size / known));
};

const chw = (axes: ImageAxes): number[] => [axes.channels, axes.height, axes.width];
const hwc = (axes: ImageAxes): number[] => [axes.height, axes.width, axes.channels];

export const parseSize = (resize: string): readonly [number, number] => {
  const [, h, w] = /^(\d+)x(\d+)$/.exec(resize) ?? [];
  if (!(Number(h) > 0 && Number(w) > 0))
    throw new Fault('option/value', { name: 'resize', value: resize, expected: 'HEIGHTxWIDTH, such as 32x32' });
  return [Number(h), Number(w)];
};

interface Stage {
  readonly dims: readonly number[];
  /** Grid of the values, where they are an image. */
  readonly image?: ImageAxes;
  move?(row: Float32Array | Float64Array): Float32Array | Float64Array;
}

/** Rows as stored → the same values in the target's shape and axis order. */
const shapeRows = (
  path: string,
  names: string,
  stored: readonly number[],
  given: Preprocess,
  target: Target,
): { readonly stages: Stage[]; readonly notes: string[] } => {
  const notes: string[] = [];
  const stages: Stage[] = [];
  const impossible = (dims: readonly number[]): Fault => {
    const wanted =
      target.dims?.length === 3 && target.dims.every((d) => typeof d === 'number') ? imageAxes(target.dims as number[]) : undefined;
    const resizable = wanted !== undefined && imageAxes(dims)?.channels === wanted.channels && given.resize === undefined;
    return new Fault('data/shape', {
      path,
      columns: names,
      row: shape(dims),
      elements: sizeOf(dims),
      input: target.name,
      expected: shape(target.dims ?? []),
      resize: resizable ? `${wanted.height}x${wanted.width}` : '',
    });
  };
  let dims = stored;
  let image = imageAxes(stored);
  if (given.layout === 'nhwc' || given.layout === 'nchw') {
    const wanted = given.layout === 'nhwc' ? 'hwc' : 'chw';
    if (image?.layout !== wanted) {
      // The declared layout says how a row of this shape, or a flat one of the target's size, is to be read.
      const t = target.dims && solved(target.dims, sizeOf(stored));
      const own = t && imageAxes(t);
      const [a, b, c] = stored;
      if (stored.length === 3)
        image =
          wanted === 'hwc' ? { layout: 'hwc', height: a, width: b, channels: c } : { layout: 'chw', channels: a, height: b, width: c };
      else if (own) image = { ...own, layout: wanted };
    }
  } else if (given.layout === 'flat') image = undefined;

  if (given.resize !== undefined) {
    const [height, width] = parseSize(given.resize);
    if (!image)
      throw new Fault('option/value', {
        name: 'resize',
        value: given.resize,
        expected: `left out: rows of shape ${shape(stored)} are no images`,
      });
    const before = image;
    if (before.height !== height || before.width !== width) {
      image = { ...before, height, width };
      dims = before.layout === 'hw' ? [height, width] : before.layout === 'chw' ? chw(image) : hwc(image);
      stages.push({ dims, image, move: (row) => resized(row, before, height, width) });
      notes.push(`Images of ${before.height}×${before.width} were resized to ${height}×${width} (bilinear, half-pixel centres).`);
    }
  }

  // Axis order: an image stored the other way round than the target wants is turned, not reshaped.
  const t = target.dims;
  if (image && t?.length === 3 && image.layout !== 'hw' && given.layout !== 'flat') {
    const turned = image.layout === 'chw' ? hwc(image) : chw(image);
    const declared = given.layout !== undefined;
    const targetImage = imageAxes(t.map((d) => (typeof d === 'number' ? d : 64)));
    const turn =
      matches(turned, t) &&
      (!matches(dims, t) || (declared && targetImage !== undefined && targetImage.layout !== image.layout)) &&
      image.channels > 1;
    if (turn) {
      const before = image;
      const after: ImageAxes = { ...before, layout: before.layout === 'chw' ? 'hwc' : 'chw' };
      stages.push({
        dims: turned,
        image: after,
        move(row) {
          const out = new Float64Array(row.length);
          for (let c = 0; c < before.channels; c++)
            for (let y = 0; y < before.height; y++)
              for (let x = 0; x < before.width; x++) out[pixelAt(after, c, y, x)] = row[pixelAt(before, c, y, x)];
          return out;
        },
      });
      if (!declared)
        notes.push(
          `Rows stored as ${shape(dims)} were turned to ${shape(turned)}, as the input has it (channels ${after.layout === 'chw' ? 'first' : 'last'}).`,
        );
      [dims, image] = [turned, after];
    }
  }

  if (!matches(dims, t)) {
    const fitted = t && solved(t, sizeOf(dims));
    if (!fitted) throw impossible(dims);
    notes.push(`Rows of shape ${shape(dims)} were reshaped to ${shape(fitted)}, which input '${target.name}' takes.`);
    dims = fitted;
  }
  const final = imageAxes(dims);
  stages.push({ dims, ...(final ? { image: final } : image ? { image } : {}) });
  return { stages, notes };
};

/** Mean and standard deviation by channel (or by element of a vector). */
const normaliser = (given: Preprocess, { dims, image }: Stage): ((row: Float64Array) => void) | undefined => {
  const { mean, std } = given;
  if (!mean && !std) return undefined;
  const size = sizeOf(dims);
  const channels = image?.channels ?? dims[dims.length - 1] ?? 1;
  for (const [name, list] of [
    ['mean', mean],
    ['std', std],
  ] as const) {
    if (list && list.length !== 1 && list.length !== channels)
      throw new Fault('option/value', {
        name,
        value: list.join(','),
        expected:
          channels === 1
            ? `one number, for the channel of ${shape(dims)}`
            : `1 or ${channels} numbers, one for each channel of ${shape(dims)}`,
      });
    if (name === 'std' && list?.some((s) => !(s > 0)))
      throw new Fault('option/value', { name, value: list.join(','), expected: 'positive numbers' });
  }
  const channelOf = Int32Array.from({ length: size }, (_, i) =>
    image ? (image.layout === 'hwc' ? i % channels : Math.floor(i / (size / channels))) : i % channels,
  );
  const of = (list: readonly number[] | undefined, c: number, otherwise: number): number =>
    list ? list[list.length === 1 ? 0 : c] : otherwise;
  return (row) => {
    for (let i = 0; i < size; i++) row[i] = (row[i] - of(mean, channelOf[i], 0)) / of(std, channelOf[i], 1);
  };
};

const isFloatType = (dtype: DType): boolean => dtype.startsWith('float') || dtype === 'bfloat16';

/** Decides, once, how rows of `columns` become rows of `target`. Throws `data/shape` and `option/value`. */
export const fit = (path: string, columns: readonly Column[], given: Preprocess, target: Target): Fitted => {
  const names = columns.length === 1 ? `'${columns[0].name}'` : `the ${columns.length} input columns`;
  const stored = columns.length === 1 ? columns[0].dims : [columns.reduce((n, c) => n + sizeOf(c.dims), 0)];
  const { stages, notes } = shapeRows(path, names, stored, given, target);
  const last = stages[stages.length - 1];
  const size = sizeOf(last.dims);
  if (target.dtype === 'string') {
    const pick = ([column]: readonly Tensor[]): Tensor => ({ ...column, dims: [column.dims[0], ...last.dims] });
    return { dims: last.dims, normalised: false, notes, apply: pick, plain: () => new Float64Array(0) };
  }
  const bytes = columns.every((c) => c.dtype === 'uint8');
  const byDefault = bytes && isFloatType(target.dtype) && given.scale === undefined;
  const scale = given.scale ?? (byDefault ? 1 / 255 : 1);
  if (byDefault) notes.push('Inputs are unsigned 8-bit and no scale was given, so they were divided by 255.');
  else if (given.scale !== undefined && given.scale !== 1) notes.push(`Inputs were multiplied by ${given.scale}.`);
  const normalise = normaliser(given, last);
  if (normalise)
    notes.push(`Inputs were normalised: mean ${given.mean?.join(', ') ?? 0}, standard deviation ${given.std?.join(', ') ?? 1}.`);
  const moves = stages.flatMap((s) => (s.move ? [s.move] : []));
  const storedSize = sizeOf(stored);

  const values = (tensors: readonly Tensor[], each?: (row: Float64Array) => void): Float64Array => {
    const rows = tensors[0].dims[0];
    const parts = tensors.map(toFloats);
    const widths = tensors.map((t) => sizeOf(t.dims.slice(1)));
    const out = new Float64Array(rows * size);
    const buffer = new Float64Array(storedSize);
    for (let r = 0; r < rows; r++) {
      let at = 0;
      for (const [k, part] of parts.entries()) {
        buffer.set(part.subarray(r * widths[k], (r + 1) * widths[k]), at);
        at += widths[k];
      }
      let row: Float32Array | Float64Array = buffer;
      for (const move of moves) row = move(row);
      const target = out.subarray(r * size, (r + 1) * size);
      // Division keeps k/255 the nearest float, as in other tools; a product with 1/255 would not.
      if (byDefault) for (let i = 0; i < size; i++) target[i] = row[i] / 255;
      else if (scale === 1) target.set(row);
      else for (let i = 0; i < size; i++) target[i] = row[i] * scale;
      each?.(target);
    }
    return out;
  };
  return {
    dims: last.dims,
    normalised: normalise !== undefined,
    notes,
    apply(tensors, rows) {
      const dims = [tensors[0].dims[0], ...last.dims];
      const only = tensors[0];
      // Same type, nothing to change: the file's own elements.
      if (tensors.length === 1 && only.dtype === target.dtype && moves.length === 0 && scale === 1 && !normalise)
        return { dtype: target.dtype, dims, data: only.data };
      const data = values(tensors, normalise);
      if (isWholeType(target.dtype)) {
        const bad = data.findIndex((v) => !Number.isInteger(v));
        if (bad >= 0 && !Number.isNaN(data[bad]))
          throw new Fault('data/not-whole', {
            path,
            columns: names,
            row: rows[Math.floor(bad / size)],
            value: data[bad],
            input: target.name,
            dtype: target.dtype,
          });
        if (bad >= 0)
          throw new Fault('data/not-finite', {
            what: `inputs (${names} of '${path}')`,
            values: 1,
            rows: 1,
            row: rows[Math.floor(bad / size)],
          });
      }
      return { dtype: target.dtype, dims, data: fromFloats(data, target.dtype) };
    },
    plain: (tensors) => values(tensors),
  };
};
