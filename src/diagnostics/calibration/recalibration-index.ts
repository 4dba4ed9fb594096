import { matrix, vector } from './recalibration-affine.ts';
import { correctnessAware } from './recalibration-correctness.ts';
import { histogram, isotonic } from './recalibration-curves.ts';
import type { Recalibrator } from './recalibration-define.ts';
import { hCalibration } from './recalibration-h.ts';
import { beta, platt } from './recalibration-sigmoid.ts';
import { temperature } from './recalibration-temperature.ts';

/** Every recalibrator, those with the fewest numbers to fit first: of equals the first is kept. */
export const recalibrators: readonly Recalibrator[] = [
  temperature,
  platt,
  beta,
  vector,
  hCalibration,
  correctnessAware,
  histogram,
  isotonic,
  matrix,
];
