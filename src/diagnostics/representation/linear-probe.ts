import { choice, flag, int, real, text } from '../../base/option.ts';
import { type Diagnostic, defineStudy } from '../define.ts';
import { featureOptions } from '../feature-options.ts';
import { probeCards } from './linear-probe-cards.ts';
import { probeGuide, probeHeadline, probeIntervals } from './linear-probe-guide.ts';
import { probe } from './linear-probe-run.ts';

/** Keeps the features of both parts, 4 bytes a value; the rows of one logistic fit a second time, 8 bytes a value. */
export const linearProbe: Diagnostic = defineStudy({
  id: 'linear-probe',
  title: 'Linear Probe: Generative or Discriminative',
  family: 'representation',
  question: 'Which head should stand on these features, naive Bayes or logistic regression, and from how many labelled examples on?',
  source: 'arXiv:2302.02334; card 20-discriminative-vs-generative-heads',
  uses: ['features', 'head'],
  options: {
    ...featureOptions,
    fitOn: text({
      default: '',
      help: 'Split of the same data to fit on, written as a split is; rows shown are left out of it. Empty: a third of the rows shown is held out.',
    }),
    sizes: text({ default: '', help: 'Numbers of labelled examples, such as 20,50,100. Empty: chosen by the number of classes.' }),
    repeats: int({ default: 5, min: 1, max: 100, help: 'Random draws of each size.' }),
    minmax: flag({ default: true, help: 'Scales every feature to 0..1 on the rows of each fit.' }),
    varSmoothing: real({ default: 1e-9, min: 0, max: 1, help: 'Added to every variance of naive Bayes (absolute).' }),
    varFloor: real({ default: 1e-3, min: 0, max: 1, help: 'Least variance in a saved naive Bayes head, as a share of the mean one.' }),
    inversePenalty: real({ default: 1, min: 1e-6, max: 1e6, help: 'C: inverse strength of the L2 penalty of logistic regression.' }),
    maxIter: int({ default: 1000, min: 1, max: 100_000, help: 'Most steps of a logistic fit.' }),
    bootstrap: int({ default: 1000, min: 100, max: 100_000, help: 'Resamples of the draws behind the interval of the crossing.' }),
    confidenceLevel: real({ default: 0.95, min: 0.5, max: 0.999, help: 'Level of intervals.' }),
    save: text({
      default: '',
      writes: 'onnx',
      help: 'Saves the model up to the features with a new head behind them, which training can go on from.',
    }),
    saveHead: choice({
      default: 'best',
      of: ['best', 'naive-bayes', 'logistic'],
      help: 'Which head is saved; best is the one that errs less on all rows.',
    }),
  },
  study: (tools, chosen, job) => probe(tools, chosen, job),
  report: (r, chosen) => ({
    headline: probeHeadline(r),
    intervals: probeIntervals(r, chosen),
    cards: probeCards(r, chosen.confidenceLevel),
    guide: probeGuide(r, chosen),
    notes: r.notes,
  }),
});
