import type { Calibration, Pieces } from '../../base/calibration.ts';
import { isotonic as fitIsotonic } from '../../base/maths/isotonic.ts';
import type { ScoredRows } from '../../base/maths/softmax-regression.ts';
import { widthBinOf } from './bins.ts';
import { type FittedRecalibrator, type OneVsRest, oneVsRest } from './recalibration-define.ts';

const curvesOf = (rows: ScoredRows, title: string, curve: (part: OneVsRest) => Pieces): Calibration => ({
  kind: 'pieces',
  curves: oneVsRest(rows, title).map(curve),
});

/** Indices in ascending order of value. */
const orderOf = (values: Float64Array): Uint32Array => Uint32Array.from(values, (_, i) => i).sort((i, j) => values[i] - values[j]);

/** Zadrozny, Elkan 2002: the non-decreasing curve of least squares, one class against the rest. */
export const isotonic: FittedRecalibrator = {
  id: 'isotonic',
  title: 'Isotonic regression',
  source: 'doi:10.1145/775047.775151',
  fit: (rows) =>
    curvesOf(rows, 'Isotonic regression', ({ p, hits }) => {
      const { x, y } = fitIsotonic(p, hits, orderOf(p));
      const slope = Float64Array.from({ length: x.length + 1 }, (_, k) =>
        k === 0 || k === x.length ? 0 : (y[k] - y[k - 1]) / (x[k] - x[k - 1]),
      );
      const before = (of: Float64Array): Float64Array => Float64Array.from({ length: of.length + 1 }, (_, k) => of[Math.max(0, k - 1)]);
      return { edges: x, x: before(x), y: before(y), slope };
    }),
};

/** Zadrozny, Elkan 2001: the share of the class among the rows of each bin of its probability; the middle of a bin that has none. */
export const histogram: FittedRecalibrator = {
  id: 'histogram',
  title: 'Histogram binning',
  source: 'Zadrozny and Elkan, ICML 2001',
  fit: (rows, { bins }) =>
    curvesOf(rows, 'Histogram binning', ({ p, hits }) => {
      const count = new Int32Array(bins);
      const hit = new Int32Array(bins);
      for (let i = 0; i < p.length; i++) {
        const k = widthBinOf(p[i], bins);
        count[k]++;
        hit[k] += hits[i];
      }
      return {
        edges: Float64Array.from({ length: bins - 1 }, (_, k) => (k + 1) / bins),
        x: new Float64Array(bins),
        y: Float64Array.from(count, (n, k) => (n === 0 ? (k + 0.5) / bins : hit[k] / n)),
        slope: new Float64Array(bins),
      };
    }),
};
