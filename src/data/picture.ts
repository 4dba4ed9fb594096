import { type ImageAxes, pixelAt } from '../base/image.ts';

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
