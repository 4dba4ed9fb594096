import { auroc, logitInterval } from '../../base/maths/auroc.ts';
import { addToPool, pool } from '../../base/maths/isotonic.ts';
import { normalQuantile } from '../../base/maths/normal.ts';
import { wilson } from '../../base/maths/proportion.ts';
import { quantile } from '../../base/maths/quantile.ts';
import type { Random } from '../../base/random.ts';
import { massBins, widthBins } from './bins.ts';
import { addTerms, type BrierTerms, brierTerms } from './brier.ts';
import { CELLS, cells, cellsAlong, intoCells, ROW_DRAWS } from './cells.ts';
import { type ClassCalibration, classCalibration } from './class-calibration.ts';
import type { CorpTerms } from './corp.ts';
import { type BandPoint, type CurveDraws, curveDraws, curvesOf } from './curves.ts';
import { binnedErrors, debiasedCe2, debiasedEce } from './errors.ts';
import { rowsOf } from './examples.ts';
import { type GroupCalibration, groupCalibrations } from './group-calibration.ts';
import { consistencyBand, noiseFloor, nullDraws, pValueOf } from './null-draws.ts';
import { collected, type Groups, sizeOfGroup, walkGroups } from './pairs.ts';
import { aurcOf, aurocCorrect, kolmogorovSmirnov, type RiskCoverage, riskCoverage } from './ranks.ts';
import type { ReliabilityState } from './reliability-state.ts';
import { debiasedOf, eceInterval, liftedInterval, resamples } from './resample.ts';
import { type TopK, topCalibration } from './top-k.ts';
import { sumOfSlots, walkSlots } from './walks.ts';

export interface ReliabilityOptions {
  readonly bins: number;
  readonly binning: 'width' | 'mass';
  readonly confidenceLevel: number;
  readonly nullDraws: number;
  readonly bootstrap: number;
}

export type Range = readonly [number, number] | null;

/** One bin as drawn. */
export interface DrawnBin {
  readonly low: number;
  readonly high: number;
  readonly n: number;
  readonly confidence: number | null;
  readonly accuracy: number | null;
  readonly wilson: Range;
  readonly band: Range;
  readonly rows: readonly number[];
}

/** A curve through the outcomes, with the band of calibrated draws and that of resamples. */
export interface DrawnCurve {
  readonly points: readonly (readonly [number, number])[];
  readonly consistency: readonly BandPoint[];
  readonly bootstrap: readonly BandPoint[];
}

/** A statistic that sampling noise lifts: its value, what calibrated draws score on average, how many reach it, and its interval. */
export interface Lifted {
  readonly value: number;
  readonly expected: number;
  readonly p: number;
  readonly interval: Range;
}

/** NaN where a number is undefined for these rows. */
export interface Reliability {
  /** The class whose probability is judged; −1: the answer's. */
  readonly positive: number;
  readonly rows: number;
  readonly hits: number;
  readonly accuracy: number;
  readonly accuracyInterval: Range;
  readonly confidence: number;
  readonly ece: number;
  readonly eceMass: number;
  readonly eceDebiased: number;
  readonly ce2Debiased: number;
  readonly rmsce: number;
  readonly mce: number;
  readonly averageCe: number;
  readonly ks: number;
  readonly eceInterval: Range;
  readonly floor: { readonly mean: number; readonly sd: number };
  readonly floorMass: { readonly mean: number; readonly sd: number };
  readonly p: number;
  readonly pMass: number;
  /** The ECE of the bins drawn that only 1 − confidenceLevel of calibrated data sets exceed. */
  readonly critical: number;
  /** Means under perfect calibration of rmsce, mce, average_ce and ks. */
  readonly expected: { readonly rmsce: number; readonly mce: number; readonly averageCe: number; readonly ks: number };
  /** None where only pairs of confidence and outcome are known. */
  readonly classwise: readonly ClassCalibration[];
  readonly top: readonly TopK[];
  readonly grouped: boolean;
  readonly groups: readonly GroupCalibration[];
  readonly smoothEce: Lifted;
  readonly smooth: DrawnCurve;
  readonly density: readonly (readonly [number, number])[];
  readonly corp: CorpTerms;
  readonly mcb: Lifted;
  readonly isotonic: DrawnCurve;
  readonly nll: number;
  readonly nllInterval: Range;
  readonly expectedNll: number;
  readonly clipped: number;
  readonly brier: BrierTerms;
  readonly brierInterval: Range;
  readonly expectedBrier: number;
  readonly brierTop: BrierTerms;
  readonly expectedBrierTop: number;
  readonly bss: number;
  readonly auroc: number;
  readonly aurocInterval: Range;
  /** Of answers; tells nothing where the probability of one class is judged. */
  readonly risk: RiskCoverage & { readonly interval: Range };
  readonly bins: readonly DrawnBin[];
  readonly byCells: boolean;
  /** Curves were drawn on cells, though rows were drawn one by one. */
  readonly curvesByCells: boolean;
  readonly traced: boolean;
  /** Confidences, or the probabilities of single classes, were counted in buckets. */
  readonly bucketed: boolean;
  readonly classesBucketed: boolean;
}

