import { Fault } from '../../base/fault.ts';
import { argmax } from '../../base/maths/argmax.ts';
import { choice, int, real, text } from '../../base/option.ts';
import { type Diagnostic, defineFold } from '../define.ts';
import { scoresOption } from '../scores-option.ts';
import { keepFirst } from '../selection.ts';
import { confusionCards } from './confusion-cards.ts';
import { type Costs, cheapest, readCosts } from './confusion-costs.ts';
import { confusionGuide } from './confusion-guide.ts';
import { confusionHeadline, confusionIntervals, confusionNumbers } from './confusion-headline.ts';
import { orders } from './confusion-order.ts';
import { type Confusion, confusionScores } from './confusion-scores.ts';

interface State {
  classes: number;
  /** Row-major, actual × predicted. */
  counts: Float64Array;
  /** Cell → its first rows. */
  readonly first: Map<number, number[]>;
  readonly costs: Costs | null;
  /** Of answers of least expected cost: Σ, Σ² of what they cost, and how many differ from the most probable one. */
  cheap: number;
  cheap2: number;
  changed: number;
}

/** Answers of least expected cost take K² steps a row: they are tried up to this many classes. */
const DECIDED = 64;

/** Rows kept of a cell: 24, fewer of many classes, so that a million cells stay small. */
const rowsKept = (classes: number): number => Math.max(2, Math.min(24, Math.floor(2 ** 21 / classes ** 2)));

const widen = (state: State, classes: number): void => {
  if (state.classes === 0) {
    state.classes = classes;
    state.counts = new Float64Array(classes * classes);
    if (state.costs && state.costs.classes !== classes)
      throw new Fault('diagnostic/width', { found: classes, expected: state.costs.classes });
  } else if (state.classes !== classes) throw new Fault('diagnostic/width', { found: classes, expected: state.classes });
};

/** Counts of actual × predicted class; the predicted class is the most probable one, the lowest index on ties. */
export const confusionMatrix: Diagnostic = defineFold({
  id: 'confusion-matrix',
  title: 'Confusion Matrix',
  family: 'metrics',
  question: 'Which classes are mistaken for which, and how well is each one found?',
  source: 'doi:10.1016/j.ipm.2009.03.002; arXiv:2309.14621',
  numbers: confusionNumbers,
  needs: ['labels', 'probs', 'rows'],
  options: {
    order: choice({
      default: 'auto',
      of: orders,
      help: 'Order of the classes in the grid. Similarity puts classes that are confused beside each other; auto does so above 30 classes.',
    }),
    drawn: int({ default: 100, min: 2, max: 1000, help: 'Most classes in the grid: those with most mistakes. Tables cover all.' }),
    costs: text({
      default: '',
      reads: true,
      contents: true,
      help: 'CSV file of what each answer costs, a line for each actual class and a column for each predicted one.',
    }),
    confidenceLevel: real({ default: 0.95, min: 0.5, max: 0.999, help: 'Level of the intervals.' }),
    logits: scoresOption,
  },
  start: ({ costs }, { classes }): State => ({
    classes: 0,
    counts: new Float64Array(0),
    first: new Map(),
    costs: costs === '' ? null : readCosts(costs, classes),
    cheap: 0,
    cheap2: 0,
    changed: 0,
  }),
  add(state, { labels, probs, rows }) {
    if (probs.rows === 0) return;
    widen(state, probs.cols);
    const [K, most] = [probs.cols, rowsKept(probs.cols)];
    const costs = K <= DECIDED ? state.costs : null;
    for (let i = 0; i < probs.rows; i++) {
      const label = labels[i];
      if (!(label >= 0 && label < K)) throw new Fault('diagnostic/label', { row: rows[i], label, classes: K });
      const answer = argmax(probs.data, i * K, K);
      const cell = label * K + answer;
      state.counts[cell]++;
      const kept = state.first.get(cell);
      if (kept) keepFirst(kept, rows[i], most);
      else state.first.set(cell, [rows[i]]);
      if (!costs) continue;
      const best = cheapest(probs.data, i * K, costs);
      const cost = costs.values[label * K + best];
      state.cheap += cost;
      state.cheap2 += cost * cost;
      if (best !== answer) state.changed++;
    }
  },
  merge(state, other) {
    if (other.classes === 0) return;
    widen(state, other.classes);
    other.counts.forEach((n, cell) => {
      state.counts[cell] += n;
    });
    const most = rowsKept(state.classes);
    for (const [cell, rows] of other.first) {
      const kept = state.first.get(cell) ?? [];
      state.first.set(cell, kept);
      for (const row of rows) keepFirst(kept, row, most);
    }
    state.cheap += other.cheap;
    state.cheap2 += other.cheap2;
    state.changed += other.changed;
  },
  result: (state, { confidenceLevel }): Confusion => confusionScores(state, confidenceLevel, state.classes <= DECIDED ? state : null),
  report(result, chosen, subject) {
    const names = Array.from({ length: result.classes }, (_, k) => subject.classes[k] ?? String(k));
    const intervals = confusionIntervals(result, chosen.confidenceLevel);
    return {
      headline: confusionHeadline(result),
      intervals,
      cards: confusionCards(result, names, intervals, chosen),
      guide: confusionGuide(result, names, chosen.confidenceLevel),
    };
  },
});
