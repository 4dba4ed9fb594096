import { Fault } from '../base/fault.ts';
import type { Matrix } from './evidence.ts';
import type { ScoreHint } from './model.ts';

/** What the columns of an output are. `binary` is one column that stands for class 1. */
export interface Meaning {
  readonly scores: 'logits' | 'probabilities' | 'values';
  readonly binary: boolean;
  /** Columns are labels of which a row may have several, each with a probability of its own. */
  readonly independent?: true;
  readonly note?: string;
}
/** `values` are numbers that predict a number, not class scores; `independent` scores are each of a label of its own. */
export type Declared = 'auto' | 'logits' | 'probabilities' | 'values' | 'independent';

/** How far the sum of a row of probabilities may be from 1 (card 00-calibration-common). */
const sumTolerance = 1e-3;
/** How far float32 rounding may carry a probability out of [0, 1]. */
const rangeTolerance = 1e-6;

const rowSum = ({ data, cols }: Matrix, row: number): number => {
  let sum = 0;
  for (let c = 0; c < cols; c++) sum += data[row * cols + c];
  return sum;
};
const outside = (v: number): boolean => v < -rangeTolerance || v > 1 + rangeTolerance;
const sumsToOne = (m: Matrix, row: number): boolean => Math.abs(rowSum(m, row) - 1) <= sumTolerance;

/** Throws where rows declared or found to be probabilities are none. */
export const checkProbabilities = (m: Matrix, rows: ArrayLike<number>, output: string, independent = false): void => {
  for (let r = 0; r < m.rows; r++) {
    if (!independent && m.cols > 1 && !sumsToOne(m, r))
      throw new Fault('data/not-probabilities', { output, row: rows[r], sum: rowSum(m, r) });
    for (let c = 0; c < m.cols; c++) {
      const value = m.data[r * m.cols + c];
      if (outside(value)) throw new Fault('data/probability', { output, row: rows[r], value });
    }
  }
};

/** Decides from the declaration, then the node behind the output, then the values of a first batch. `output` begins a sentence. */
export const meaningOf = (
  m: Matrix,
  rows: ArrayLike<number>,
  output: string,
  hint: ScoreHint | 'probabilities' | 'score',
  declared: Declared,
  labels: Float64Array | undefined,
): Meaning => {
  const binary = m.cols === 1;
  const inRange = !m.data.some(outside);
  if (declared === 'independent')
    return {
      scores: hint === 'sigmoid' || hint === 'probabilities' || inRange ? 'probabilities' : 'logits',
      binary: false,
      independent: true,
    };
  if (declared !== 'auto') return { scores: declared, binary };
  if (binary) {
    if (hint === 'sigmoid' || inRange) return { scores: 'probabilities', binary };
    const at = labels?.findIndex((v) => v !== 0 && v !== 1) ?? 0;
    if (at >= 0) throw new Fault('evidence/one-score', { output, row: rows[at], value: m.data[at] });
    return {
      scores: 'logits',
      binary,
      note: `${output} has one column with values outside of 0..1 and labels are 0 and 1: it was read as the logit of class 1.`,
    };
  }
  if (hint === 'sigmoid') throw new Fault('evidence/multi-label', { output });
  if (hint === 'probabilities') return { scores: 'probabilities', binary };
  if (hint === 'log-probabilities') return { scores: 'logits', binary };
  const off = inRange ? Array.from({ length: m.rows }, (_, r) => r).find((r) => !sumsToOne(m, r)) : 0;
  if (inRange && off === undefined) return { scores: 'probabilities', binary };
  if (inRange && off !== undefined && hint !== 'linear')
    throw new Fault('data/not-probabilities', { output, row: rows[off], sum: rowSum(m, off) });
  return { scores: 'logits', binary };
};
