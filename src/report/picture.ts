import { type ImageAxes, pixelAt } from '../base/image.ts';
import type { RawPicture } from './data-view.ts';
import type { Picture } from './report.ts';

const base64 = (bytes: Uint8ClampedArray): string => {
  let text = '';
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
};

/** Grey or colour bytes of one picture, area-averaged down to at most `side`; `low..high` becomes 0..255. */
export const rawPicture = (row: ArrayLike<number>, axes: ImageAxes, [low, high]: readonly [number, number], side: number): RawPicture => {
  const shrink = Math.max(1, Math.max(axes.width, axes.height) / side);
  const [width, height] = [Math.max(1, Math.round(axes.width / shrink)), Math.max(1, Math.round(axes.height / shrink))];
  const channels = axes.channels === 3 ? 3 : 1;
  const bytes = new Uint8ClampedArray(width * height * channels);
  const span = high > low ? high - low : 1;
  const edges = (n: number, of: number, i: number): readonly [number, number] => {
    const from = Math.floor((i * of) / n);
    return [from, Math.max(from + 1, Math.floor(((i + 1) * of) / n))];
  };
  for (let y = 0; y < height; y++) {
    const [y0, y1] = edges(height, axes.height, y);
    for (let x = 0; x < width; x++) {
      const [x0, x1] = edges(width, axes.width, x);
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let v = y0; v < y1; v++) for (let u = x0; u < x1; u++) sum += row[pixelAt(axes, c, v, u)];
        bytes[(y * width + x) * channels + c] = ((sum / ((y1 - y0) * (x1 - x0)) - low) / span) * 255;
      }
    }
  }
  return { width, height, channels, pixels: bytes };
};

export const pictureOf = (row: ArrayLike<number>, axes: ImageAxes, range: readonly [number, number], side: number): Picture => {
  const { pixels, ...size } = rawPicture(row, axes, range, side);
  return { ...size, base64: base64(pixels) };
};

/** 0..1 and 0..255 are kept as they are; any other range is spread from its least to its greatest value. */
export const pictureRange = (values: Iterable<number>): readonly [number, number] => {
  let [min, max] = [Infinity, -Infinity];
  for (const v of values) {
    if (v < min) min = v;
    if (v > max) max = v;
  }
  if (min >= 0 && max <= 1 && max > 0.1) return [0, 1];
  return min >= 0 && max <= 255 && max > 100 ? [0, 255] : [Math.min(min, 0), max];
};
