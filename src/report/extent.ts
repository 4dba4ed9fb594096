/** Smallest and largest of any number of values; null where there are none. */
export const extent = (values: Iterable<number | null>): readonly [low: number, high: number] | null => {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value === null) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : null;
};
