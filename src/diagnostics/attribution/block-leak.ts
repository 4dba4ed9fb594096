import { choice, flag, int, real, text } from '../../base/option.ts';
import { type Diagnostic, defineStudy } from '../define.ts';
import { blockCards, blockGuide, blockHeadline, blockIntervals } from './block-cards.ts';
import { blockRun } from './block-run.ts';

/** Whether gradients point at a block that tells nothing: on data where the answer is known. */
export const blockLeak: Diagnostic = defineStudy({
  id: 'block-leak',
  title: 'Block Leak Test',
  family: 'attribution',
  question: 'On pictures stacked with a block that tells nothing, do gradients stay in the picture, and does adversarial training help?',
  source: 'arXiv:2102.12781; card 05-diffroar',
  uses: ['fresh'],
  options: {
    arch: choice({ default: 'mlp', of: ['mlp', 'cnn'], help: 'The network that is trained on pictures of twice the height.' }),
    hidden: text({ default: '256,256', help: 'Sizes of its hidden dense layers, separated by commas.' }),
    channels: text({ default: '16,32', help: 'Channels of the convolutions of a cnn, separated by commas.' }),
    trained: text({
      default: '',
      reads: true,
      help: 'A model that was trained on such pictures of twice the height: it is measured beside those trained here.',
    }),
    references: flag({ default: true, help: 'Trains the standard and the robust models; off measures only the model named with trained.' }),
    image: text({ default: '', help: 'Shape of a picture, HxW or CxHxW, where rows are flat.' }),
    test: text({ default: '', help: 'Split of the same data to test on; none holds out a third of the rows of every class.' }),
    runs: int({ default: 2, min: 1, max: 50, help: 'Trainings of each model, from other first values and orders of rows.' }),
    epochs: int({ default: 30, min: 1, max: 10_000, help: 'Passes over the rows in each training.' }),
    batch: int({ default: 64, min: 1, max: 65_536, help: 'Rows of a step.' }),
    rate: real({ default: 0.001, min: 1e-9, max: 10, help: "Adam's learning rate." }),
    norm: choice({ default: 'l2', of: ['l2', 'linf'], help: 'Which rows are near, for the attack that the robust model is trained on.' }),
    epsilon: real({ default: 1, min: 0, max: 1e6, help: 'Radius of the attack, in units of the inputs.' }),
    attackSteps: int({ default: 4, min: 1, max: 100, help: 'Steps of the attack.' }),
    shown: int({ default: 4, min: 0, max: 64, help: 'Test rows shown with their gradients.' }),
  },
  study: (tools, chosen, job) => blockRun(tools, chosen, job),
  report: (found, chosen) => ({
    headline: blockHeadline(found),
    intervals: blockIntervals(found),
    cards: blockCards(found, chosen),
    guide: blockGuide(found),
  }),
});
