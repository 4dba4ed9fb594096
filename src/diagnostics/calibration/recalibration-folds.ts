import { Fault } from '../../base/fault.ts';
import type { Random } from '../../base/random.ts';
import type { ScoreTable } from '../../evidence/evidence.ts';

/** One fit, and the rows it is shown on: none of them are among those it was fitted on. */
export interface Part {
  readonly fit: ScoreTable;
  readonly shown: ScoreTable;
}

const gather = ({ classes, rows, labels, logits, features }: ScoreTable, kept: readonly number[]): ScoreTable => {
  const out = logits instanceof Float32Array ? new Float32Array(kept.length * classes) : new Float64Array(kept.length * classes);
  kept.forEach((row, i) => {
    for (let j = 0; j < classes; j++) out[i * classes + j] = logits[row * classes + j];
  });
  return {
    classes,
    rows: Float64Array.from(kept, (row) => rows[row]),
    labels: Int32Array.from(kept, (row) => labels[row]),
    logits: out,
    ...(features ? { features: featuresOf(features, features.length / rows.length, kept) } : {}),
  };
};

const featuresOf = (features: Float64Array, width: number, kept: readonly number[]): Float64Array => {
  const out = new Float64Array(kept.length * width);
  kept.forEach((row, i) => {
    out.set(features.subarray(row * width, (row + 1) * width), i * width);
  });
  return out;
};

/** Fold of every row: rows are shuffled within each class and dealt in turn. Depends on row numbers, not on their order. */
export const dealt = ({ rows, labels, classes }: Omit<ScoreTable, 'logits'>, folds: number, random: Random): Int32Array => {
  const order = Uint32Array.from(rows, (_, i) => i).sort((i, j) => rows[i] - rows[j]);
  const members: number[][] = Array.from({ length: classes }, () => []);
  for (const i of order) members[labels[i]].push(i);
  const fold = new Int32Array(rows.length);
  let next = 0;
  for (const list of members) for (const i of random.shuffle(list)) fold[i] = next++ % folds;
  return fold;
};

export const crossParts = (table: ScoreTable, folds: number, random: Random): Part[] => {
  const rows = table.rows.length;
  if (rows < 2 * folds) throw new Fault('diagnostic/folds', { rows, folds });
  const fold = dealt(table, folds, random);
  const all = Array.from(table.rows, (_, i) => i);
  return Array.from({ length: folds }, (_, k) => ({
    fit: gather(
      table,
      all.filter((i) => fold[i] !== k),
    ),
    shown: gather(
      table,
      all.filter((i) => fold[i] === k),
    ),
  }));
};

/** Rows of `table` that `shown` does not have. Throws `diagnostic/calibration-empty` where none are left. */
export const without = (table: ScoreTable, shown: ScoreTable, split: string): ScoreTable => {
  const taken = new Set(shown.rows);
  const left = Array.from(table.rows, (_, i) => i).filter((i) => !taken.has(table.rows[i]));
  if (left.length === 0) throw new Fault('diagnostic/calibration-empty', { split });
  return left.length === table.rows.length ? table : gather(table, left);
};
