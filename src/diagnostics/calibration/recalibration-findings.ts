import type { Subject } from '../../evidence/evidence.ts';
import type { Interval } from '../../report/report.ts';
import type { Findings } from '../define.ts';
import { number, percent } from '../wording.ts';
import { flipsOf, recalibrationCards } from './recalibration-cards.ts';
import type { Mean } from './recalibration-measure.ts';
import type { Candidate, Recalibrated, RecalibrationOptions } from './recalibration-run.ts';
import type { Reliability } from './scores.ts';

const debiased = ({ eceDebiased }: Reliability): number => Math.max(0, eceDebiased);

const headline = ({ before, candidates, kept, fittedRows }: Recalibrated): Record<string, number> => {
  const best = candidates[kept];
  const { calibration } = best;
  return {
    rows: before.scores.rows,
    nll_before: before.nll.value,
    nll_after: best.nll.value,
    nll_change: best.change.nll.value,
    brier_before: before.brier.value,
    brier_after: best.brier.value,
    brier_change: best.change.brier.value,
    ece_before: before.scores.ece,
    ece_after: best.scores.ece,
    ece_debiased_before: debiased(before.scores),
    ece_debiased_after: debiased(best.scores),
    accuracy_before: before.scores.accuracy,
    accuracy_after: best.scores.accuracy,
    flips: flipsOf(best),
    ...(calibration.kind === 'affine' && calibration.weights.length === 1 ? { temperature: 1 / calibration.weights[0] } : {}),
    fitted_rows: fittedRows,
    ...Object.fromEntries(
      candidates.flatMap((c) => {
        const id = c.id.replaceAll('-', '_');
        return [
          [`${id}_nll`, c.nll.value],
          [`${id}_brier`, c.brier.value],
          [`${id}_ece`, c.scores.ece],
        ];
      }),
    ),
  };
};

const intervals = ({ before, candidates, kept }: Recalibrated, options: RecalibrationOptions): Record<string, Interval> => {
  const { confidenceLevel: level, bootstrap } = options;
  const best = candidates[kept];
  const mean = ({ range: [low, high] }: Mean): Interval => ({ low, high, level, method: 'normal, over rows' });
  const paired = ({ range: [low, high] }: Mean): Interval => ({ low, high, level, method: 'normal, over rows in pairs' });
  const ece = (when: 'before' | 'after', { eceInterval: range }: Reliability): Record<string, Interval> => {
    if (!range) return {};
    const [low, high] = range;
    const interval = { low, high, level, method: `bootstrap of the debiased ECE, ${bootstrap} resamples` };
    return { [`ece_${when}`]: interval, [`ece_debiased_${when}`]: interval };
  };
  return {
    nll_before: mean(before.nll),
    nll_after: mean(best.nll),
    nll_change: paired(best.change.nll),
    brier_before: mean(before.brier),
    brier_after: mean(best.brier),
    brier_change: paired(best.change.brier),
    ...ece('before', before.scores),
    ...ece('after', best.scores),
  };
};

const flipsSaid = (c: Candidate): string => {
  const all = flipsOf(c);
  if (all === 0) return 'No prediction changes.';
  return `${all} ${all === 1 ? 'prediction changes' : 'predictions change'}: ${c.flips.toRight} become right, ${c.flips.toWrong} wrong, so accuracy goes to ${percent(c.scores.accuracy)}.`;
};

/** Whether the loss judged by falls by more than noise. */
const improves = ({ change }: Candidate, { judge }: RecalibrationOptions): boolean => change[judge].range[1] < 0;

const guide = (r: Recalibrated, options: RecalibrationOptions): string => {
  const { before, candidates, kept, fittedRows } = r;
  const { confidenceLevel: level, fitOn, folds, judge } = options;
  const best = candidates[kept];
  const loss = judge === 'nll' ? 'log loss' : 'Brier score';
  const name = best.title;
  const [was, is, change] = [before[judge], best[judge], best.change[judge]];
  const facts = `${name} takes the ${loss} from ${number(was.value)} to ${number(is.value)} (${percent(level)} interval of the change ${number(change.range[0])} to ${number(change.range[1])}) and the ECE from ${number(before.scores.ece)} to ${number(best.scores.ece)}, where a calibrated model would score ${number(best.scores.floor.mean)} by chance. ${flipsSaid(best)}`;
  // A trained calibrator that was asked for has one temperature beside it.
  const simple = best.id === options.method && candidates.length > 1 ? candidates[0] : undefined;
  const compared = simple
    ? ` ${simple.title} alone takes it to ${number(simple[judge].value)}, and the ECE to ${number(simple.scores.ece)}.`
    : candidates.length > 1
      ? ` Of ${candidates.length} calibrators it is the one with the fewest numbers to fit among those within one standard error of the best.`
      : '';
  const allTheSame = r.saved ? ` The model saved in ${options.save} has it all the same.` : '';
  const kind =
    simple && simple[judge].value <= is.value ? 'simpler' : improves(best, options) ? 'better' : change.range[0] > 0 ? 'worse' : 'even';
  const decision = {
    simpler: ` One number does no worse here: keep that (method ${simple?.id}), unless what ${name.charAt(0).toLowerCase() + name.slice(1)} is made for, beyond the ${loss}, shows in the tables below.${allTheSame}`,
    better: ` Keep it: the gain is more than noise on rows that it was not fitted on.${r.saved ? ` The model was saved with it in ${options.save}.` : ' Save the model with it (save), and check it on data from where it will be used.'}`,
    worse: ` The loss rises by more than noise: keep the model as it is.${allTheSame}`,
    even: ` The gain is not more than noise: keep the model as it is, or measure on more rows than these ${before.scores.rows}.${allTheSame}`,
  }[kind];
  const fit =
    fitOn === ''
      ? ` Shown is each row under a fit on the other ${folds - 1} of ${folds} folds; what is saved is fitted on all ${fittedRows} rows.`
      : ` It was fitted on ${fittedRows} rows of split ${fitOn}, none of them shown.`;
  return (
    facts +
    compared +
    decision +
    fit +
    ' A shift between these data and those of use would undo it: confidence is then off in ways that no calibrator fitted here has seen.'
  );
};

const notes = ({ refused, candidates }: Recalibrated, { scores: given }: Subject): string[] => [
  ...refused.map(({ sentence }) => sentence),
  ...candidates.flatMap(({ title, scores: { clipped }, calibration }) =>
    clipped > 0 && (given === 'probabilities' || calibration.kind !== 'affine')
      ? [
          `${title} gives ${clipped} ${clipped === 1 ? 'row' : 'rows'} a probability below 1e-12 for the label; the log loss counts it as 1e-12.`,
        ]
      : [],
  ),
];

export const recalibrationFindings = (r: Recalibrated, options: RecalibrationOptions, subject: Subject): Findings => ({
  headline: headline(r),
  intervals: intervals(r, options),
  cards: recalibrationCards(r, options, subject),
  guide: guide(r, options),
  notes: notes(r, subject),
});
