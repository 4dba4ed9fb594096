import { Fault } from '../../base/fault.ts';
import { logistic, sigmoid } from '../../base/maths/logistic.ts';
import type { Random } from '../../base/random.ts';
import type { Generations, Parts } from './generation-read.ts';
import { dealt } from './recalibration-folds.ts';

export type Form = 'logit' | 'probability';

/** Largest slope: where confidence tells the outcomes apart without error, the best one is infinite. */
const STEEPEST = 100;

export interface Platt {
  readonly form: Form;
  readonly slope: number;
  readonly offset: number;
}

const LEAST = 1e-6;
const abscissa = (form: Form, c: number): number => {
  if (form === 'probability') return c;
  const p = Math.min(1 - LEAST, Math.max(LEAST, c));
  return Math.log(p / (1 - p));
};

/** Platt's smoothed targets (card 00-calibration-common), or 0 and 1. */
const targetsOf = (correct: Uint8Array, smoothed: boolean): Float64Array => {
  const hits = correct.reduce((sum, a) => sum + a, 0);
  const [yes, no] = smoothed ? [(hits + 1) / (hits + 2), 1 / (correct.length - hits + 2)] : [1, 0];
  return Float64Array.from(correct, (a) => (a ? yes : no));
};

/** The offset at which Σσ(slope·x + offset) = Σt, by bisection: what is best for a given slope. */
const offsetFor = (x: Float64Array, targets: Float64Array, slope: number): number => {
  const due = targets.reduce((sum, t) => sum + t, 0);
  let [low, high] = [-1e4, 1e4];
  for (let k = 0; k < 100; k++) {
    const mid = (low + high) / 2;
    if (x.reduce((sum, v) => sum + sigmoid(slope * v + mid), 0) < due) low = mid;
    else high = mid;
  }
  return (low + high) / 2;
};

/** Logistic regression of the outcome on the confidence, without a penalty (Platt 1999; card 48). `near` is a fit on nearly the same units: Newton begins there. */
export const fitPlatt = (c: Float64Array, correct: Uint8Array, form: Form, smoothed: boolean, near?: Platt): Platt => {
  const x = c.map((v) => abscissa(form, v));
  const targets = targetsOf(correct, smoothed);
  const mean = targets.reduce((sum, t) => sum + t, 0) / targets.length;
  // A confidence that never changes says nothing: its slope is 0.
  if (x.every((v) => v === x[0])) return { form, slope: 0, offset: Math.log(mean / (1 - mean)) };
  const [slope, offset] = logistic([x], targets, {
    start: near && Math.abs(near.slope) < STEEPEST ? [near.slope, near.offset] : [0, Math.log(mean / (1 - mean))],
  });
  if (Math.abs(slope) <= STEEPEST) return { form, slope, offset };
  const capped = Math.sign(slope) * STEEPEST;
  return { form, slope: capped, offset: offsetFor(x, targets, capped) };
};

export const rescaled = ({ form, slope, offset }: Platt, c: number): number => sigmoid(slope * abscissa(form, c) + offset);

/** Whole groups to the fold that has the fewest units, the largest groups first and equal ones by chance. */
const dealtGroups = ({ column, names, of }: Parts, folds: number, random: Random): Int32Array => {
  if (names.length < folds) throw new Fault('diagnostic/fold-groups', { column, groups: names.length, folds });
  const size = new Int32Array(names.length);
  for (const g of of) size[g]++;
  const order = random.shuffle(Array.from(names, (_, g) => g)).sort((a, b) => size[b] - size[a]);
  const load = new Float64Array(folds);
  const place = new Int32Array(names.length);
  for (const g of order) {
    const k = load.indexOf(Math.min(...load));
    place[g] = k;
    load[k] += size[g];
  }
  return of.map((g) => place[g]);
};

/** Units of the rarer outcome that each fold needs, and so does each fit. */
const FEWEST = 10;

