/** Where the height, width and channels of an image row are. */
export interface ImageAxes {
  readonly layout: 'chw' | 'hwc' | 'hw';
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Least side of a row that counts as a picture: shorter grids are sequences or tables. */
const leastSide = 4;

/** A row is a picture where it is [C, H, W], [H, W, C] or [H, W] with 1 or 3 channels and sides of at least 4. */
export const imageAxes = (dims: readonly number[]): ImageAxes | undefined => {
  const fits = (axes: ImageAxes): boolean =>
    (axes.channels === 1 || axes.channels === 3) && axes.height >= leastSide && axes.width >= leastSide;
  const [a, b, c] = dims;
  const candidates: ImageAxes[] =
    dims.length === 2
      ? [{ layout: 'hw', height: a, width: b, channels: 1 }]
      : dims.length === 3
        ? [
            { layout: 'chw', channels: a, height: b, width: c },
            { layout: 'hwc', height: a, width: b, channels: c },
          ]
        : [];
  return candidates.find(fits);
};

/** Offset of [channel, row, column] in a row of that layout. */
export const pixelAt = ({ layout, height, width, channels }: ImageAxes, c: number, y: number, x: number): number =>
  layout === 'hwc' ? (y * width + x) * channels + c : (c * height + y) * width + x;

/** Bilinear with half-pixel centres, edges repeated; from one grid to another of the same layout. */
export const resized = (from: Float32Array | Float64Array, axes: ImageAxes, height: number, width: number): Float64Array => {
  const to: ImageAxes = { ...axes, height, width };
  const out = new Float64Array(axes.channels * height * width);
  const place = (i: number, n: number, of: number): readonly [number, number, number] => {
    const at = Math.min(of - 1, Math.max(0, ((i + 0.5) * of) / n - 0.5));
    const low = Math.floor(at);
    return [low, Math.min(of - 1, low + 1), at - low];
  };
  for (let y = 0; y < height; y++) {
    const [y0, y1, fy] = place(y, height, axes.height);
    for (let x = 0; x < width; x++) {
      const [x0, x1, fx] = place(x, width, axes.width);
      for (let c = 0; c < axes.channels; c++) {
        const top = from[pixelAt(axes, c, y0, x0)] * (1 - fx) + from[pixelAt(axes, c, y0, x1)] * fx;
        const low = from[pixelAt(axes, c, y1, x0)] * (1 - fx) + from[pixelAt(axes, c, y1, x1)] * fx;
        out[pixelAt(to, c, y, x)] = top * (1 - fy) + low * fy;
      }
    }
  }
  return out;
};
