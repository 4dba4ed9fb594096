import { choice, int, real, text } from '../../base/option.ts';
import { type Diagnostic, defineStudy } from '../define.ts';
import { sweepCards, sweepGuide, sweepHeadline, sweepIntervals, sweepNotes } from './z-loss-sweep-cards.ts';
import { sweepRun } from './z-loss-sweep-run.ts';

export const zLossSweep: Diagnostic = defineStudy({
  id: 'z-loss-sweep',
  title: 'Z-loss Sweep',
  family: 'training',
  question:
    'Where the first few answers or their order count: does a shift and scale invariant loss serve better than cross-entropy, and which?',
  source: 'arXiv:1604.08859; card 27-z-loss',
  uses: ['fresh'],
  numbers: [
    ...['cross_entropy_top*_error', 'cross_entropy_mrr', 'best_top*_error', 'best_mrr', 'best_a', 'best_b', 'best_difference'],
    ...['classes', 'test_rows'],
  ],
  options: {
    recipe: text({
      default: '',
      reads: true,
      help: 'Recipe whose model, optimizer and length are used in place of those below, with its loss replaced; its data are left aside.',
    }),
    arch: choice({ default: 'mlp', of: ['mlp', 'cnn'], help: 'The network that is trained.' }),
    hidden: text({ default: '128', help: 'Sizes of its hidden dense layers, separated by commas.' }),
    a: text({ default: '0.5, 1, 2, 5, 10', help: 'Scales that are tried, separated by commas.' }),
    b: text({ default: '0, 1, 2, auto', help: 'Positions that are tried, separated by commas; auto is 0.7 √(C − 1).' }),
    test: text({ default: '', help: 'Split of the same data to test on; none holds out a third of the rows of every class.' }),
    repeats: int({ default: 3, min: 1, max: 50, help: 'Trainings with every loss, from other first values and orders of rows.' }),
    epochs: int({ default: 8, min: 1, max: 10_000, help: 'Passes over the rows in each training.' }),
    batch: int({ default: 64, min: 1, max: 65_536, help: 'Rows of a step.' }),
    rate: real({ default: 0.001, min: 1e-9, max: 10, help: "Adam's learning rate." }),
    by: choice({
      default: 'mrr',
      of: ['mrr', 'top1', 'top5'],
      help: 'What the best is chosen by: mean reciprocal rank, or rows among the first.',
    }),
    confidenceLevel: real({ default: 0.95, min: 0.5, max: 0.999, help: 'Level of the interval.' }),
  },
  study: (tools, chosen, job) => sweepRun(tools, chosen, job),
  report: (found, chosen) => ({
    headline: sweepHeadline(found, chosen),
    intervals: sweepIntervals(found, chosen),
    cards: sweepCards(found, chosen),
    guide: sweepGuide(found, chosen),
    notes: sweepNotes(found),
  }),
});
