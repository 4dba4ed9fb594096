import { Fault } from '../../base/fault.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import { type Pile, pile, pour, put } from '../calibration/pairs.ts';
import { keepFirst } from '../selection.ts';
import { type Extreme, keepExtreme } from './extreme-rows.ts';

/** Rows drawn in the charts, and rows listed with the largest errors. */
const DRAWN = 1000;
const WORST = 20;

interface Drawn extends Extreme {
  readonly x: number;
  readonly m: number;
}

/** Predictions and targets of all rows (16 bytes a row: ranks need them), a sample of rows to draw, and the worst rows. */
export interface RegressionState {
  readonly x: Pile;
  readonly m: Pile;
  /** Predictions of every model, where several are compared (8 bytes a row and model). */
  readonly models: Pile[];
  /** A uniform sample: the rows with the smallest hash of their number. */
  readonly drawn: Drawn[];
  readonly worst: Drawn[];
  /** Rows without a target: how many, and the first of them. */
  missing: number;
  readonly missingRows: number[];
}

export const regressionState = (): RegressionState => ({
  x: pile(),
  m: pile(),
  models: [],
  drawn: [],
  worst: [],
  missing: 0,
  missingRows: [],
});

/** Multiplicative hash (Knuth, 6.4), so that neighbouring rows fall far apart. */
const hash = (row: number): number => Math.imul(row + 1, 0x9e3779b1) >>> 0;

export const addRegression = (
  state: RegressionState,
  { predictions, targets, rows }: Pick<Evidence, 'predictions' | 'targets' | 'rows'>,
  entry: number,
  compare: boolean,
): void => {
  const { cols, data } = predictions;
  if (predictions.rows === 0) return;
  if (entry > cols || (entry === 0 && cols > 1 && !compare)) throw new Fault('diagnostic/entry', { columns: cols, entry });
  const column = Math.max(0, entry - 1);
  if (compare) while (state.models.length < cols) state.models.push(pile());
  for (let i = 0; i < predictions.rows; i++) {
    const [x, m, row] = [data[i * cols + column], targets[i], rows[i]];
    if (!Number.isFinite(m)) {
      state.missing++;
      keepFirst(state.missingRows, row);
      continue;
    }
    put(state.x, x);
    put(state.m, m);
    for (const [k, model] of state.models.entries()) put(model, data[i * cols + k]);
    keepExtreme(state.drawn, { score: hash(row), row, x, m }, 1, DRAWN);
    keepExtreme(state.worst, { score: Math.abs(x - m), row, x, m }, -1, WORST);
  }
};

export const mergeRegression = (state: RegressionState, other: RegressionState): void => {
  pour(state.x, other.x);
  pour(state.m, other.m);
  while (state.models.length < other.models.length) state.models.push(pile());
  for (const [k, model] of other.models.entries()) pour(state.models[k], model);
  for (const one of other.drawn) keepExtreme(state.drawn, one, 1, DRAWN);
  for (const one of other.worst) keepExtreme(state.worst, one, -1, WORST);
  state.missing += other.missing;
  for (const row of other.missingRows) keepFirst(state.missingRows, row);
};
