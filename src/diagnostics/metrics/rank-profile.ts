import { real } from '../../base/option.ts';
import { type Diagnostic, defineFold } from '../define.ts';
import { scoresOption } from '../scores-option.ts';
import { rankCards, rankGuide, rankHeadline, rankIntervals, rankNotes } from './rank-cards.ts';
import { addRanks, mergeRanks, type RankState, rankState } from './rank-state.ts';

/** Keeps counts by rank and 1,000 rows for the scatter: 32 bytes each. */
export const rankProfile: Diagnostic = defineFold({
  id: 'rank-profile',
  title: 'Top-k and Rank Profile',
  family: 'metrics',
  question: 'Where the first answer is wrong, how near the top is the right one, and would a loss of ranks serve better?',
  source: 'arXiv:1604.08859; card 27-z-loss',
  needs: ['labels', 'logits', 'rows'],
  numbers: ['rows', 'classes', 'accuracy', 'top*_error', 'mrr', 'mean_rank', 'z_loss', 'cross_entropy', 'largest_z'],
  options: {
    a: real({
      default: 1,
      min: 1e-4,
      max: 1e4,
      help: 'Scale of the z-loss that is shown. This is not the log-normaliser term of language models.',
    }),
    b: real({ default: 0, min: -1e4, max: 1e4, help: 'Position of the z-loss that is shown: the standardised score to reach.' }),
    confidenceLevel: real({ default: 0.95, min: 0.5, max: 0.999, help: 'Level of the intervals.' }),
    logits: scoresOption,
  },
  start: () => rankState(),
  add: (state, batch, chosen) => addRanks(state, batch, chosen),
  merge: (state, other) => mergeRanks(state, other),
  result: (state): RankState => ({ ...state, kept: new Map([...state.kept].sort(([x], [y]) => x - y)) }),
  report: (r, chosen, { scores }) => ({
    headline: rankHeadline(r),
    intervals: rankIntervals(r, chosen.confidenceLevel),
    cards: rankCards(r, chosen),
    guide: rankGuide(r),
    notes: rankNotes(r, chosen, scores === 'probabilities'),
  }),
});
