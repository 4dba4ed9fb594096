import { int, real } from '../../base/option.ts';
import { type Diagnostic, defineFold } from '../define.ts';
import { balanceCards, balanceGuide, balanceHeadline, balanceIntervals, balanceNotes } from './balance-cards.ts';
import { type Balance, balanceScores } from './balance-scores.ts';
import { addBalance, balanceState, mergeBalance } from './balance-state.ts';

/** Sigmoid cross-entropy: |∂L/∂z| = |p − y|, split by y. A row is an image's label set or an anchor; one without labels is background. */
export const foregroundBackgroundBalance: Diagnostic = defineFold({
  id: 'foreground-background-balance',
  title: 'Foreground-Background Balance',
  family: 'training',
  question:
    'Where each label has a sigmoid of its own: do the many rows without a label drown those that have it, and which first bias prevents that?',
  source: 'arXiv:1909.04868; card 01-sampling-free. The share of hard labels: arXiv:2503.18430; card 02-cq-dino',
  needs: ['marks', 'labelProbs', 'rows'],
  numbers: [
    ...['rows', 'labels', 'positives', 'prior', 'mean_probability', 'optimal_bias', 'background_to_foreground'],
    ...['background_to_foreground_focal', 'hard_share', 'loss_per_positive', 'positives_per_row'],
  ],
  options: {
    alpha: real({ default: 0.25, min: 0, max: 1, help: 'Weight of foreground in the focal loss that is shown beside.' }),
    gamma: real({ default: 2, min: 0, max: 10, help: 'Exponent of the focal loss that is shown beside.' }),
    k: int({ default: 10, min: 1, max: 100_000, help: 'Labels that count as hard: the likeliest of those that a row has not.' }),
    confidenceLevel: real({ default: 0.95, min: 0.5, max: 0.999, help: 'Level of the intervals.' }),
  },
  start: () => balanceState(),
  add: (state, batch, chosen) => addBalance(state, batch, chosen),
  merge: (state, other) => mergeBalance(state, other),
  result: (state, chosen): Balance => balanceScores(state, chosen, chosen.confidenceLevel),
  report(r, { confidenceLevel }, subject) {
    const name = (c: number): string => subject.classes[c] ?? String(c);
    return {
      headline: balanceHeadline(r),
      intervals: balanceIntervals(r, confidenceLevel),
      cards: balanceCards(r, confidenceLevel, name),
      guide: balanceGuide(r),
      notes: balanceNotes(r, name),
    };
  },
});
