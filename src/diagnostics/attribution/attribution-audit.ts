import { choice, int, real, text } from '../../base/option.ts';
import { type Diagnostic, defineStudy } from '../define.ts';
import { auditCards, auditGuide, auditHeadline, auditIntervals, auditNotes } from './audit-cards.ts';
import { auditRun } from './audit-run.ts';
import { methodGroups, methodIds, methodTitles } from './method-names.ts';
import { attributionOptions } from './options.ts';

const { neuron: _, outliers: __, ...asked } = attributionOptions;

/** Whether maps of a model mark what discriminates: fresh models are trained on what they mark, and on what they leave out. */
export const attributionAudit: Diagnostic = defineStudy({
  id: 'attribution-audit',
  title: 'Attribution Audit (DiffROAR)',
  family: 'attribution',
  question: 'Can maps of this model be trusted to show the inputs that tell the classes apart?',
  source: 'arXiv:2102.12781; arXiv:1806.10758; card 05-diffroar',
  uses: ['gradient', 'samples', 'fresh'],
  options: {
    ...asked,
    method: choice({
      default: 'gradient',
      of: methodIds,
      titles: methodTitles,
      groups: methodGroups,
      help: 'The method whose order of inputs is audited.',
    }),
    target: choice({
      default: 'label',
      of: ['label', 'predicted', 'class-free'],
      help: 'The class that is attributed: the label, as in the paper; the prediction; or all classes, by the length of their attributions.',
    }),
    levels: text({ default: '5,10,20,40', help: 'Shares of inputs kept, in percent, separated by commas.' }),
    granularity: choice({
      default: 'element',
      of: ['element', 'pixel'],
      help: 'What is ranked: every value of a row, or pixels with all their channels.',
    }),
    fill: choice({
      default: 'mean',
      of: ['mean', 'zero'],
      help: 'What stands for hidden inputs: the mean of the training rows (per channel), or zero.',
    }),
    runs: int({ default: 3, min: 1, max: 50, help: 'Trainings of each side, from other first values and orders of rows.' }),
    controlRuns: int({ default: 1, min: 1, max: 50, help: 'The same for the controls: masks alone, and a random order.' }),
    test: text({ default: '', help: 'Split of the same data to test on; none holds out a third of the rows of every class.' }),
    recipe: text({
      default: '',
      reads: true,
      help: 'The recipe that the model was trained by, for fresh models trained alike; in place of epochs, batch and rate.',
    }),
    resume: text({
      default: '',
      writes: 'json',
      help: 'A file where the result of each training is kept: an audit that was stopped goes on from it.',
    }),
    epochs: int({ default: 30, min: 1, max: 10_000, help: 'Passes over the rows in each training: as many as the model had.' }),
    batch: int({ default: 32, min: 1, max: 65_536, help: 'Rows of a step.' }),
    rate: real({ default: 0.001, min: 1e-9, max: 10, help: "Adam's learning rate." }),
    robustEpsilon: real({
      default: 0,
      min: 0,
      max: 1e6,
      help: 'Audits also a copy that is trained on adversarial rows within this radius; 0 leaves it out.',
    }),
    robustNorm: choice({ default: 'l2', of: ['l2', 'linf'], help: 'Which rows are near, for the robust copy.' }),
    robustSteps: int({ default: 7, min: 1, max: 100, help: 'Steps of the attack in the training of the robust copy.' }),
  },
  study: (tools, chosen, job, subject) => auditRun(tools, { ...chosen, neuron: '', outliers: 2 }, subject, job),
  report: (found, chosen) => ({
    headline: auditHeadline(found),
    intervals: auditIntervals(found),
    cards: auditCards(found, chosen),
    guide: auditGuide(found),
    notes: auditNotes(found),
  }),
});
