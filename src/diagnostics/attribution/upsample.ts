/** Bilinear, half-pixel centres, edges held: a map of h × w at height × width. */
export const upsample = (map: Float64Array, h: number, w: number, height: number, width: number): Float64Array => {
  const out = new Float64Array(height * width);
  const place = (i: number, from: number, to: number): { readonly low: number; readonly high: number; readonly share: number } => {
    const at = Math.min(from - 1, Math.max(0, ((i + 0.5) * from) / to - 0.5));
    const low = Math.floor(at);
    return { low, high: Math.min(from - 1, low + 1), share: at - low };
  };
  const columns = Array.from({ length: width }, (_, x) => place(x, w, width));
  for (let y = 0; y < height; y++) {
    const row = place(y, h, height);
    columns.forEach((column, x) => {
      const along = (r: number): number => map[r * w + column.low] * (1 - column.share) + map[r * w + column.high] * column.share;
      out[y * width + x] = along(row.low) * (1 - row.share) + along(row.high) * row.share;
    });
  }
  return out;
};
