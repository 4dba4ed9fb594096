import type { Calibration } from '../../base/calibration.ts';
import { Fault } from '../../base/fault.ts';
import { breathe, type Job } from '../../base/job.ts';
import type { Views } from '../../base/perturbation.ts';
import type { ScoresTool, ScoreTable, Subject, Tools } from '../../evidence/evidence.ts';
import { mustBeEven } from './local-errors.ts';
import type { Aid, FitOptions, FitRows, Recalibrator, TrainOptions } from './recalibration-define.ts';
import { crossParts, type Part, without } from './recalibration-folds.ts';
import { type Look, lookAt } from './recalibration-look.ts';
import { type Judged, judge, type Mean, meanOf } from './recalibration-measure.ts';
import { perturbationsOf } from './recalibration-perturb.ts';
import { type Reliability, type ReliabilityOptions, reliabilityScores } from './scores.ts';

export interface RecalibrationOptions extends Omit<ReliabilityOptions, 'binning'>, FitOptions, TrainOptions {
  /** The calibrator to keep, where one is named. */
  readonly method: string;
  readonly fitOn: string;
  readonly folds: number;
  readonly judge: 'nll' | 'brier';
  readonly save: string;
  /** Correctness-aware: changes of the input, and how many of the largest logits are looked at under each. */
  readonly perturbations: string;
  readonly topK: number;
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
  /** What training told of every step or epoch of the fit to keep, by name. */
  readonly traces: Readonly<Record<string, readonly number[]>>;
}

export interface Recalibrated {
  readonly before: { readonly scores: Reliability; readonly nll: Mean; readonly brier: Mean };
  readonly candidates: readonly Candidate[];
  /** Those that these rows cannot determine, and why. */
  readonly refused: readonly { readonly id: string; readonly title: string; readonly sentence: string }[];
  /** Index of the candidate to keep. */
  readonly kept: number;
  readonly look: Look;
  readonly fittedRows: number;
  readonly saved: boolean;
}

const unchanged = (classes: number): Calibration => ({ kind: 'affine', weights: Float64Array.of(1), biases: new Float64Array(classes) });

interface Fitting {
  /** Rows that the fit to keep is made on. */
  readonly whole: ScoreTable;
  readonly parts: readonly Part[];
}

const fittingOf = async (
  scores: ScoresTool,
  { fitOn, folds }: RecalibrationOptions,
  seen: (name: string, table: ScoreTable) => Promise<ScoreTable>,
  job: Job,
): Promise<Fitting> => {
  const shown = await seen('', scores.shown);
  if (fitOn === '') return { whole: shown, parts: crossParts(shown, folds, job.random('folds')) };
  const asked = await scores.split(fitOn);
  const whole = without(await seen(fitOn, asked), shown, fitOn);
  const dropped = asked.rows.length - whole.rows.length;
  if (dropped > 0) job.note(`${dropped} rows of split '${fitOn}' are among those shown and were left out of the fit.`);
  return { whole, parts: [{ fit: whole, shown }] };
};

/** Faults that keep one calibrator from being fitted, and not the others. */
const ofOne = (error: unknown): error is Fault => error instanceof Fault && /^(diagnostic|evidence)\//.test(error.code);

const perturbs = (method: Recalibrator): boolean => 'perturbs' in method && method.perturbs === true;

type Asked = Pick<Tools, 'scores' | 'calibrated' | 'trainer' | 'perturbed'>;

