import { flag, int, real, text } from '../../base/option.ts';
import { type Diagnostic, defineStudy } from '../define.ts';
import { targetOptions } from './attributed-rows.ts';
import { checksCards, checksGuide, checksHeadline, checksIntervals, checksNotes } from './checks-cards.ts';
import { checksRun } from './checks-run.ts';
import { attributionOptions } from './options.ts';

/** Whether a method can be believed on this model: what it promises, and whether it follows the weights and the labels. */
export const attributionChecks: Diagnostic = defineStudy({
  id: 'attribution-checks',
  title: 'Attribution Sanity Checks',
  family: 'attribution',
  question: 'Do maps by this method follow the model, or would any model have the same?',
  source: 'arXiv:1810.03292; arXiv:1703.01365; card 00-attribution-common',
  uses: ['gradient', 'samples', 'fresh'],
  options: {
    ...attributionOptions,
    ...targetOptions,
    samples: int({ default: 50, min: 2, max: 1000, help: 'Samples that checks are averaged over, evenly spaced over the split.' }),
    labelRandomisation: flag({
      default: false,
      help: 'Trains two fresh copies of the model, one on shuffled labels, and compares their maps: takes two trainings.',
    }),
    recipe: text({
      default: '',
      reads: true,
      help: 'Label randomisation: the recipe that the model was trained by; in place of epochs, batch and rate.',
    }),
    epochs: int({ default: 30, min: 1, max: 10_000, help: 'Label randomisation: passes over the rows in each training.' }),
    batch: int({ default: 32, min: 1, max: 65_536, help: 'Label randomisation: rows of a step.' }),
    rate: real({ default: 0.001, min: 1e-9, max: 10, help: "Label randomisation: Adam's learning rate." }),
  },
  study: (tools, chosen, job, subject) => checksRun(tools, chosen, subject, job),
  report: (found, chosen, subject) => ({
    headline: checksHeadline(found),
    intervals: checksIntervals(found),
    cards: checksCards(found, subject),
    guide: checksGuide(found, chosen),
    notes: checksNotes(found),
  }),
});
