/** Scores Wx + b of a row of features, class by class, as plain data. */
export interface LinearHead {
  readonly classes: number;
  readonly width: number;
  /** [classes, width] */
  readonly weights: Float64Array;
  readonly biases: Float64Array;
}

/** Features as a head was fitted on them: (x − offset)/range. */
export interface FeatureScale {
  readonly offset: Float64Array;
  readonly range: Float64Array;
}

/** Least and greatest value of each feature over some rows; a feature that does not vary is divided by 1. */
export const minMax = (features: Float32Array, width: number, rows: ArrayLike<number>): FeatureScale => {
  const offset = new Float64Array(width).fill(Number.POSITIVE_INFINITY);
  const range = new Float64Array(width).fill(Number.NEGATIVE_INFINITY);
  for (let i = 0; i < rows.length; i++)
    for (let j = 0, at = rows[i] * width; j < width; j++, at++) {
      const x = features[at];
      if (x < offset[j]) offset[j] = x;
      if (x > range[j]) range[j] = x;
    }
  for (let j = 0; j < width; j++) range[j] = range[j] > offset[j] ? range[j] - offset[j] : 1;
  return { offset, range };
};

export const unscaled = (width: number): FeatureScale => ({ offset: new Float64Array(width), range: new Float64Array(width).fill(1) });

/** The head that gives x what the given one gives (x − offset)/range. */
export const onRaw = ({ classes, width, weights, biases }: LinearHead, { offset, range }: FeatureScale): LinearHead => {
  const raw = new Float64Array(weights.length);
  const shifted = biases.slice();
  for (let k = 0; k < classes; k++)
    for (let j = 0; j < width; j++) {
      const w = weights[k * width + j] / range[j];
      raw[k * width + j] = w;
      shifted[k] -= w * offset[j];
    }
  return { classes, width, weights: raw, biases: shifted };
};

/** Class of greatest score for every row, the lowest on ties. */
export const predictedBy = ({ classes, width, weights, biases }: LinearHead, features: Float32Array): Int32Array => {
  const out = new Int32Array(features.length / width);
  for (let i = 0; i < out.length; i++) {
    let best = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < classes; k++) {
      let sum = biases[k];
      for (let j = 0, a = i * width, b = k * width; j < width; j++) sum += features[a + j] * weights[b + j];
      if (sum > best) {
        best = sum;
        out[i] = k;
      }
    }
  }
  return out;
};
