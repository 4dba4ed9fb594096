import { defineSampler, type Sampler } from '../define-run.ts';

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
  epoch({ count, classes, labels }, _, __, random) {
    const rows: number[][] = Array.from({ length: classes }, () => []);
    for (let i = 0; i < count; i++) rows[labels[i]].push(i);
    const present = rows.flatMap((own, c) => (own.length > 0 ? [c] : []));
    const at = rows.map((own) => own.length);
    const places = new Float64Array(count);
    const round = [...present];
    for (let i = 0; i < count; i++) {
      const turn = i % present.length;
      if (turn === 0) random.shuffle(round);
      const c = round[turn];
      if (at[c] === rows[c].length) {
        random.shuffle(rows[c]);
        at[c] = 0;
      }
      places[i] = rows[c][at[c]++];
    }
    return { places };
  },
});
