import { flag, int, pick, text } from '../../base/option.ts';
import { type Diagnostic, defineStudy } from '../define.ts';
import { featureOptions } from '../feature-options.ts';
import { separabilityCards, separabilityGuide, separabilityHeadline } from './linear-separability-cards.ts';
import { separability } from './linear-separability-run.ts';

/** Keeps the features twice, 12 bytes a value. The multi-class case, every class against the rest, is not in the paper. */
export const linearSeparability: Diagnostic = defineStudy({
  id: 'linear-separability',
  title: 'Linear Separability (Large-Step Logistic)',
  family: 'representation',
  question: 'Is the layer linearly separable, so that a linear head is enough, or are features or labels at fault?',
  source: 'arXiv:2412.08424; card 04-large-step-logistic',
  uses: ['features'],
  options: {
    ...featureOptions,
    positive: pick({ default: '', from: 'class', help: 'With negative: only these two classes. Empty: every class against the rest.' }),
    negative: pick({ default: '', from: 'class', help: 'The other class.' }),
    rates: text({ default: '0.01, 0.1, 1, 10, 100', help: 'Step sizes that are tried, separated by commas.' }),
    maxIterations: int({ default: 5000, min: 1, max: 1_000_000, help: 'Updates of each method at most.' }),
    maxExamples: int({ default: 5000, min: 2, max: 1_000_000, help: 'Rows at most; of more, equally many of each class are drawn.' }),
    bias: flag({ default: true, help: 'Adds a feature that is 1 for every row.' }),
    standardise: flag({ default: false, help: 'Brings every feature to mean 0 and variance 1; the paper does not.' }),
  },
  study: ({ features }, options, job) => separability(features, options, job),
  report(found, { maxIterations }) {
    const headline = separabilityHeadline(found);
    return {
      headline,
      cards: separabilityCards(found, headline, maxIterations),
      guide: separabilityGuide(found, maxIterations),
      notes: found.rows < found.of ? [`${found.rows} of ${found.of} rows were used (maxExamples, or the two classes).`] : [],
    };
  },
});
