import { defineSampler, type Sampler } from '../define-run.ts';
import { turnsOf } from './turns.ts';

/**
 * As many rows as there are, each class as often: classes take turns in an order drawn for every round, and each class goes
 * through its rows in an order drawn anew whenever they are used up.
 */
export const balanced: Sampler = defineSampler({
  id: 'balanced',
  source: 'Shen et al. 2016, arXiv:1512.05830, section 3 (class-aware sampling)',
  about: 'Shows every class equally often, however many rows it has.',
  formula: ['P(row i) = 1 / (C · N_c), c the class of row i'],
  options: {},
  baseline: 'shuffle',
  needs: ['classes'],
  epoch({ count, labels }, _, __, random) {
    const { groups, next } = turnsOf(labels, count, random);
    const places = new Float64Array(count);
    const round = [...groups];
    for (let i = 0; i < count; i++) {
      const turn = i % groups.length;
      if (turn === 0) random.shuffle(round);
      places[i] = next(round[turn]);
    }
    return { places };
  },
});
