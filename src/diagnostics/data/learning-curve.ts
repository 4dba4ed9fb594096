import { choice, flag, int, pick, real, text } from '../../base/option.ts';
import { type Diagnostic, defineStudy } from '../define.ts';
import { curveCards, curveHeadline, curveIntervals } from './learning-curve-cards.ts';
import { curveGuide, curveNotes } from './learning-curve-guide.ts';
import { curveRun } from './learning-curve-run.ts';

export const learningCurve: Diagnostic = defineStudy({
  id: 'learning-curve',
  title: 'Data Scaling Curve',
  family: 'data',
  question: 'How does the error fall with more data, where does it level out, and how many more rows does a target take?',
  source: 'arXiv:1712.00409; card 38-learning-curve-scaling',
  uses: ['columns', 'retrain'],
  options: {
    size: pick({
      default: '',
      from: 'column',
      help: 'Column of training sizes, where the data are a table of errors; none is the first of the usual names.',
    }),
    error: pick({
      default: '',
      from: 'column',
      help: 'Column of errors, lower is better; none is the first of the usual names. Rows of one size are repeats.',
    }),
    group: pick({
      default: '',
      from: 'column',
      help: 'Column that tells configurations apart: each gets a curve, and exponents are compared.',
    }),
    recipe: text({
      default: '',
      reads: true,
      help: 'Recipe to train on growing parts of its training rows, in place of a table; the data are then those it names.',
    }),
    metric: choice({
      default: 'error',
      of: ['error', 'cross-entropy'],
      help: 'What is measured of a classifier that is trained: its share of wrong answers, or its loss.',
    }),
    shards: int({ default: 7, min: 4, max: 16, help: 'How many sizes are trained, each half of the one before.' }),
    leastRows: int({ default: 64, min: 2, max: 1_000_000, help: 'Rows of the smallest size that is trained.' }),
    repeats: int({ default: 3, min: 1, max: 50, help: 'How often every size is trained, each time from other first values.' }),
    search: flag({ default: true, help: 'Train with 0.3, 1 and 3 times the learning rate and keep the best of every size and repeat.' }),
    epochsRule: choice({
      default: 'early-stop',
      of: ['early-stop', 'constant-steps'],
      help: 'When a run ends: once the validation loss no longer falls, or after as many steps as the recipe takes on all rows.',
    }),
    patience: int({ default: 5, min: 1, max: 1000, help: 'Evaluations without a lower validation loss that end a run.' }),
    guess: real({
      default: 0,
      min: 0,
      max: 1e12,
      help: 'Error of the best answer that looks at no input; 0 is taken from the labels trained on, or not known for a table.',
    }),
    target: real({ default: 0, min: 0, max: 1e12, help: 'Error to reach; 0 asks for none.' }),
    predictAt: int({
      default: 0,
      min: 0,
      max: 1_000_000_000_000,
      help: 'Rows at which the error is predicted; 0 is twice the largest size.',
    }),
    confidenceLevel: real({ default: 0.95, min: 0.5, max: 0.999, help: 'Level of the intervals.' }),
  },
  study: (tools, options, job) => curveRun(tools, options, job),
  report: (c, options) => ({
    headline: curveHeadline(c, options.confidenceLevel),
    intervals: curveIntervals(c, options.confidenceLevel),
    cards: curveCards(c, options),
    guide: curveGuide(c, options),
    notes: curveNotes(c, options),
  }),
});
