import { paced } from '../../base/job.ts';
import { choice, int, real } from '../../base/option.ts';
import { type Diagnostic, defineFold } from '../define.ts';
import { multiLabelCards, multiLabelGuide, multiLabelHeadline, multiLabelIntervals, multiLabelNotes } from './multi-label-cards.ts';
import { addMarks, type MultiLabel, mergeMarks, multiLabelScores, multiLabelState } from './multi-label-state.ts';

/** Each label of a row is an event with a probability of its own; all of them pooled, and each apart. */
export const multiLabelCalibration: Diagnostic = defineFold({
  id: 'multi-label-calibration',
  title: 'Multi-Label Calibration',
  family: 'calibration',
  question: 'Where a row may have several labels: does a label given 80 % occur in 80 % of cases, and for which labels not?',
  source: 'arXiv:1706.04599; arXiv:1910.12656; card 00-calibration-common',
  needs: ['marks', 'labelProbs', 'rows'],
  options: {
    bins: int({ default: 15, min: 1, max: 200, help: 'Number of bins of the probability.' }),
    binning: choice({
      default: 'width',
      of: ['width', 'mass'],
      help: 'Bins drawn: of equal width, or of equal numbers of pairs of row and label.',
    }),
    labelDiagrams: int({ default: 4, min: 0, max: 12, help: 'Labels drawn in a diagram of their own probability, the worst first.' }),
    confidenceLevel: real({ default: 0.95, min: 0.5, max: 0.999, help: 'Level of intervals and of the consistency band.' }),
    nullDraws: int({ default: 1000, min: 100, max: 100_000, help: 'Simulated data sets of a perfectly calibrated model.' }),
    bootstrap: int({ default: 1000, min: 100, max: 100_000, help: 'Resamples of the pairs behind the interval of the calibration error.' }),
  },
  start: ({ binning, bins }) => multiLabelState(binning, bins),
  add: (state, batch) => addMarks(state, batch),
  merge: (state, other) => mergeMarks(state, other),
  result: (state, chosen, job): Promise<MultiLabel> => multiLabelScores(state, chosen, (name) => job.random(name), paced(job)),
  report: (r, chosen, subject) => ({
    headline: multiLabelHeadline(r),
    intervals: multiLabelIntervals(r, chosen),
    cards: multiLabelCards(r, chosen, subject),
    guide: multiLabelGuide(r, chosen, subject),
    notes: multiLabelNotes(r),
  }),
});
