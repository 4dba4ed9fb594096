import { Fault } from '../../base/fault.ts';
import { int } from '../../base/option.ts';
import { defineSampler, type Sampler } from '../define-run.ts';
import { turnsOf } from './turns.ts';

/**
 * Every step holds P = B/M different classes, drawn evenly, and M rows of each. A class goes through its rows in an order drawn anew
 * whenever they are used up, so one of fewer than M rows repeats some; one of a single row has no positive pair and is left out.
 */
export const mPerClass: Sampler = defineSampler({
  id: 'm-per-class',
  source: 'arXiv:2003.08505, section 4 (batches of P classes times M samples); card 00-metric-learning-common',
  about:
    'For losses on pairs of rows: every batch holds the same number of rows of each of its classes, so that no row is without a partner.',
  formula: ['P = B/M classes a step, M rows of each', 'steps of an epoch = max(1, ⌊N/B⌋)'],
  options: { instances: int({ default: 5, min: 2, max: 100_000, help: 'Rows M of a class in one step; the batch is a multiple of it.' }) },
  baseline: 'shuffle',
  needs: ['classes'],
  epoch({ count, labels }, { batch }, _, random, { instances }) {
    const { groups, several, size } = turnsOf(labels, count, random);
    const able = groups.filter((g) => size(g) > 1);
    if (able.length < 2 || batch % instances !== 0 || batch < 2 * instances || batch > able.length * instances)
      throw new Fault('training/class-batch', { batch, instances, classes: able.length });
    const steps = Math.max(1, Math.floor(count / batch));
    return {
      places: Float64Array.from(
        Array.from({ length: steps }, () =>
          random
            .shuffle([...able])
            .slice(0, batch / instances)
            .flatMap((g) => several(g, instances)),
        ).flat(),
      ),
    };
  },
});
