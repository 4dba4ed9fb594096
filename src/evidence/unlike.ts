import type { Model } from '../graph/types.ts';

/** Metadata key under which training writes the least and greatest input value, as `MIN MAX`. */
export const inputRangeKey = 'assay.input_range';

const short = (v: number): string => String(Number(v.toPrecision(4)));

/**
 * The range of inputs seen, and a warning where it looks unlike training: against the range that the model's own metadata
 * state, or, for pictures, where values leave what pictures are scaled to by any custom (0..1, −1..1, standardised).
 */
export const rangeNotes = (
  model: Model,
  { min, max }: { readonly min: number; readonly max: number },
  picture: boolean,
): readonly string[] => {
  const seen = `Inputs seen by the model range from ${short(min)} to ${short(max)}.`;
  const [low, high] = (model.metadata.get(inputRangeKey) ?? '').split(' ').map(Number);
  if (Number.isFinite(low) && Number.isFinite(high) && high > low) {
    const width = high - low;
    if (max > high + 0.5 * width || min < low - 0.5 * width)
      return [`${seen} The model was trained on ${short(low)} to ${short(high)}: scale the data alike, or its confidence means little.`];
    if (max - min < 0.05 * width)
      return [`${seen} The model was trained on ${short(low)} to ${short(high)}, far wider: was the data scaled twice?`];
    return [seen];
  }
  if (picture && max > 10 && min >= 0) {
    const scale = max <= 16 ? '1/16 = 0.0625' : max <= 255 ? '1/255 = 0.00392157' : `1/${short(max)}`;
    return [
      `${seen} Image models are mostly trained on 0..1 or standardised values; if this one was, scale the data (${scale}): accuracy may survive, calibration will not.`,
    ];
  }
  if (picture && max - min < 0.02 && max > min) return [`${seen} That is a narrow range for pictures: was the data scaled twice?`];
  return [seen];
};