/** Normal interval of a mean, from Σ and Σ² over the rows. */
const meanInterval = (sum: number, squares: number, n: number, level: number): Range => {
  if (n < 2) return null;
  const mean = sum / n;
  const half = normalQuantile((1 + level) / 2) * Math.sqrt(Math.max(0, squares / n - mean * mean) / (n - 1));
  return [Math.max(0, mean - half), mean + half];
};

const lifted = (value: number, nulls: Float64Array, draws: Float64Array | undefined, level: number): Lifted => {
  const p = pValueOf(nulls, value);
  const expected = nulls.reduce((sum, v) => sum + v, 0) / nulls.length;
  return { value, expected, p, interval: draws && draws.length > 0 ? liftedInterval(draws, value, p, level) : null };
};

type Pause = (fraction: number, text: string) => Promise<void>;

/** What resamples of the rows show. */
interface Resampled {
  readonly eceDebiased: Float64Array;
  readonly aurc: Float64Array;
  readonly curves: CurveDraws;
}

/** Draws of curves: on cells where there are many runs, so that a row drawn costs hardly more than for the binned errors. */
const joinedDraws = (groups: Groups, curves: ReturnType<typeof curvesOf>, bins: number, draws: number): ReturnType<typeof curveDraws> => {
  if (groups.c.length <= 2 * CELLS) return curveDraws(groups, curves, draws);
  const joined = cells(walkGroups(groups), groups.n, bins);
  const into = intoCells(groups, joined);
  const drawn = curveDraws(joined, curves, draws);
  return { add: (hits, sizes) => drawn.add(into(hits), into(sizes)), done: drawn.done };
};

const resampled = async (
  groups: Groups,
  curves: ReturnType<typeof curvesOf>,
  { bins, bootstrap }: ReliabilityOptions,
  random: Random,
  pause: Pause,
): Promise<Resampled> => {
  const [ece, aurc] = [new Float64Array(bootstrap), new Float64Array(bootstrap)];
  const drawn = joinedDraws(groups, curves, bins, bootstrap);
  const sizes = new Int32Array(groups.c.length);
  let d = 0;
  await resamples(
    groups,
    groups.sums === undefined,
    bootstrap,
    random,
    (done) => pause(0.45 + (0.45 * done) / bootstrap, `resample ${done} of ${bootstrap}`),
    (hits, misses) => {
      ece[d] = debiasedOf(groups.c, hits, misses, groups.n, bins);
      aurc[d++] = aurcOf(hits, misses, groups.n);
      for (let g = 0; g < sizes.length; g++) sizes[g] = hits[g] + misses[g];
      drawn.add(hits, sizes);
    },
  );
  return { eceDebiased: ece.sort(), aurc: aurc.sort(), curves: drawn.done() };
};

