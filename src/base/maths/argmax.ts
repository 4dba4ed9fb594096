/** Index of the largest of `cols` values from `at` on, the lowest on ties. */
export const argmax = (values: ArrayLike<number>, at: number, cols: number): number => {
  let best = 0;
  for (let j = 1; j < cols; j++) if (values[at + j] > values[at + best]) best = j;
  return best;
};
