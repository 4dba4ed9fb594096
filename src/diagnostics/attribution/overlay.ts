import { type ImageAxes, pixelAt } from '../../base/image.ts';
import type { Attributed } from './method.ts';

/** Signed map [height, width] of one row: channels summed. */
export const channelSum = (values: ArrayLike<number>, at: number, axes: ImageAxes): Float64Array => {
  const map = new Float64Array(axes.height * axes.width);
  for (let y = 0; y < axes.height; y++)
    for (let x = 0; x < axes.width; x++)
      for (let c = 0; c < axes.channels; c++) map[y * axes.width + x] += values[at + pixelAt(axes, c, y, x)];
  return map;
};

/** How the channels of a pixel become one value: their sum with signs, or the largest size. */
export type Reduction = 'sum' | 'max';

/** Map [height, width] of one row: the largest |a| of each pixel's channels. */
const channelMax = (values: ArrayLike<number>, axes: ImageAxes): Float64Array => {
  const map = new Float64Array(axes.height * axes.width);
  for (let y = 0; y < axes.height; y++)
    for (let x = 0; x < axes.width; x++)
      for (let c = 0; c < axes.channels; c++) {
        const at = y * axes.width + x;
        map[at] = Math.max(map[at], Math.abs(values[pixelAt(axes, c, y, x)]));
      }
  return map;
};

/** The map of row `b` of `rows` over a picture: channels reduced to one, or the method's own map. */
export const mapOf = (
  { values, grid }: Pick<Attributed, 'values' | 'grid'>,
  b: number,
  rows: number,
  axes: ImageAxes,
  reduction: Reduction = 'sum',
): { readonly height: number; readonly width: number; readonly values: Float64Array } => {
  const d = values.length / rows;
  const own = values.subarray(b * d, (b + 1) * d);
  return grid?.kind === 'map'
    ? { height: grid.height, width: grid.width, values: own }
    : { height: axes.height, width: axes.width, values: reduction === 'max' ? channelMax(own, axes) : channelSum(own, 0, axes) };
};

/** A map of at most `most` cells a side: sums over blocks, so that it still adds up. */
export const shrink = (
  map: Float64Array,
  { height, width }: Pick<ImageAxes, 'height' | 'width'>,
  most: number,
): { readonly height: number; readonly width: number; readonly values: Float64Array } => {
  const by = Math.max(1, Math.ceil(Math.max(height, width) / most));
  const [h, w] = [Math.ceil(height / by), Math.ceil(width / by)];
  const values = new Float64Array(h * w);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) values[Math.floor(y / by) * w + Math.floor(x / by)] += map[y * width + x];
  return { height: h, width: w, values };
};

/** Below this scale a map is almost zero everywhere. */
export const ALMOST_ZERO = 1e-5;