const rarer = (correct: Uint8Array, counts: (i: number) => boolean): number => {
  const seen = [0, 0];
  for (let i = 0; i < correct.length; i++) if (counts(i)) seen[correct[i]]++;
  return Math.min(...seen);
};

/** Fold of every unit, by groups where there are any. Throws where there are too few to be dealt. */
export const foldsOf = ({ rows, correct, groups }: Generations, folds: number, random: Random): Int32Array => {
  const fewest = rarer(correct, () => true);
  if (fewest < FEWEST * folds) throw new Fault('diagnostic/fold-outcomes', { fewest, folds });
  if (!groups) return dealt({ rows, labels: Int32Array.from(correct), classes: 2 }, folds, random);
  const fold = dealtGroups(groups, folds, random);
  const left = Array.from({ length: folds }, (_, k) => rarer(correct, (i) => fold[i] !== k));
  if (Math.min(...left) < FEWEST) throw new Fault('diagnostic/fold-outcomes', { fewest: Math.min(...left), folds });
  return fold;
};

const chosen = (of: { readonly c: Float64Array; readonly correct: Uint8Array }, keep: (i: number) => boolean) => ({
  c: of.c.filter((_, i) => keep(i)),
  correct: of.correct.filter((_, i) => keep(i)),
});

/** Every unit under the fit that did not see it. */
export const crossRescaled = (
  c: Float64Array,
  correct: Uint8Array,
  fold: Int32Array,
  folds: number,
  { rescale, smoothed }: { readonly rescale: Form; readonly smoothed: boolean },
  near?: Platt,
): Float64Array => {
  const fits = Array.from({ length: folds }, (_, k) => {
    const { c: own, correct: outcome } = chosen({ c, correct }, (i) => fold[i] !== k);
    return fitPlatt(own, outcome, rescale, smoothed, near);
  });
  return c.map((v, i) => rescaled(fits[fold[i]], v));
};

/** Tasks that a scaler is fitted on: more make no readable grid. */
const MOST_TASKS = 20;

export interface Transfer {
  readonly names: readonly string[];
  /** Skill score on task j (column) of the fit on task i (row); on the diagonal of `outOfFold`. NaN where undefined. */
  readonly skill: Float64Array;
  /** Tasks with too few of either outcome, or beyond the largest ones. */
  readonly left: readonly string[];
}

/** Fit on one task, scored on another. */
export const transfer = (
  c: Float64Array,
  correct: Uint8Array,
  tasks: Parts,
  outOfFold: Float64Array,
  { rescale, smoothed }: { readonly rescale: Form; readonly smoothed: boolean },
): Transfer => {
  const counts = tasks.names.map((_, t) => ({ t, n: 0, hits: 0 }));
  for (const [i, t] of tasks.of.entries()) {
    counts[t].n++;
    counts[t].hits += correct[i];
  }
  const kept = counts
    .filter(({ n, hits }) => Math.min(hits, n - hits) >= FEWEST)
    .sort((a, b) => b.n - a.n || a.t - b.t)
    .slice(0, MOST_TASKS)
    .map(({ t }) => t)
    .sort((a, b) => a - b);
  const fits = kept.map((t) => {
    const own = chosen({ c, correct }, (i) => tasks.of[i] === t);
    return fitPlatt(own.c, own.correct, rescale, smoothed);
  });
  const skill = new Float64Array(kept.length * kept.length);
  for (const [j, task] of kept.entries()) {
    const own = Array.from(c, (_, i) => i).filter((i) => tasks.of[i] === task);
    const base = own.reduce((sum, i) => sum + correct[i], 0) / own.length;
    for (const [i, fit] of fits.entries()) {
      const brier = own.reduce((sum, k) => sum + ((i === j ? outOfFold[k] : rescaled(fit, c[k])) - correct[k]) ** 2, 0) / own.length;
      skill[i * kept.length + j] = 1 - brier / (base * (1 - base));
    }
  }
  return { names: kept.map((t) => tasks.names[t]), skill, left: tasks.names.filter((_, t) => !kept.includes(t)) };
};
