import { keepFirst } from '../selection.ts';

/** Directions of the classes, [classes, width]: rows of length 1, and the length that each had. */
export interface Directions {
  readonly classes: number;
  readonly width: number;
  readonly unit: Float64Array;
  readonly lengths: Float64Array;
}

export const directionsOf = (data: ArrayLike<number>, classes: number, width: number): Directions => {
  const unit = Float64Array.from({ length: classes * width }, (_, i) => data[i]);
  const lengths = new Float64Array(classes);
  for (let c = 0; c < classes; c++) {
    const row = unit.subarray(c * width, (c + 1) * width);
    lengths[c] = Math.hypot(...row);
    if (lengths[c] > 0) for (let k = 0; k < width; k++) row[k] /= lengths[c];
  }
  return { classes, width, unit, lengths };
};

/** ⟨w_i, w_j⟩ of all pairs, [classes, classes]; a direction of length 0 has cosine 0 with all. */
export const cosinesOf = ({ classes, width, unit }: Directions): Float64Array => {
  const all = new Float64Array(classes * classes);
  for (let i = 0; i < classes; i++)
    for (let j = 0; j <= i; j++) {
      let dot = 0;
      for (let k = 0; k < width; k++) dot += unit[i * width + k] * unit[j * width + k];
      all[i * classes + j] = dot;
      all[j * classes + i] = dot;
    }
  return all;
};

/** Bins of cosines and margins from −1 to 1, and −2 to 2. */
export const BINS = 40;
const binOf = (x: number, most: number): number => Math.min(BINS - 1, Math.max(0, Math.floor(((x + most) / (2 * most)) * BINS)));

/** Sums over rows: additive, O(classes² + classes·width) numbers whatever the rows. */
export interface AngleState {
  readonly classes: number;
  readonly width: number;
  rows: number;
  /** Rows of zeros: they have no direction. */
  zeros: number;
  readonly counts: Float64Array;
  /** Σ of unit features by class. */
  readonly sums: Float64Array;
  readonly own: Float64Array;
  readonly wrong: Float64Array;
  /** Rows of class i that lie nearest to the direction of j. */
  readonly nearest: Float64Array;
  /** Margins own − best wrong, wrong rows before right ones. */
  readonly margins: Float64Array;
  readonly marginRows: number[][];
  readonly ownBins: Float64Array;
  readonly wrongBins: Float64Array;
}

export const angleState = (classes: number, width: number): AngleState => ({
  classes,
  width,
  rows: 0,
  zeros: 0,
  counts: new Float64Array(classes),
  sums: new Float64Array(classes * width),
  own: new Float64Array(classes),
  wrong: new Float64Array(classes),
  nearest: new Float64Array(classes * classes),
  margins: new Float64Array(2 * BINS),
  marginRows: Array.from({ length: 2 * BINS }, () => []),
  ownBins: new Float64Array(BINS),
  wrongBins: new Float64Array(BINS),
});

const FLOOR = 1e-12;

/** Features of a row, [width], to the sums of its class. */
export const addAngles = (
  state: AngleState,
  { unit }: Directions,
  features: ArrayLike<number>,
  at: number,
  label: number,
  row: number,
): void => {
  const { classes, width } = state;
  let square = 0;
  for (let k = 0; k < width; k++) square += features[at + k] ** 2;
  const length = Math.sqrt(square);
  if (length === 0) {
    state.zeros++;
    return;
  }
  const scale = 1 / Math.max(length, FLOOR);
  let [own, wrong, first] = [0, Number.NEGATIVE_INFINITY, 0];
  let best = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < classes; c++) {
    let dot = 0;
    for (let k = 0; k < width; k++) dot += unit[c * width + k] * features[at + k];
    const cosine = dot * scale;
    if (c === label) own = cosine;
    else wrong = Math.max(wrong, cosine);
    if (cosine > best) [best, first] = [cosine, c];
  }
  state.rows++;
  state.counts[label]++;
  for (let k = 0; k < width; k++) state.sums[label * width + k] += features[at + k] * scale;
  state.own[label] += own;
  state.wrong[label] += wrong;
  state.nearest[label * classes + first]++;
  const bin = Number(first === label) * BINS + binOf(own - wrong, 2);
  state.margins[bin]++;
  keepFirst(state.marginRows[bin], row);
  state.ownBins[binOf(own, 1)]++;
  state.wrongBins[binOf(wrong, 1)]++;
};
