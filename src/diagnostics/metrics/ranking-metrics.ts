import { paced } from '../../base/job.ts';
import { int, pick, real } from '../../base/option.ts';
import { type Diagnostic, defineFold } from '../define.ts';
import { scoresOption } from '../scores-option.ts';
import { rankingCards } from './ranking-cards.ts';
import { rankingGuide } from './ranking-guide.ts';
import { rankingHeadline, rankingIntervals, rankingNotes, rankingNumbers } from './ranking-headline.ts';
import { type Ranking, rankingScores } from './ranking-scores.ts';
import { addRanking, mergeRanking, type RankingState, rankingState } from './ranking-state.ts';

/** Keeps 8 bytes a row: the score of the ranked class; beyond 2·10⁷ rows (or 2²³ scores of several classes) counts in fine bins. */
export const rankingMetrics: Diagnostic = defineFold({
  id: 'ranking-metrics',
  title: 'Ranking Metrics (ROC, Precision–Recall)',
  family: 'metrics',
  question: 'How well do the scores rank positives above negatives, at which threshold, and whom does each metric favour?',
  source: 'arXiv:2401.06091; doi:10.2307/2531595; card 25-auroc-vs-auprc',
  numbers: rankingNumbers,
  needs: ['labels', 'probs', 'rows', 'groups'],
  options: {
    positive: pick({
      default: '',
      from: 'class',
      help: 'Class to be found. Without one, class 1 of two; of more classes, each against the rest.',
    }),
    group: pick({
      default: '',
      from: 'column',
      help: "Column that groups the rows, to compare groups. Without one, the column 'group' where the data have it.",
    }),
    topK: int({ default: 100, min: 1, max: 10_000_000, help: 'Rows at the top of the ranking whose precision is given.' }),
    maxFpr: real({ default: 0.1, min: 0.0001, max: 0.9999, help: 'False-positive rate up to which the partial AUROC is taken.' }),
    falsePositiveCost: real({ default: 1, min: 0, max: 1e12, help: 'Cost of raising a negative row.' }),
    falseNegativeCost: real({ default: 1, min: 0, max: 1e12, help: 'Cost of missing a positive row.' }),
    confidenceLevel: real({ default: 0.95, min: 0.5, max: 0.999, help: 'Level of the intervals.' }),
    bootstrap: int({ default: 1000, min: 100, max: 100_000, help: 'Resamples of positives and negatives behind the intervals of AUPRC.' }),
    logits: scoresOption,
  },
  start: ({ positive, group }, { classes }): RankingState => rankingState(positive, classes, group || 'group'),
  add: (state, batch) => addRanking(state, batch),
  merge: (state, other) => mergeRanking(state, other),
  result: (state, chosen, job): Promise<Ranking> => rankingScores(state, chosen, (name) => job.random(name), paced(job)),
  report: (ranking, chosen, subject) => ({
    headline: rankingHeadline(ranking),
    intervals: rankingIntervals(ranking, chosen),
    cards: rankingCards(ranking, chosen, subject),
    guide: rankingGuide(ranking, chosen, subject),
    notes: rankingNotes(ranking, subject),
  }),
});
