import { pile, put, runs } from '../../src/diagnostics/calibration/pairs.ts';

/** Scores with how many positives and negatives have each. */
export const tally = (labels: readonly number[], scores: readonly number[]) => {
  const [positive, negative] = [pile(), pile()];
  for (const [i, s] of scores.entries()) put(labels[i] ? positive : negative, s);
  return runs(positive, negative);
};
