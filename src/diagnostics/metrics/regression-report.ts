import { flag, int, real } from '../../base/option.ts';
import { type Diagnostic, defineFold } from '../define.ts';
import { regressionCards, regressionHeadline, regressionIntervals, regressionNumbers } from './regression-cards.ts';
import { missingNote, regressionGuide } from './regression-guide.ts';
import { pairRegressionRuns } from './regression-pairs.ts';
import { type Regression, regressionScores } from './regression-scores.ts';
import { addRegression, mergeRegression, regressionState } from './regression-state.ts';

/** Keeps prediction and target in float64, 16 bytes a row (8 more for every model compared): the ranks of both and the fitted curve need the pairs. */
export const regressionReport: Diagnostic = defineFold({
  id: 'regression-report',
  title: 'Regression Report',
  family: 'metrics',
  question: 'How far are predicted numbers from the true ones, do they rank the rows right, and is only their scale wrong?',
  source: 'arXiv:2409.16271; doi:10.1007/BF02294183; card 39-iqa-regression-and-mac-budget',
  numbers: regressionNumbers,
  pairRuns: pairRegressionRuns,
  needs: ['targets', 'predictions', 'rows'],
  options: {
    entry: int({
      default: 0,
      min: 0,
      max: 1_000_000,
      help: 'Which value of an output of several is the prediction, from 1; 0 expects a single one.',
    }),
    compare: flag({ default: false, help: 'Take every value of an output of several as the prediction of another model, and rank them.' }),
    confidenceLevel: real({ default: 0.95, min: 0.5, max: 0.999, help: 'Level of the intervals.' }),
  },
  start: () => regressionState(),
  add: (state, batch, { entry, compare }) => addRegression(state, batch, entry, compare),
  merge: (state, other) => mergeRegression(state, other),
  result: (state, { confidenceLevel }): Regression => regressionScores(state, confidenceLevel),
  report: (r, { confidenceLevel }, { predictions = [] }) => ({
    headline: regressionHeadline(r),
    intervals: regressionIntervals(r, confidenceLevel),
    cards: regressionCards(r, confidenceLevel, predictions),
    guide: regressionGuide(r, confidenceLevel, predictions),
    notes: [
      ...missingNote(r.missing, r.missingRows),
      ...(r.fitted?.kind === 'line'
        ? ['The relation is almost straight, so the parameters of the logistic curve are not determined; a line was fitted instead.']
        : []),
      ...(r.rows > 0 && r.rows < 4 ? ['A curve needs at least 4 rows, so none was fitted.'] : []),
    ],
  }),
});
