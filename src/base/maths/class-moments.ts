/** Rows, means and sums of squared deviations of the features of each class, as plain data. */
export interface ClassMoments {
  readonly classes: number;
  readonly width: number;
  readonly counts: Float64Array;
  /** [classes, width], as `squares`. */
  readonly means: Float64Array;
  readonly squares: Float64Array;
}

export const noMoments = (classes: number, width: number): ClassMoments => ({
  classes,
  width,
  counts: new Float64Array(classes),
  means: new Float64Array(classes * width),
  squares: new Float64Array(classes * width),
});

/** Takes in rows of features [rows, width] by their places (Welford 1962). */
export const addRows = (to: ClassMoments, features: ArrayLike<number>, labels: ArrayLike<number>, places: ArrayLike<number>): void => {
  const { width, counts, means, squares } = to;
  for (let i = 0; i < places.length; i++) {
    const k = labels[places[i]];
    const n = ++counts[k];
    for (let j = 0, at = k * width, from = places[i] * width; j < width; j++, at++, from++) {
      const off = features[from] - means[at];
      means[at] += off / n;
      squares[at] += off * (features[from] - means[at]);
    }
  }
};

/** Takes in what another pass has found (Chan, Golub, LeVeque 1983). */
export const mergeMoments = (to: ClassMoments, from: ClassMoments): void => {
  const { width, counts, means, squares } = to;
  for (let k = 0; k < counts.length; k++) {
    const [a, b] = [counts[k], from.counts[k]];
    if (b === 0) continue;
    counts[k] = a + b;
    for (let j = 0, at = k * width; j < width; j++, at++) {
      const off = from.means[at] - means[at];
      means[at] += (off * b) / (a + b);
      squares[at] += from.squares[at] + (off * off * a * b) / (a + b);
    }
  }
};
