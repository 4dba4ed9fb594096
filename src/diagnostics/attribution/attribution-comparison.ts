import { choice, flag, int, text } from '../../base/option.ts';
import { type Diagnostic, defineStudy } from '../define.ts';
import { mapOptions, targetOptions } from './attributed-rows.ts';
import { comparisonCards, comparisonGuide, comparisonHeadline, comparisonIntervals } from './comparison-cards.ts';
import { comparisonRun } from './comparison-run.ts';
import { attributionOptions } from './options.ts';

const { method: _, ...settings } = attributionOptions;

/** Maps of the same samples by several methods, side by side, and how alike they are. */
export const attributionComparison: Diagnostic = defineStudy({
  id: 'attribution-comparison',
  title: 'Compare Attribution Methods',
  family: 'attribution',
  question: 'Do attribution methods agree on what these answers rest on?',
  source: 'arXiv:2202.01602; card 00-attribution-common',
  uses: ['gradient', 'samples'],
  options: {
    methods: text({
      default: 'gradient,gradient-x-input,integrated-gradients,smoothgrad,grad-cam,occlusion',
      help: 'Ids of the methods compared, separated by commas, as saliency names them.',
    }),
    ...settings,
    ...targetOptions,
    ...mapOptions,
    samples: int({ default: 8, min: 1, max: 256, help: 'Number of samples compared; the first eight are shown.' }),
    order: choice({ default: 'evenly', of: ['evenly', 'first'], help: 'Which samples: evenly spaced over the split, or its first ones.' }),
    sameScale: flag({
      default: false,
      help: 'Draws all maps of a sample on one colour scale, which is fair to methods on the scale of the output only.',
    }),
  },
  study: (tools, chosen, job, subject) => comparisonRun(tools, chosen, subject, job),
  report: (found, chosen, subject) => ({
    headline: comparisonHeadline(found),
    intervals: comparisonIntervals(found),
    cards: comparisonCards(found, chosen, subject),
    guide: comparisonGuide(found),
    notes: found.left.map(({ title, reason }) => `${title} was left out: ${reason}`),
  }),
});
