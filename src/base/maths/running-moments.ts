/** What is known of the numbers seen so far. Of min, max, mean and squares only finite ones. */
export interface Moments {
  count: number;
  nan: number;
  infinite: number;
  zeros: number;
  min: number;
  max: number;
  mean: number;
  /** Σ (v − mean)² */
  squares: number;
}

export const noValues = (): Moments => ({
  count: 0,
  nan: 0,
  infinite: 0,
  zeros: 0,
  min: Number.POSITIVE_INFINITY,
  max: Number.NEGATIVE_INFINITY,
  mean: 0,
  squares: 0,
});

/** Takes in more numbers: two passes over them, then merged (Chan, Golub, LeVeque 1983). */
export const addValues = (to: Moments, values: ArrayLike<number>): void => {
  let [count, nan, zeros, sum, min, max] = [0, 0, 0, 0, to.min, to.max];
  for (let i = 0; i < values.length; i++) {
    const v = values[i];
    if (!Number.isFinite(v)) {
      if (Number.isNaN(v)) nan++;
      continue;
    }
    count++;
    if (v === 0) zeros++;
    if (v < min) min = v;
    if (v > max) max = v;
    sum += v;
  }
  to.nan += nan;
  to.infinite += values.length - count - nan;
  to.zeros += zeros;
  to.min = min;
  to.max = max;
  if (count === 0) return;
  const mean = sum / count;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    const off = values[i] - mean;
    if (Number.isFinite(off)) squares += off * off;
  }
  const apart = mean - to.mean;
  const all = to.count + count;
  to.squares += squares + (apart * apart * to.count * count) / all;
  to.mean += (apart * count) / all;
  to.count = all;
};

export const deviationOf = ({ count, squares }: Moments): number => (count > 0 ? Math.sqrt(squares / count) : 0);
