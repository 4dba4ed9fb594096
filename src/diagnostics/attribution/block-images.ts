import { type ImageAxes, imageAxes, pixelAt } from '../../base/image.ts';
import type { Random } from '../../base/random.ts';
import { sizeOf } from '../../base/tensor.ts';
import type { LabelledRows } from '../../evidence/fresh.ts';

/** Images of twice the height: the picture, and a null block that is the same for all classes (Shah et al. 2021, section 5). */
export interface Blocks extends LabelledRows {
  /** 1 where the picture of a row is on top. */
  readonly onTop: Uint8Array;
}

/** A square frame with its two diagonals, in the data's greatest value on its least. */
export const nullBlock = (axes: ImageAxes, [low, high]: readonly [number, number]): Float32Array => {
  const { height, width, channels } = axes;
  const out = new Float32Array(height * width * channels).fill(low);
  const ink = (y: number, x: number): void => {
    for (let c = 0; c < channels; c++) out[pixelAt(axes, c, y, x)] = high;
  };
  for (let y = 0; y < height; y++) {
    const x = Math.round((y * (width - 1)) / Math.max(1, height - 1));
    for (const at of [0, width - 1, x, width - 1 - x]) ink(y, at);
  }
  for (let x = 0; x < width; x++) for (const y of [0, height - 1]) ink(y, x);
  return out;
};

/** Axes of images of twice the height, and the shape of a row of them. */
export const doubled = (dims: readonly number[]): { readonly axes: ImageAxes; readonly dims: readonly number[] } | undefined => {
  const axes = imageAxes(dims);
  if (!axes) return undefined;
  const at = axes.layout === 'chw' ? 1 : 0;
  return { axes: { ...axes, height: 2 * axes.height }, dims: dims.map((d, i) => (i === at ? 2 * d : d)) };
};

/** Every row stacked with the null block: the picture on top or below by chance, or always on top. */
export const stacked = (
  data: LabelledRows,
  axes: ImageAxes,
  range: readonly [number, number],
  order: 'random' | 'top',
  random: Random,
): Blocks => {
  const block = nullBlock(axes, range);
  const size = block.length;
  const whole = doubled(data.dims);
  const tall = whole?.axes ?? axes;
  const count = data.labels.length;
  const x = new Float32Array(2 * size * count);
  const onTop = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    onTop[i] = order === 'top' ? 1 : random.below(2);
    const row = x.subarray(2 * size * i, 2 * size * (i + 1));
    for (let c = 0; c < axes.channels; c++)
      for (let y = 0; y < axes.height; y++)
        for (let w = 0; w < axes.width; w++) {
          const from = pixelAt(axes, c, y, w);
          row[pixelAt(tall, c, onTop[i] ? y : y + axes.height, w)] = data.x[size * i + from];
          row[pixelAt(tall, c, onTop[i] ? y + axes.height : y, w)] = block[from];
        }
  }
  return { ...data, x, dims: whole?.dims ?? data.dims, onTop };
};

/** Share of Σ|g| that lies in the picture, and of the tenth of values with the largest |g|, for row `i` of the gradients. */
export const inSignal = (
  g: Float64Array,
  i: number,
  { dims, onTop }: Pick<Blocks, 'dims' | 'onTop'>,
  axes: ImageAxes,
): { readonly mass: number; readonly top: number } => {
  const d = sizeOf(dims);
  const half = axes.height / 2;
  const signal = new Uint8Array(d);
  for (let c = 0; c < axes.channels; c++)
    for (let y = 0; y < half; y++) for (let w = 0; w < axes.width; w++) signal[pixelAt(axes, c, onTop[i] ? y : y + half, w)] = 1;
  const size = Float64Array.from({ length: d }, (_, k) => Math.abs(g[i * d + k]));
  let [inside, all] = [0, 0];
  size.forEach((v, k) => {
    all += v;
    if (signal[k]) inside += v;
  });
  const tenth = Math.max(1, Math.round(d / 10));
  const order = Uint32Array.from({ length: d }, (_, k) => k).sort((a, b) => size[b] - size[a] || a - b);
  return { mass: inside / all, top: order.subarray(0, tenth).reduce((sum, k) => sum + signal[k], 0) / tenth };
};
