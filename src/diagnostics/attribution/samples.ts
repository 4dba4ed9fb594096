import { type ImageAxes, imageAxes } from '../../base/image.ts';
import { sizeOf } from '../../base/tensor.ts';
import type { SamplesTool } from '../../evidence/evidence.ts';
import { pictureOf, pictureRange } from '../../report/picture.ts';
import type { Picture } from '../../report/report.ts';

/** `n` positions of `count`, evenly spaced from the first on. */
export const evenly = (n: number, count: number): number[] => {
  const taken = Math.min(n, count);
  return Array.from({ length: taken }, (_, i) => Math.floor((i * count) / taken));
};

/** Input values as 32-bit floats, whatever the model takes. */
export const inputValues = (data: ArrayLike<unknown>): Float32Array =>
  Float32Array.from({ length: data.length }, (_, i) => Number(data[i]));

/** Samples as pictures: where a pixel's value stands in a row, 8-bit copies on one scale, and the values drawn black and white. */
export interface Pictures {
  readonly axes: ImageAxes;
  readonly pictures: readonly Picture[];
  readonly range: readonly [number, number];
}

/** Taken from values before mean and standard deviation where they can be had, else from what the model sees; undefined for tables. */
export const picturesOf = async (
  tool: SamplesTool,
  rows: readonly number[],
  x: Float32Array,
  most: number,
  signal: AbortSignal,
): Promise<Pictures | undefined> => {
  const plain = await tool.plain?.(rows, signal);
  const [values, dims] = plain ? [plain.values, plain.dims] : [x, tool.inputDims];
  const axes = imageAxes(dims);
  if (!axes) return undefined;
  const d = sizeOf(dims);
  const range = pictureRange(values);
  return { axes, pictures: rows.map((_, b) => pictureOf(values.subarray(b * d, (b + 1) * d), axes, range, most)), range };
};

/** Rows looked at for a mean, an extreme or a baseline, and how many values they may hold together. */
const LOOKED_AT = 256;
const MOST = 8_000_000;

interface DrawnRows {
  readonly x: Float32Array;
  readonly count: number;
}
const draw = async (tool: SamplesTool, signal: AbortSignal): Promise<DrawnRows> => {
  const positions = evenly(Math.max(1, Math.min(LOOKED_AT, Math.floor(MOST / sizeOf(tool.inputDims)))), tool.count);
  const { x } = await tool.take(positions, signal);
  return { x: inputValues(x.data), count: positions.length };
};

const drawn = new WeakMap<SamplesTool, Promise<DrawnRows>>();
/** Rows of the data, evenly spaced, as the model takes them; read once. */
export const drawnRows = async (tool: SamplesTool, signal: AbortSignal): Promise<DrawnRows> => {
  const rows = drawn.get(tool) ?? draw(tool, signal);
  drawn.set(tool, rows);
  try {
    return await rows;
  } catch (error) {
    drawn.delete(tool);
    throw error;
  }
};
