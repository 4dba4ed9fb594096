import { normalQuantile } from '../../base/maths/normal.ts';
import { choice, flag, int, pick, real } from '../../base/option.ts';
import { type Diagnostic, defineFold } from '../define.ts';
import { discoveryCards, discoveryHeadline, discoveryIntervals } from './discovery-cards.ts';
import { discoveryGuide, discoveryNotes } from './discovery-guide.ts';
import { type Discovery, discoveryScores } from './discovery-scores.ts';
import { addDiscovery, discoveryState, mergeDiscovery } from './discovery-state.ts';

export const discoveryMetrics: Diagnostic = defineFold({
  id: 'discovery-metrics',
  title: 'Discovery Metrics',
  family: 'metrics',
  question:
    'If rows are acted on where the predicted number passes a threshold, how often is that right, and how far down the list does it pay?',
  source: 'arXiv:2308.14920; card 53-discovery-metrics',
  needs: ['targets', 'predictions', 'rows', 'groups'],
  missing: true,
  options: {
    threshold: real({ default: 0, min: -1e30, max: 1e30, help: 'Value of the target at which a row is worth acting on.' }),
    direction: choice({
      default: 'below',
      of: ['below', 'above'],
      help: 'Which side of the threshold is worth acting on; the threshold itself is.',
    }),
    topK: int({
      default: 0,
      min: 0,
      max: 1_000_000,
      help: 'How many rows, best predicted first, are judged apart; 0 is a tenth of them, at most 10,000.',
    }),
    missing: choice({
      default: 'as-negative',
      of: ['as-negative', 'leave-out'],
      help: 'Whether a row without a prediction counts as one that is left, or not at all.',
    }),
    window: real({ default: 0.04, min: 1e-12, max: 1e12, help: 'Width of the rolling error’s window, in units of the target.' }),
    dedupe: choice({ default: 'off', of: ['off', 'first-per-group'], help: 'Whether to judge also only the first row of every group.' }),
    group: pick({ default: '', from: 'column', help: 'Column of the groups to deduplicate by; where none is named, the column group.' }),
    id: pick({ default: '', from: 'column', help: 'Column of ids: rows given twice are then refused.' }),
    trueQuantity: pick({
      default: '',
      from: 'column',
      help: 'Where predictions are of another quantity, at a known offset from the target: the column of its true values. Errors in it carry over one to one.',
    }),
    predictedQuantity: pick({
      default: '',
      from: 'column',
      help: 'Column of the predictions of that quantity, where they are not the predictions themselves.',
    }),
    entry: int({
      default: 0,
      min: 0,
      max: 1_000_000,
      help: 'Which value of an output of several is the prediction, from 1; 0 expects a single one.',
    }),
    compare: flag({ default: false, help: 'Take every value of an output of several as the prediction of another model, and rank them.' }),
    confidenceLevel: real({ default: 0.95, min: 0.5, max: 0.999, help: 'Level of the intervals.' }),
  },
  start: ({ topK }) => discoveryState(topK),
  add: (state, batch, options) => addDiscovery(state, batch, options),
  merge: (state, other) => mergeDiscovery(state, other),
  result: (state, options): Discovery => discoveryScores(state, options, options.confidenceLevel),
  report: (d, options, { predictions = [] }) => ({
    headline: discoveryHeadline(d),
    intervals: discoveryIntervals(d, options.confidenceLevel),
    cards: discoveryCards(d, options, predictions, options.confidenceLevel, normalQuantile((1 + options.confidenceLevel) / 2)),
    guide: discoveryGuide(d, options, predictions),
    notes: discoveryNotes(d, options),
  }),
});
