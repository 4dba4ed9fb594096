import { type RealOption, real } from '../base/option.ts';

/** Of the last weights. */
export const deviation: RealOption = real({
  default: 0,
  min: 0,
  max: 10,
  help: 'Draws the last weights from a normal distribution this wide, so that the first predictions are nearly constant (0.01 in the paper); 0 keeps them.',
});
