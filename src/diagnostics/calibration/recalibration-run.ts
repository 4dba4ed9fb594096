import type { Calibration } from '../../base/calibration.ts';
import { Fault } from '../../base/fault.ts';
import { breathe, type Job } from '../../base/job.ts';
import type { CalibratedTool, ScoresTool, ScoreTable, Subject } from '../../evidence/evidence.ts';
import type { FitOptions, Recalibrator } from './recalibration-define.ts';
import { crossParts, type Part, without } from './recalibration-folds.ts';
import { type Judged, judge, type Mean, meanOf } from './recalibration-measure.ts';
import { type Reliability, type ReliabilityOptions, reliabilityScores } from './scores.ts';

export interface RecalibrationOptions extends Omit<ReliabilityOptions, 'binning'>, FitOptions {
  readonly fitOn: string;
  readonly folds: number;
  readonly judge: 'nll' | 'brier';
  readonly save: string;
}

/** One recalibrator fitted and shown. */
export interface Candidate {
  readonly id: string;
  readonly title: string;
  /** The fit to keep: on all rows that may be fitted on. */
  readonly calibration: Calibration;
  readonly scores: Reliability;
  readonly nll: Mean;
  readonly brier: Mean;
  /** After − before, over the same rows. */
  readonly change: { readonly nll: Mean; readonly brier: Mean };
  readonly flips: Judged['flips'];
}

export interface Recalibrated {
  readonly before: { readonly scores: Reliability; readonly nll: Mean; readonly brier: Mean };
  readonly candidates: readonly Candidate[];
  /** Those that these rows cannot determine, and why. */
  readonly refused: readonly { readonly id: string; readonly title: string; readonly sentence: string }[];
  /** Index of the candidate to keep. */
  readonly kept: number;
  readonly fittedRows: number;
  readonly saved: boolean;
}

const unchanged = (classes: number): Calibration => ({ kind: 'affine', weights: Float64Array.of(1), biases: new Float64Array(classes) });

interface Fitting {
  /** Rows that the fit to keep is made on. */
  readonly whole: ScoreTable;
  readonly parts: readonly Part[];
}

const fittingOf = async (scores: ScoresTool, { fitOn, folds }: RecalibrationOptions, job: Job): Promise<Fitting> => {
  const { shown } = scores;
  if (fitOn === '') return { whole: shown, parts: crossParts(shown, folds, job.random('folds')) };
  const asked = await scores.split(fitOn);
  const whole = without(asked, shown, fitOn);
  const dropped = asked.rows.length - whole.rows.length;
  if (dropped > 0) job.note(`${dropped} rows of split '${fitOn}' are among those shown and were left out of the fit.`);
  return { whole, parts: [{ fit: whole, shown }] };
};

const oneLabel = ({ labels }: ScoreTable): boolean => labels.every((label) => label === labels[0]);

/**
 * The candidate of least mean loss; of those within one standard error of it (of the paired difference) the one with the fewest
 * numbers to fit, which is the first (Breiman et al. 1984).
 */
const keep = (losses: readonly Float64Array[]): number => {
  const means = losses.map((l) => meanOf(l, undefined, 0.95).value);
  const best = means.indexOf(Math.min(...means));
  return losses.findIndex((loss, k) => {
    const { value, error } = meanOf(loss, losses[best], 0.95);
    return k === best || value <= error;
  });
};

/** Fits each recalibrator, shows it on rows it was not fitted on, and saves the one to keep where asked. */
export const recalibrate = async (
  { scores, calibrated }: { readonly scores: ScoresTool; readonly calibrated: CalibratedTool },
  methods: readonly Recalibrator[],
  options: RecalibrationOptions,
  subject: Subject,
  job: Job,
): Promise<Recalibrated> => {
  const save = options.save === '' ? undefined : await calibrated.open(options.save);
  const { bins, confidenceLevel: level } = options;
  const { whole, parts } = await fittingOf(scores, options, job);
  const shown = parts.map((p) => p.shown);
  const given = subject.scores === 'probabilities';
  let step = 0;
  const progress = async (text: string): Promise<void> => {
    job.progress(0.3 + (0.7 * step++) / (2 * methods.length + 1), text);
    await breathe(job);
  };
  const drawn = (state: Judged['state']): Promise<Reliability> =>
    reliabilityScores(
      state,
      { ...options, binning: 'width' },
      (name) => job.random(name),
      () => breathe(job),
    );
  const summary = async ({ state, logLoss, brier }: Judged) => ({
    scores: await drawn(state),
    nll: meanOf(logLoss, undefined, level),
    brier: meanOf(brier, undefined, level),
  });

  await progress('Before');
  const original = judge(
    shown,
    shown.map(() => unchanged(whole.classes)),
    bins,
    given,
  );
  const before = await summary(original);
  const candidates: Candidate[] = [];
  const losses: Float64Array[] = [];
  const refused: { id: string; title: string; sentence: string }[] = [];
  let fault: Fault | undefined;
  for (const { id, title, fit } of methods) {
    await progress(`${title}: fitting`);
    try {
      if (oneLabel(whole)) throw new Fault('diagnostic/one-class', { title, rows: whole.labels.length });
      const rowsOf = ({ classes, logits, labels }: ScoreTable) => ({ classes, scores: logits, labels });
      const calibration = fit(rowsOf(whole), options);
      const fits: Calibration[] = [];
      for (const part of parts) {
        fits.push(part.fit === whole ? calibration : fit(rowsOf(part.fit), options, calibration));
        await breathe(job);
      }
      await progress(`${title}: resampling`);
      const judged = judge(shown, fits, bins, given || calibration.kind !== 'affine');
      candidates.push({
        id,
        title,
        calibration,
        ...(await summary(judged)),
        change: { nll: meanOf(judged.logLoss, original.logLoss, level), brier: meanOf(judged.brier, original.brier, level) },
        flips: judged.flips,
      });
      losses.push(options.judge === 'nll' ? judged.logLoss : judged.brier);
    } catch (error) {
      if (!(error instanceof Fault) || !error.code.startsWith('diagnostic/')) throw error;
      fault ??= error;
      refused.push({ id, title, sentence: error.message });
      step++;
    }
  }
  if (candidates.length === 0) throw fault ?? new RangeError('no recalibrator was asked for');
  const kept = keep(losses);
  const { id, calibration, nll } = candidates[kept];
  await save?.(calibration, {
    method: id,
    fittedRows: whole.rows.length,
    fittedOn: options.fitOn,
    nllBefore: before.nll.value,
    nllAfter: nll.value,
  });
  return { before, candidates, refused, kept, fittedRows: whole.rows.length, saved: save !== undefined };
};
