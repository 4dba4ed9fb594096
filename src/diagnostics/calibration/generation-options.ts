import {
  type ChoiceOption,
  type Chosen,
  choice,
  type FlagOption,
  flag,
  type IntOption,
  int,
  type PickOption,
  pick,
  type RealOption,
  real,
} from '../../base/option.ts';
import { type Aggregate, aggregateIds } from './generation-tokens.ts';

export const generationOptions: {
  readonly level: ChoiceOption<'auto' | 'completion' | 'line'>;
  readonly aggregate: ChoiceOption<'all' | Aggregate>;
  readonly rescale: ChoiceOption<'logit' | 'probability'>;
  readonly scoreScale: ChoiceOption<'fraction' | 'percent'>;
  readonly smoothed: FlagOption;
  readonly folds: IntOption;
  readonly bins: IntOption;
  readonly nullDraws: IntOption;
  readonly bootstrap: IntOption;
  readonly failRate: RealOption;
  readonly threshold: RealOption;
  readonly confidenceLevel: RealOption;
  readonly correct: PickOption;
  readonly logProbs: PickOption;
  readonly score: PickOption;
  readonly group: PickOption;
  readonly task: PickOption;
} = {
  level: choice({
    default: 'auto',
    of: ['auto', 'completion', 'line'],
    help: 'Whole completions, or each line of them: then tokens are grouped by line, and a line is correct as a list of outcomes or a reference says. auto: lines where only they have outcomes.',
  }),
  aggregate: choice({
    default: 'all',
    of: ['all', ...aggregateIds],
    help: 'How the probabilities of the tokens make one confidence; all compares them.',
  }),
  rescale: choice({ default: 'logit', of: ['logit', 'probability'], help: 'What Platt scaling regresses on: ln(c/(1 − c)), or c itself.' }),
  smoothed: flag({ default: false, help: 'Platt’s smoothed targets in place of 0 and 1.' }),
  folds: int({ default: 5, min: 2, max: 50, help: 'Folds of the rescaling: every unit is scored by the fit that did not see it.' }),
  failRate: real({ default: 0.05, min: 0, max: 1, help: 'Share of wrong ones among the accepted that a review policy may let through.' }),
  correct: pick({ default: '', from: 'column', help: 'Column of outcomes, 0 or 1; else correct, passed and the like.' }),
  threshold: real({
    default: 0,
    min: 0,
    max: 1,
    help: 'Where outcomes are similarities from 0 to 1: from here on they count as correct. 0: they are 0 or 1.',
  }),
  logProbs: pick({ default: '', from: 'column', help: 'Column of lists of token log-probabilities; else token_logprobs and the like.' }),
  score: pick({ default: '', from: 'column', help: 'Column of a ready confidence; else confidence, verbalised, p_true and the like.' }),
  scoreScale: choice({ default: 'fraction', of: ['fraction', 'percent'], help: 'Scale of ready confidences: 0 to 1, or 0 to 100.' }),
  group: pick({
    default: '',
    from: 'column',
    help: 'Column of units that belong together (problem, repository), which share a fold; else group and the like.',
  }),
  task: pick({ default: '', from: 'column', help: 'Column of tasks or languages to compare; else task or language.' }),
  bins: int({ default: 10, min: 2, max: 200, help: 'Bins of equal width of the diagrams and the ECE.' }),
  confidenceLevel: real({ default: 0.95, min: 0.5, max: 0.999, help: 'Level of intervals and of the consistency band.' }),
  nullDraws: int({ default: 1000, min: 100, max: 100_000, help: 'Simulated data sets of a perfectly calibrated model.' }),
  bootstrap: int({ default: 1000, min: 100, max: 100_000, help: 'Resamples behind the interval of the calibration error.' }),
};
export type GenerationOptions = Chosen<typeof generationOptions>;
