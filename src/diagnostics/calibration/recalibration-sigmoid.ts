import { type Calibration, logOf } from '../../base/calibration.ts';
import { platt as fitPlatt, logistic } from '../../base/maths/logistic.ts';
import type { ScoredRows } from '../../base/maths/softmax-regression.ts';
import { type FittedRecalibrator, oneVsRest } from './recalibration-define.ts';

type Abc = readonly [a: number, b: number, c: number];

/** ln p, −ln(1 − p) and whether the row is of the class, with the numbers that nearly the same rows gave. */
type Fit = (yes: Float64Array, no: Float64Array, hits: Uint8Array, near: Abc | undefined) => Abc;

const perClass = (rows: ScoredRows, title: string, near: Calibration | undefined, fit: Fit): Calibration => {
  const fits = oneVsRest(rows, title).map(({ p, others, hits }, k) =>
    fit(
      p.map(logOf),
      others.map((q) => -logOf(q)),
      hits,
      near?.kind === 'sigmoid' ? [near.a[k], near.b[k], near.c[k]] : undefined,
    ),
  );
  const column = (k: 0 | 1 | 2): Float64Array => Float64Array.from(fits, (f) => f[k]);
  return { kind: 'sigmoid', a: column(0), b: column(1), c: column(2) };
};

/** Platt 1999 on the log-odds ln(p/(1−p)) of each class, which for two classes is the difference of their logits. */
export const platt: FittedRecalibrator = {
  id: 'platt',
  title: 'Platt scaling',
  source: 'doi:10.1007/s10994-007-5018-6',
  fit: (rows, _, near) =>
    perClass(rows, 'Platt scaling', near, (yes, no, hits, start) => {
      const scores = yes.map((y, i) => y + no[i]);
      const [slope, offset] = fitPlatt(scores, hits, start && [start[0], start[2]]);
      return [slope, slope, offset];
    }),
};

/** Weight decay that stands for none (as in the authors' code): finite where a class can be told apart without error. */
const RIDGE = 1e-11;

/** Kull, Silva Filho, Flach 2017: σ(a·ln p − b·ln(1−p) + c) with a, b ≥ 0; one that comes out negative is 0 and the rest fitted again. */
export const beta: FittedRecalibrator = {
  id: 'beta',
  title: 'Beta calibration',
  source: 'doi:10.1214/17-EJS1338SI',
  fit: (rows, _, near) =>
    perClass(rows, 'Beta calibration', near, (yes, no, hits, start = [1, 1, 0]) => {
      const targets = Float64Array.from(hits);
      const [a, b, c] = logistic([yes, no], targets, { ridge: RIDGE, start });
      if (a >= 0 && b >= 0) return [a, b, c];
      const [one, offset] = logistic([a < 0 ? no : yes], targets, { ridge: RIDGE, start: [1, 0] });
      return a < 0 ? [0, Math.max(0, one), offset] : [Math.max(0, one), 0, offset];
    }),
};
