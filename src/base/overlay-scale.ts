/**
 * The |a| drawn at full strength, for any share of outliers in percent: the smallest at which the cumulative sorted sum of |a| reaches
 * (100 − percent) % of the total (card 00-attribution-common, Overlay).
 */
export const overlayScales = (values: ArrayLike<number>): ((percent: number) => number) => {
  const sizes = Float64Array.from(values, Math.abs).sort();
  const total = sizes.reduce((sum, v) => sum + v, 0);
  return (percent) => {
    const limit = (1 - percent / 100) * total;
    let sum = 0;
    for (const v of sizes) {
      sum += v;
      if (sum >= limit) return v;
    }
    return sizes.at(-1) ?? 0;
  };
};

export const overlayScale = (values: ArrayLike<number>, percent: number): number => overlayScales(values)(percent);
