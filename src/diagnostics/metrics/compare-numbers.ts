import { pairedSpan } from '../../base/maths/difference.ts';
import type { PairTool } from '../../evidence/pair.ts';
import type { Comparison, Range } from './compare-scores.ts';
import { type NumberPair, pairCorrelations, tallyCloser } from './regression-pairs.ts';
import { type Regression, type RegressionScore, regressionScoreNames, regressionScores } from './regression-scores.ts';
import { addRegression, regressionState } from './regression-state.ts';

/** A score of both, and the first's less the other's. */
interface ComparedNumber {
  readonly name: RegressionScore;
  readonly value: number;
  readonly interval: Range;
}

export interface NumberComparison extends Pick<Comparison, 'names' | 'values'> {
  readonly regressions: readonly [Regression, Regression];
  readonly compared: readonly ComparedNumber[];
  /** Rows on which the first, and the other, is closer to the target. */
  readonly closer: readonly [number, number];
  /** Rows drawn, by which the scores of both are known to go together. */
  readonly pairs: readonly NumberPair[];
}

/** The interval of a difference is made of those of both and of the correlation of what rows add to them. */
const compared = (
  [a, b]: readonly [Regression, Regression],
  correlations: Readonly<Record<RegressionScore, number>>,
): readonly ComparedNumber[] =>
  regressionScoreNames.map((name) => {
    const [x, y] = [a[name], b[name]];
    return {
      name,
      value: x.value - y.value,
      interval: x.interval && y.interval && pairedSpan(x.value, x.interval, y.value, y.interval, correlations[name]),
    };
  });

/** Two predictions of the same targets: each as in its own regression report, and their differences row by row. */
export const compareNumbers = async (
  pair: PairTool,
  { confidenceLevel, entry, probeRows }: { readonly confidenceLevel: number; readonly entry: number; readonly probeRows: number },
): Promise<NumberComparison> => {
  const states = [regressionState(), regressionState()] as const;
  const closer: [number, number] = [0, 0];
  const column = Math.max(0, entry - 1);
  await pair.eachNumber(({ rows, targets, predictions, other }) => {
    addRegression(states[0], { rows, targets, predictions }, entry, false);
    addRegression(states[1], { rows, targets, predictions: other.predictions }, entry, false);
    for (let i = 0; i < targets.length; i++) {
      const error = ({ data, cols }: typeof predictions): number => Math.abs(data[i * cols + column] - targets[i]);
      tallyCloser(closer, [error(predictions), error(other.predictions)]);
    }
  });
  const regressions = [regressionScores(states[0], confidenceLevel), regressionScores(states[1], confidenceLevel)] as const;
  // Both keep the same rows: which are drawn hangs on their numbers alone.
  const twins = new Map(regressions[1].drawn.map((one) => [one.row, one.x]));
  const pairs = regressions[0].drawn.map(({ row, m, x }) => ({ row, target: m, said: [x, twins.get(row) ?? x] as const }));
  return {
    names: pair.names,
    values: probeRows > 0 ? await pair.values(probeRows) : undefined,
    regressions,
    compared: compared(regressions, pairCorrelations(pairs)),
    closer,
    pairs,
  };
};
