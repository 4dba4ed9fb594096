import { paced } from '../../base/job.ts';
import { choice, int, pick, real } from '../../base/option.ts';
import { classNamed } from '../class-option.ts';
import { type Diagnostic, defineFold } from '../define.ts';
import { scoresOption } from '../scores-option.ts';
import { reliabilityCards } from './reliability-cards.ts';
import { reliabilityGuide } from './reliability-guide.ts';
import { reliabilityHeadline, reliabilityIntervals, reliabilityNotes, reliabilityNumbers } from './reliability-headline.ts';
import { addBatch, emptyState, mergeState } from './reliability-state.ts';
import { type Reliability, reliabilityScores } from './scores.ts';

/** Confidence is the largest class probability; it is calibrated where answers given with confidence c are right in a share c of cases. */
export const reliability: Diagnostic = defineFold({
  id: 'reliability',
  title: 'Reliability Diagram',
  family: 'calibration',
  question: 'When the model says 80 %, is it right 80 % of the time, and is the difference more than sampling noise?',
  source:
    'arXiv:1706.04599; arXiv:1909.10155; arXiv:2309.12236; doi:10.1073/pnas.2016191118; doi:10.1175/WAF993.1; card 00-calibration-common',
  numbers: reliabilityNumbers,
  confidences: true,
  needs: ['labels', 'probs', 'logProbs', 'rows', 'groups'],
  options: {
    bins: int({ default: 15, min: 1, max: 200, help: 'Number of confidence bins.' }),
    binning: choice({ default: 'width', of: ['width', 'mass'], help: 'Bins drawn: of equal width, or of equal numbers of rows.' }),
    positive: pick({
      default: '',
      from: 'class',
      help: 'Class whose probability is judged, as for an event. Without one, the confidence of the answer is, whichever class it is.',
    }),
    group: pick({
      default: '',
      from: 'column',
      help: "Column that groups the rows, to compare groups. Without one, the column 'group' where the data have it.",
    }),
    classDiagrams: int({ default: 4, min: 0, max: 12, help: 'Classes drawn in a diagram of their own probability, the worst first.' }),
    confidenceLevel: real({ default: 0.95, min: 0.5, max: 0.999, help: 'Level of intervals and of the consistency band.' }),
    nullDraws: int({ default: 1000, min: 100, max: 100_000, help: 'Simulated data sets of a perfectly calibrated model.' }),
    bootstrap: int({ default: 1000, min: 100, max: 100_000, help: 'Resamples of the rows behind the interval of the calibration error.' }),
    logits: scoresOption,
  },
  start: ({ binning, bins, positive, group }, { classes }) =>
    emptyState(binning, bins, { positive: classNamed(positive, classes, classes.length), column: group || 'group' }),
  add: (state, batch) => addBatch(state, batch),
  merge: (state, other) => mergeState(state, other),
  result: (state, chosen, job): Promise<Reliability> => reliabilityScores(state, chosen, (name) => job.random(name), paced(job)),
  report: (r, chosen, subject) => ({
    headline: reliabilityHeadline(r),
    intervals: reliabilityIntervals(r, chosen),
    cards: reliabilityCards(r, chosen, subject),
    guide: reliabilityGuide(r, chosen, subject),
    notes: reliabilityNotes(r, chosen, subject),
  }),
});
