import { wilson } from '../../base/maths/proportion.ts';
import type { Random } from '../../base/random.ts';
import { type Bin, massBins, widthBins } from './bins.ts';
import { addTerms, type BrierTerms, brierTerms } from './brier.ts';
import { cells, ROW_DRAWS } from './cells.ts';
import { binnedErrors, debiasedCe2, debiasedEce } from './errors.ts';
import { rowsOf } from './examples.ts';
import { consistencyBand, noiseFloor, nullDraws, pValueOf } from './null-draws.ts';
import { runs } from './pairs.ts';
import { aurocCorrect, kolmogorovSmirnov, type RiskCoverage, riskCoverage } from './ranks.ts';
import { type ReliabilityState, SUMS } from './reliability-state.ts';
import { bootstrapDebiased, eceInterval } from './resample.ts';

export interface ReliabilityOptions {
  readonly bins: number;
  readonly binning: 'width' | 'mass';
  readonly confidenceLevel: number;
  readonly nullDraws: number;
  readonly bootstrap: number;
}

type Range = readonly [number, number] | null;

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

/** One class against the rest: how often it occurs, its mean probability, its share of the classwise error. */
export interface ClassCalibration {
  readonly frequency: number;
  readonly probability: number;
  readonly ce: number;
}

/** NaN where a number is undefined for these rows. */
export interface Reliability {
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
  readonly classwise: readonly ClassCalibration[];
  readonly nll: number;
  readonly expectedNll: number;
  readonly clipped: number;
  readonly brier: BrierTerms;
  readonly expectedBrier: number;
  readonly brierTop: BrierTerms;
  readonly expectedBrierTop: number;
  readonly bss: number;
  readonly auroc: number;
  readonly risk: RiskCoverage;
  readonly bins: readonly DrawnBin[];
  readonly byCells: boolean;
  readonly traced: boolean;
}

/** The sums of one class's width bins. */
const classBins = (state: ReliabilityState, k: number, bins: number): Pick<Bin, 'n' | 'f' | 'f2' | 'o' | 'fo'>[] =>
  Array.from({ length: bins }, (_, b) => {
    const [n, f, f2, o, fo] = state.perClass.subarray((k * bins + b) * SUMS, (k * bins + b + 1) * SUMS);
    return { n, f, f2, o, fo };
  });

export const reliabilityScores = async (
  state: ReliabilityState,
  options: ReliabilityOptions,
  random: (name: string) => Random,
  pause: (fraction: number, text: string) => Promise<void>,
): Promise<Reliability> => {
  const { bins: m, binning, confidenceLevel: level } = options;
  const rows = state.rows;
  const groups = runs(state.right, state.wrong);
  const hits = state.right.length;
  const accuracy = hits / rows;
  const [width, mass] = [widthBins(groups, m), massBins(groups, m)];
  const pairs = massBins(groups, m, 2);
  const enough = 2 * m <= rows;
  const errors = binnedErrors(width, rows);
  const eceMass = binnedErrors(mass, rows).ece;
  const debiased = debiasedEce(pairs, rows);
  const byCells = rows > ROW_DRAWS;
  const drawn = byCells ? cells(groups, m) : groups;
  const nulls = await nullDraws(drawn, m, options.nullDraws, random('null-draws'), (d) =>
    pause((0.5 * d) / options.nullDraws, `null draw ${d} of ${options.nullDraws}`),
  );
  const shown = binning === 'width' ? width : mass;
  const p = pValueOf(nulls.ece, errors.ece);
  const pMass = pValueOf(nulls.eceMass, eceMass);
  const resampled = enough
    ? await bootstrapDebiased(drawn, !byCells, m, options.bootstrap, random('bootstrap'), (d) =>
        pause(0.5 + (0.5 * d) / options.bootstrap, `resample ${d} of ${options.bootstrap}`),
      )
    : null;
  const terms = brierTerms(width);
  const perClass = Array.from({ length: state.classes }, (_, k) => classBins(state, k, m));
  const band = consistencyBand(binning === 'width' ? nulls.widthAccuracy : nulls.massAccuracy, level);
  const examples = rowsOf(state.examples, shown);
  const sorted = binning === 'width' ? nulls.ece : nulls.eceMass;
  return {
    rows,
    hits,
    accuracy,
    accuracyInterval: wilson(hits, rows, level),
    confidence: width.reduce((sum, b) => sum + b.f, 0) / rows,
    ...errors,
    eceMass,
    eceDebiased: enough ? debiased.value : Number.NaN,
    ce2Debiased: enough ? debiasedCe2(pairs, rows) : Number.NaN,
    ks: kolmogorovSmirnov(groups),
    eceInterval: resampled && eceInterval(resampled, debiased, binning === 'width' ? p : pMass, level),
    floor: noiseFloor(groups, width),
    floorMass: noiseFloor(groups, mass),
    p,
    pMass,
    critical: sorted[Math.min(sorted.length - 1, Math.floor(level * sorted.length))] ?? Number.NaN,
    expected: { rmsce: nulls.rmsce, mce: nulls.mce, averageCe: nulls.averageCe, ks: nulls.ks },
    classwise: perClass.map((b) => ({
      frequency: b.reduce((sum, x) => sum + x.o, 0) / rows,
      probability: b.reduce((sum, x) => sum + x.f, 0) / rows,
      ce: binnedErrors(b, rows).ece,
    })),
    nll: state.nll / rows,
    expectedNll: state.entropy / rows,
    clipped: state.clipped,
    brier: addTerms(perClass.map(brierTerms)),
    expectedBrier: state.impurity / rows,
    brierTop: terms,
    expectedBrierTop: width.reduce((sum, b) => sum + b.f - b.f2, 0) / rows,
    bss: hits === 0 || hits === rows ? Number.NaN : 1 - terms.score / terms.uncertainty,
    auroc: aurocCorrect(groups),
    risk: riskCoverage(groups),
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
    traced: state.examples.kind === 'width' || !state.examples.over,
  };
};
