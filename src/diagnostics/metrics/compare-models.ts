import { breathe } from '../../base/job.ts';
import { choice, int, real } from '../../base/option.ts';
import { type Diagnostic, defineStudy } from '../define.ts';
import { compareCards } from './compare-cards.ts';
import { compareGuide } from './compare-guide.ts';
import { compareHeadline, compareIntervals, compareNotes } from './compare-headline.ts';
import { numberFindings } from './compare-number-findings.ts';
import { compareNumbers, type NumberComparison } from './compare-numbers.ts';
import { type Comparison, compareScores } from './compare-scores.ts';
import { addPair, compareState } from './compare-state.ts';

/** Both are read in step in one pass; of the rows at most 20,000 are kept, beyond that counts in cells; of predicted numbers 32 bytes a row. */
export const compareModels: Diagnostic = defineStudy({
  id: 'compare-models',
  title: 'Compare Models',
  family: 'metrics',
  question: 'Which of two models is better on the same rows, by how much, where do they differ, and where inside?',
  source: 'doi:10.1007/BF02295996; doi:10.1186/1471-2288-13-91; doi:10.1002/sim.4780140804',
  uses: ['pair'],
  options: {
    bootstrap: int({ default: 1000, min: 100, max: 100_000, help: 'Resamples of the rows behind the intervals and tests.' }),
    confidenceLevel: real({ default: 0.95, min: 0.5, max: 0.999, help: 'Level of the intervals.' }),
    probeRows: int({ default: 8, min: 0, max: 256, help: 'First rows on which values inside two models are compared; 0 leaves it out.' }),
    deviation: real({
      default: 0.001,
      min: 0,
      max: 10,
      help: 'Difference inside, relative to the size of the value, from which a value deviates.',
    }),
    logits: choice({
      default: 'auto',
      of: ['auto', 'logits', 'probabilities', 'values'],
      help: 'What the scores are; values are predicted numbers. Auto looks at the node that makes them, then at values and labels.',
    }),
    entry: int({
      default: 0,
      min: 0,
      max: 1_000_000,
      help: 'Of predicted numbers: which value of an output of several is the prediction, from 1; 0 expects a single one.',
    }),
  },
  async study({ pair }, chosen, job): Promise<Comparison | NumberComparison> {
    if (pair.numbers) return compareNumbers(pair, chosen);
    const state = compareState();
    const classNames = await pair.each((batch) => addPair(state, batch));
    const values = chosen.probeRows > 0 ? await pair.values(chosen.probeRows) : undefined;
    return compareScores(state, { names: pair.names, classNames, values }, chosen, job.random('bootstrap'), async (done) => {
      job.progress(0.8 + (0.2 * done) / chosen.bootstrap, `resample ${done} of ${chosen.bootstrap}`);
      await breathe(job);
    });
  },
  report: (comparison, chosen) =>
    'regressions' in comparison
      ? numberFindings(comparison, chosen)
      : {
          headline: compareHeadline(comparison, chosen),
          intervals: compareIntervals(comparison, chosen),
          cards: compareCards(comparison, chosen),
          guide: compareGuide(comparison, chosen),
          notes: compareNotes(comparison),
        },
});
