/** Quantile of ascending values with linear interpolation between order statistics (Hyndman, Fan 1996, type 7). NaN of none. */
export const quantile = (sorted: ArrayLike<number>, q: number): number => {
  if (sorted.length === 0) return Number.NaN;
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
};

export const median = (values: ArrayLike<number>): number => quantile(Float64Array.from(values).sort(), 0.5);
