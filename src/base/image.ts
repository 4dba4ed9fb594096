/** Where the height, width and channels of one row of input are. */
export interface ImageAxes {
  readonly layout: 'chw' | 'hwc' | 'hw';
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Least side of a row that counts as a picture: shorter grids are sequences or tables. */
const LEAST = 4;

/** A row is a picture where it is [C, H, W], [H, W, C] or [H, W] with 1 or 3 channels and sides of at least 4. */
export const imageAxes = (dims: readonly number[]): ImageAxes | undefined => {
  const fits = (axes: ImageAxes): boolean => (axes.channels === 1 || axes.channels === 3) && axes.height >= LEAST && axes.width >= LEAST;
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
