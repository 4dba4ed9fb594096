/**
 * Mean structural similarity of two maps (Wang et al. 2004, eq. 13) over all 7 × 7 windows (smaller maps: their own size), sample
 * variances, K₁ = 0.01, K₂ = 0.03; L is the range of both maps together. 1 where both are constant and equal.
 */
export const structuralSimilarity = (a: ArrayLike<number>, b: ArrayLike<number>, height: number, width: number): number => {
  const [h, w] = [Math.min(7, height), Math.min(7, width)];
  const n = h * w;
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < height * width; i++) {
    low = Math.min(low, a[i], b[i]);
    high = Math.max(high, a[i], b[i]);
  }
  if (high === low) return 1;
  const [c1, c2] = [(0.01 * (high - low)) ** 2, (0.03 * (high - low)) ** 2];
  let [total, windows] = [0, 0];
  for (let y = 0; y + h <= height; y++)
    for (let x = 0; x + w <= width; x++) {
      let [sa, sb, saa, sbb, sab] = [0, 0, 0, 0, 0];
      for (let r = 0; r < h; r++)
        for (let c = 0; c < w; c++) {
          const i = (y + r) * width + x + c;
          sa += a[i];
          sb += b[i];
          saa += a[i] * a[i];
          sbb += b[i] * b[i];
          sab += a[i] * b[i];
        }
      const [ma, mb] = [sa / n, sb / n];
      const unbiased = n > 1 ? n / (n - 1) : 1;
      const [va, vb, cov] = [unbiased * (saa / n - ma * ma), unbiased * (sbb / n - mb * mb), unbiased * (sab / n - ma * mb)];
      total += ((2 * ma * mb + c1) * (2 * cov + c2)) / ((ma * ma + mb * mb + c1) * (va + vb + c2));
      windows++;
    }
  return total / windows;
};
