import { choice, int, real } from '../../base/option.ts';
import { type Diagnostic, defineFold } from '../define.ts';
import { scoresOption } from '../scores-option.ts';
import { dilutionCards, dilutionGuide, dilutionHeadline, dilutionIntervals, dilutionNotes } from './dilution-cards.ts';
import { type Dilution, dilutionScores } from './dilution-scores.ts';
import { addGradients, dilutionState, mergeGradients } from './dilution-state.ts';

/** R_pos = Σ (1 − p_y) / Σ_{j≠y} p_j and R_hard = Σ_hard p / Σ_{j≠y} p_j, ratios of sums over rows; |∂L/∂z| = |p − y| of cross-entropy, and with the focal loss sums of its own |∂L/∂z|. */
export const gradientDilution: Diagnostic = defineFold({
  id: 'gradient-dilution',
  title: 'Gradient Dilution',
  family: 'training',
  question: 'With many classes: does each one still receive gradient from its own rows, or do the others drown it?',
  source: 'arXiv:2503.18430; card 02-cq-dino. The two ratios are direct definitions of ours',
  needs: ['labels', 'logits', 'rows'],
  numbers: [
    ...['rows', 'classes', 'hard_share', 'positive_to_negative', 'positive_to_mean_negative', 'subset_slope'],
    ...['rare', 'common', 'frequent'].flatMap((bin) => [`classes_${bin}`, `positive_to_negative_${bin}`, `recall_${bin}`]),
  ],
  options: {
    activation: choice({
      default: 'softmax',
      of: ['softmax', 'sigmoid'],
      help: 'How the model was trained: classes that share one softmax, or one sigmoid each.',
    }),
    loss: choice({
      default: 'cross-entropy',
      of: ['cross-entropy', 'focal'],
      help: 'The loss it was trained with.',
    }),
    alpha: real({
      default: 0.25,
      min: 0,
      max: 1,
      help: 'Weight of the own class, with the focal loss of sigmoids; others weigh 1 − alpha.',
    }),
    gamma: real({ default: 2, min: 0, max: 10, help: 'Exponent of the focal loss.' }),
    hard: choice({
      default: 'top-k',
      of: ['top-k', 'threshold'],
      help: 'Which other classes count as hard: those with the largest scores, or above a probability.',
    }),
    k: int({ default: 10, min: 1, max: 100_000, help: 'Number of hard classes of a row, with hard top-k.' }),
    threshold: real({ default: 0.1, min: 0, max: 1, help: 'Probability above which another class is hard, with hard threshold.' }),
    rare: int({ default: 10, min: 1, max: 1e9, help: 'Classes with at most so many rows are rare.' }),
    common: int({ default: 100, min: 1, max: 1e9, help: 'Classes with more rows than this are frequent, those between common.' }),
    confidenceLevel: real({ default: 0.95, min: 0.5, max: 0.999, help: 'Level of the intervals.' }),
    logits: scoresOption,
  },
  start: (_, { scores }) => dilutionState(scores === 'probabilities'),
  add: (state, batch, chosen) => addGradients(state, batch, chosen),
  merge: (state, other) => mergeGradients(state, other),
  result: (state, chosen, job): Dilution => dilutionScores(state, chosen, job.random('subsets')),
  report: (r, chosen, subject) => ({
    headline: dilutionHeadline(r, chosen),
    intervals: dilutionIntervals(r, chosen),
    cards: dilutionCards(r, chosen, (c) => subject.classes[c] ?? String(c)),
    guide: dilutionGuide(r, chosen),
    notes: dilutionNotes(r),
  }),
});
