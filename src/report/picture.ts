import { type ImageAxes, pixelAt } from '../base/image.ts';
import type { Picture } from './report.ts';

const base64 = (bytes: Uint8Array): string => {
  let text = '';
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
};

/** How many pixels of each side become one, so that neither side exceeds `most`. */
export const shrinkFactor = ({ height, width }: Pick<ImageAxes, 'height' | 'width'>, most: number): number =>
  Math.max(1, Math.ceil(Math.max(height, width) / most));

/** One row as an 8-bit picture, `low` black and `high` white; above `most` pixels a side, blocks of pixels are averaged. */
export const picture = (values: ArrayLike<number>, axes: ImageAxes, [low, high]: readonly [number, number], most = 128): Picture => {
  const by = shrinkFactor(axes, most);
  const [height, width] = [Math.ceil(axes.height / by), Math.ceil(axes.width / by)];
  const channels = axes.channels === 3 ? 3 : 1;
  const sums = new Float64Array(height * width * channels);
  const counts = new Int32Array(height * width);
  for (let y = 0; y < axes.height; y++)
    for (let x = 0; x < axes.width; x++) {
      const to = Math.floor(y / by) * width + Math.floor(x / by);
      counts[to]++;
      for (let c = 0; c < channels; c++) sums[to * channels + c] += values[pixelAt(axes, c, y, x)];
    }
  const scale = high > low ? 255 / (high - low) : 0;
  const bytes = Uint8Array.from(sums, (sum, i) =>
    Math.round(Math.min(255, Math.max(0, (sum / counts[Math.floor(i / channels)] - low) * scale))),
  );
  return { width, height, channels, base64: base64(bytes) };
};

/** Smallest and largest of all values, [0, 1] where there are none. */
export const extent = (values: ArrayLike<number>): readonly [number, number] => {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i++) {
    if (values[i] < low) low = values[i];
    if (values[i] > high) high = values[i];
  }
  return low <= high ? [low, high] : [0, 1];
};