export const reliabilityScores = async (
  state: ReliabilityState,
  options: ReliabilityOptions,
  random: (name: string) => Random,
  pause: Pause,
): Promise<Reliability> => {
  const { bins: m, binning, confidenceLevel: level } = options;
  const { rows, hits, positive, pairs } = state;
  const slots = [...pairs.by.values()];
  const byCells = rows > ROW_DRAWS;
  const joined = byCells ? cellsAlong(rows, m) : collected(rows);
  const [ks, auc, risk] = [kolmogorovSmirnov(), aurocCorrect(), riskCoverage(rows, rows - hits, rows - sumOfSlots(slots))];
  const fit = pool(1024);
  walkSlots(slots)((c, h, w) => {
    joined.visit(c, h, w);
    ks.visit(c, h, w);
    auc.visit(c, h, w);
    risk.visit(c, h, w);
    addToPool(fit, c, h, h + w);
  });
  const groups = joined.value();
  const [width, mass] = [widthBins(groups, m), massBins(groups, m)];
  const twos = massBins(groups, m, 2);
  const enough = 2 * m <= rows;
  const errors = binnedErrors(width, rows);
  const eceMass = binnedErrors(mass, rows).ece;
  const debiased = debiasedEce(twos, rows);
  const terms = brierTerms(width);
  const claimed = width.reduce((sum, b) => sum + b.f, 0);

  const curves = rows > 0 ? curvesOf(groups, fit, terms.score) : undefined;

  const nullCurves = curves && joinedDraws(groups, curves, m, options.nullDraws);
  const sizes = Int32Array.from(groups.c, (_, g) => sizeOfGroup(groups, g));
  const nulls = await nullDraws(
    groups,
    m,
    options.nullDraws,
    random('null-draws'),
    (d) => pause((0.45 * d) / options.nullDraws, `null draw ${d} of ${options.nullDraws}`),
    (drawn) => nullCurves?.add(drawn, sizes),
  );
  const calibrated = nullCurves?.done();
  const resample = curves && (await resampled(groups, curves, options, random('bootstrap'), pause));
  const byGroup = state.grouped
    ? await groupCalibrations(pairs, { bins: m, level, random }, (done, of) => pause(0.9 + (0.1 * done) / of, `group ${done + 1} of ${of}`))
    : [];

  const shown = binning === 'width' ? width : mass;
  const p = pValueOf(nulls.ece, errors.ece);
  const pMass = pValueOf(nulls.eceMass, eceMass);
  const none = new Float64Array(0);
  const perClass = classCalibration(state.perClass, [...state.classScores.by.values()], state.first, m, rows, level);
  const band = consistencyBand(binning === 'width' ? nulls.widthAccuracy : nulls.massAccuracy, level);
  const examples = rowsOf(state.examples, shown);
  const sorted = binning === 'width' ? nulls.ece : nulls.eceMass;
  const brier = addTerms(perClass.map((k) => k.brier));
  const ends = (draws: Float64Array): Range => [quantile(draws, (1 - level) / 2), quantile(draws, (1 + level) / 2)];
  const curve = (points: DrawnCurve['points'], of: (draws: CurveDraws) => DrawnCurve['consistency']): DrawnCurve => ({
    points,
    consistency: calibrated ? of(calibrated) : [],
    bootstrap: resample ? of(resample.curves) : [],
  });
  return {
    positive,
    rows,
    hits,
    accuracy: hits / rows,
    accuracyInterval: wilson(hits, rows, level),
    confidence: claimed / rows,
    ...errors,
    eceMass,
    eceDebiased: enough ? debiased.value : Number.NaN,
    ce2Debiased: enough ? debiasedCe2(twos, rows) : Number.NaN,
    ks: ks.value(),
    eceInterval: enough && resample ? eceInterval(resample.eceDebiased, debiased, binning === 'width' ? p : pMass, level) : null,
    floor: noiseFloor(groups, width),
    floorMass: noiseFloor(groups, mass),
    p,
    pMass,
    critical: sorted[Math.min(sorted.length - 1, Math.floor(level * sorted.length))] ?? Number.NaN,
    expected: { rmsce: nulls.rmsce, mce: nulls.mce, averageCe: nulls.averageCe, ks: nulls.ks },
    classwise: perClass,
    top: topCalibration(state.top, state.classes, m, rows, level),
    grouped: state.grouped,
    groups: byGroup,
    smoothEce: lifted(curves?.smoothEce ?? Number.NaN, calibrated?.smoothEce ?? none, resample?.curves.smoothEce, level),
    smooth: curve(curves?.smooth ?? [], (draws) => draws.smoothBand(level)),
    density: curves?.density ?? [],
    corp: curves?.corp ?? { mcb: Number.NaN, dsc: Number.NaN, unc: Number.NaN },
    mcb: lifted(curves?.corp.mcb ?? Number.NaN, calibrated?.mcb ?? none, resample?.curves.mcb, level),
    isotonic: curve(curves?.isotonic ?? [], (draws) => draws.isotonicBand(level)),
    nll: state.nll / rows,
    nllInterval: meanInterval(state.nll, state.nllSquares, rows, level),
    expectedNll: state.entropy / rows,
    clipped: state.clipped,
    brier,
    brierInterval: meanInterval(brier.score * rows, state.brierSquares, rows, level),
    expectedBrier: state.impurity / rows,
    brierTop: terms,
    expectedBrierTop: width.reduce((sum, b) => sum + b.f - b.f2, 0) / rows,
    bss: hits === 0 || hits === rows ? Number.NaN : 1 - terms.score / terms.uncertainty,
    auroc: auc.value(),
    // The value is exact; its variance is that of the cells where rows were joined.
    aurocInterval: logitInterval({ value: auc.value(), variance: auroc(groups).variance }, level),
    risk: { ...risk.value(), interval: resample && rows > 1 ? ends(resample.aurc) : null },
    bins: shown.map((b, k) => ({
      low: b.low,
      high: b.high,
      n: b.n,
      confidence: b.n === 0 ? null : b.f / b.n,
      accuracy: b.n === 0 ? null : b.o / b.n,
      wilson: wilson(b.o, b.n, level),
      band: band[k],
      rows: examples[k],
    })),
    byCells,
    curvesByCells: groups.sums === undefined && groups.c.length > 2 * CELLS,
    traced: state.examples.kind === 'width' || !state.examples.over,
    bucketed: pairs.binned,
    classesBucketed: state.classScores.binned,
  };
};
