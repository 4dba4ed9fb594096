import { type CosineTransform, cosineTransform } from '../../base/maths/cosine-transform.ts';
import { cornersOf, type Pool, pool } from '../../base/maths/isotonic.ts';
import { quantile } from '../../base/maths/quantile.ts';
import { type CorpTerms, corpTerms, fittedLoss, isotonicOf, readPool } from './corp.ts';
import { type Groups, sizeOfGroup } from './pairs.ts';
import { FINEST, nodesFor, type Placing, placing, type Space, smoothCurve, smoothEce, spaceOf, spread } from './smooth.ts';

/** Points at which curves and their bands are drawn, and the most draws behind a band. */
const POINTS = 101;
const BAND_DRAWS = 1_000;

/** Draws need smooth ECE only to this share of it. */
const ROUGH = 0.005;

type Point = readonly [number, number];
export type BandPoint = readonly [number, number, number];

/** The curves of the data themselves, before any draw. */
export interface Curves {
  /** Ascending, from the least to the largest confidence. */
  readonly x: Float64Array;
  readonly smoothEce: number;
  readonly smooth: readonly Point[];
  readonly density: readonly Point[];
  readonly corp: CorpTerms;
  readonly isotonic: readonly Point[];
}

/** `fit` is the isotonic fit over all runs, `brier` the score of the confidences. */
export const curvesOf = (groups: Groups, fit: Pool, brier: number): Curves => {
  const { c, hits, n } = groups;
  const x = Float64Array.from({ length: POINTS }, (_, j) => c[0] + ((c[c.length - 1] - c[0]) * j) / (POINTS - 1));
  const finest = cosineTransform(FINEST);
  const fine = placing(c, FINEST);
  const sums = groups.sums?.f;
  const sizes = Int32Array.from(c, (_, g) => sizeOfGroup(groups, g));
  const residual = c.map((at, g) => (hits[g] - (sums?.[g] ?? sizes[g] * at)) / n);
  const ece = smoothEce(finest, spread(fine, residual));
  const { share, density } = smoothCurve(finest, spread(fine, hits), spread(fine, sizes), Math.max(ece, 1 / FINEST), x);
  const right = hits.reduce((sum, h) => sum + h, 0);
  const corners = cornersOf(fit);
  return {
    x,
    smoothEce: ece,
    smooth: Array.from(x, (at, j): Point => [at, share[j]]).filter(([, y]) => !Number.isNaN(y)),
    density: Array.from(x, (at, j): Point => [at, density[j]]),
    corp: corpTerms(brier, fit, n, right),
    isotonic: Array.from(corners.x, (at, k): Point => [at, corners.y[k]]),
  };
};

/** What draws say of both curves. */
export interface CurveDraws {
  /** Smooth ECE and miscalibration of each draw. */
  readonly smoothEce: Float64Array;
  readonly mcb: Float64Array;
  readonly smoothBand: (level: number) => BandPoint[];
  readonly isotonicBand: (level: number) => BandPoint[];
}

/** Quantiles of many curves at each x; points where some draw has no estimate are left out. */
const bandOf = (x: Float64Array, curves: readonly Float64Array[], level: number): BandPoint[] => {
  const column = new Float64Array(curves.length);
  return Array.from(x).flatMap((at, j): BandPoint[] => {
    for (let d = 0; d < column.length; d++) column[d] = curves[d][j];
    column.sort();
    if (column.length === 0 || Number.isNaN(column[column.length - 1])) return [];
    return [[at, quantile(column, (1 - level) / 2), quantile(column, (1 + level) / 2)]];
  });
};

interface Grid {
  readonly transform: CosineTransform;
  readonly places: Placing;
  readonly space: Space;
  /** Masses of a draw on the nodes. */
  readonly masses: readonly [Float64Array, Float64Array];
}

/** Takes draws (hits and sizes of every group) one after another. Of calibrated draws smooth ECE is narrow: the first sets the grid for it. */
export const curveDraws = (
  groups: Groups,
  { x, smoothEce: observed }: Curves,
  draws: number,
): { add(hits: Int32Array, sizes: Int32Array): void; done(): CurveDraws } => {
  const { c, n } = groups;
  const width = Math.max(observed, 1 / FINEST);
  const [smoothEces, mcbs] = [new Float64Array(draws), new Float64Array(draws)];
  const [smooths, isotonics]: [Float64Array[], Float64Array[]] = [[], []];
  const fit: Pool = pool(1024);
  const gridOf = (nodes: number): Grid => {
    const transform = cosineTransform(nodes);
    return { transform, places: placing(c, nodes), space: spaceOf(transform), masses: [new Float64Array(nodes), new Float64Array(nodes)] };
  };
  const coarse = gridOf(nodesFor(width));
  const residual = new Float64Array(c.length);
  let grid: Grid | undefined;
  let d = 0;
  return {
    add(hits, sizes) {
      let brier = 0;
      for (let g = 0; g < c.length; g++) {
        residual[g] = (hits[g] - sizes[g] * c[g]) / n;
        brier += sizes[g] * c[g] * c[g] + hits[g] * (1 - 2 * c[g]);
      }
      const error = ({ transform, places, space, masses: [mass] }: Grid, guess: number): number =>
        smoothEce(transform, spread(places, residual, mass), ROUGH * Math.max(guess, 1e-5), guess, space);
      grid ??= gridOf(nodesFor(Math.min(width, error(gridOf(FINEST), width))));
      smoothEces[d] = error(grid, d > 0 ? smoothEces[d - 1] : width);
      isotonicOf(c, hits, sizes, fit);
      mcbs[d] = Math.max(0, (brier - fittedLoss(fit)) / n);
      if (d < BAND_DRAWS) {
        isotonics.push(readPool(fit, x));
        const { transform, places, space, masses } = coarse;
        const [outcomes, rows] = [spread(places, hits, masses[0]), spread(places, sizes, masses[1])];
        smooths.push(smoothCurve(transform, outcomes, rows, width, x, space).share);
      }
      d++;
    },
    done: () => ({
      smoothEce: smoothEces.sort(),
      mcb: mcbs.sort(),
      smoothBand: (level) => bandOf(x, smooths, level),
      isotonicBand: (level) => bandOf(x, isotonics, level),
    }),
  };
};