/** What is read besides scores, where a calibrator asks for it; why not, where it cannot be read. */
const viewed = async (
  { perturbed, scores: { shown } }: Asked,
  methods: readonly Recalibrator[],
  options: RecalibrationOptions,
  job: Job,
): Promise<{ readonly views?: Views; readonly blind?: Fault; seen(name: string, table: ScoreTable): Promise<ScoreTable> }> => {
  const blank = { seen: async (_: string, table: ScoreTable) => table };
  if (!methods.some(perturbs)) return blank;
  const topK = Math.min(options.topK, shown.classes);
  if (topK < options.topK) job.note(`There are ${shown.classes} classes, so topK is ${topK} in place of ${options.topK}.`);
  try {
    if (!perturbed.given) throw new Fault('evidence/no-model', { id: 'correctness-aware', tool: 'perturbed inputs' });
    const views = { perturbations: perturbationsOf(options.perturbations, perturbed.inputDims, (name) => job.random(name)), topK };
    const seen = async (name: string, table: ScoreTable): Promise<ScoreTable> => ({
      ...table,
      features: await perturbed.features(name, table, views),
    });
    const first = await seen('', shown);
    return { views, seen: async (name, table) => (name === '' ? first : seen(name, table)) };
  } catch (error) {
    if (!ofOne(error)) throw error;
    return { ...blank, blind: error };
  }
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
  tools: Asked,
  methods: readonly Recalibrator[],
  options: RecalibrationOptions,
  subject: Subject,
  job: Job,
): Promise<Recalibrated> => {
  const { scores, calibrated, trainer } = tools;
  mustBeEven(options.window);
  const save = options.save === '' ? undefined : await calibrated.open(options.save);
  const { bins, confidenceLevel: level } = options;
  const { views, blind, seen } = await viewed(tools, methods, options, job);
  const { whole, parts } = await fittingOf(scores, options, seen, job);
  const shown = parts.map((p) => p.shown);
  const given = subject.scores === 'probabilities';
  let step = 0;
  const say = (text: string): void => job.progress(0.3 + (0.7 * step) / (2 * methods.length + 1), text);
  const progress = async (text: string): Promise<void> => {
    say(text);
    step++;
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
  const aidOf = (part: string, traces: Record<string, readonly number[]>): Aid => ({
    random: (name) => job.random(`${name}/${part}`),
    pause: () => breathe(job),
    // Folds would say the same again.
    note: (text) => (part === 'whole' ? job.note(text) : undefined),
    trace(name, of) {
      traces[name] = of;
    },
    trainer,
  });
  const fitted: Calibration[][] = [];
  for (const method of methods) {
    const { id, title } = method;
    await progress(`${title}: fitting`);
    try {
      if (oneLabel(whole)) throw new Fault('diagnostic/one-class', { title, rows: whole.labels.length });
      if (perturbs(method) && blind) throw blind;
      const rowsOf = ({ classes, logits, labels, features }: ScoreTable): FitRows => ({
        classes,
        scores: logits,
        labels,
        ...(features ? { features } : {}),
      });
      const traces: Record<string, readonly number[]> = {};
      const made = async (table: ScoreTable, part: string, near?: Calibration): Promise<Calibration> =>
        'fit' in method
          ? method.fit(rowsOf(table), options, near)
          : method.train(rowsOf(table), options, aidOf(part, part === 'whole' ? traces : {}));
      const calibration = await made(whole, 'whole');
      const fits: Calibration[] = [];
      for (const [k, part] of parts.entries()) {
        if (parts.length > 1) say(`${title}: fold ${k + 1} of ${parts.length}`);
        fits.push(part.fit === whole ? calibration : await made(part.fit, String(k), calibration));
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
        traces,
      });
      fitted.push(fits);
      losses.push(options.judge === 'nll' ? judged.logLoss : judged.brier);
    } catch (error) {
      if (!ofOne(error)) throw error;
      fault ??= error;
      // Beside what was asked for the others are company.
      if (id === options.method) throw error;
      refused.push({ id, title, sentence: error.message });
      step++;
    }
  }
  if (candidates.length === 0) throw fault ?? new RangeError('no recalibrator was asked for');
  const named = candidates.findIndex((c) => c.id === options.method);
  const kept = named < 0 ? keep(losses) : named;
  const { id, calibration, nll } = candidates[kept];
  await save?.(
    calibration,
    {
      method: id,
      fittedRows: whole.rows.length,
      fittedOn: options.fitOn,
      nllBefore: before.nll.value,
      nllAfter: nll.value,
    },
    calibration.kind === 'adaptive' ? views : undefined,
  );
  const look = lookAt(shown, fitted[kept], unchanged(whole.classes), options);
  return { before, candidates, refused, kept, look, fittedRows: whole.rows.length, saved: save !== undefined };
};
