/** Index of the largest of `cols` values from `at` on, the lowest on ties. */
export const argmax = (values: ArrayLike<number>, at: number, cols: number): number => {
  let best = 0;
  for (let j = 1; j < cols; j++) if (values[at + j] > values[at + best]) best = j;
  return best;
};

/** Whether `label` is the index of the largest of `cols` values from `at` on, the lowest on ties; of values with a NaN none is. */
export const isLargest = (values: ArrayLike<number>, at: number, cols: number, label: number): boolean => {
  for (let j = 0; j < cols; j++) if (Number.isNaN(values[at + j])) return false;
  return argmax(values, at, cols) === label;
};
