import { Fault } from '../../base/fault.ts';
import { argmax } from '../../base/maths/argmax.ts';
import { wilson } from '../../base/maths/proportion.ts';
import { real } from '../../base/option.ts';
import type { Interval } from '../../report/report.ts';
import { type Diagnostic, defineFold } from '../define.ts';
import { scoresOption } from '../scores-option.ts';
import { keepFirst } from '../selection.ts';
import { averages, classScores } from './class-scores.ts';
import { type Confusion, confusionCards } from './confusion-cards.ts';
import { confusionGuide } from './confusion-guide.ts';

interface State {
  classes: number;
  /** Row-major, actual × predicted. */
  counts: Float64Array;
  /** Cell → its first rows. */
  first: Map<number, number[]>;
}

const widen = (state: State, classes: number): void => {
  if (state.classes === 0) {
    state.classes = classes;
    state.counts = new Float64Array(classes * classes);
  } else if (state.classes !== classes) throw new Fault('diagnostic/width', { found: classes, expected: state.classes });
};

/** Counts of actual × predicted class; the predicted class is the most probable one, the lowest index on ties. */
export const confusionMatrix: Diagnostic = defineFold({
  id: 'confusion-matrix',
  title: 'Confusion Matrix',
  family: 'metrics',
  question: 'Which classes are mistaken for which, and how well is each one found?',
  source: 'doi:10.1016/j.ipm.2009.03.002; arXiv:2309.14621',
  needs: ['labels', 'probs', 'rows'],
  options: {
    confidenceLevel: real({ default: 0.95, min: 0.5, max: 0.999, help: 'Level of the intervals of accuracy, precision, recall and F1.' }),
    logits: scoresOption,
  },
  start: (): State => ({ classes: 0, counts: new Float64Array(0), first: new Map() }),
  add(state, { labels, probs, rows }) {
    if (probs.rows === 0) return;
    widen(state, probs.cols);
    for (let i = 0; i < probs.rows; i++) {
      const label = labels[i];
      if (!(label >= 0 && label < probs.cols)) throw new Fault('diagnostic/label', { row: rows[i], label, classes: probs.cols });
      const cell = label * probs.cols + argmax(probs.data, i * probs.cols, probs.cols);
      state.counts[cell]++;
      const kept = state.first.get(cell);
      if (kept) keepFirst(kept, rows[i]);
      else state.first.set(cell, [rows[i]]);
    }
  },
  merge(state, other) {
    if (other.classes === 0) return;
    widen(state, other.classes);
    other.counts.forEach((n, cell) => {
      state.counts[cell] += n;
    });
    for (const [cell, rows] of other.first) {
      const kept = state.first.get(cell) ?? [];
      state.first.set(cell, kept);
      for (const row of rows) keepFirst(kept, row);
    }
  },
  result(state, { confidenceLevel }): Confusion {
    const scores = classScores(state.counts, state.classes, confidenceLevel);
    const mean = averages(scores);
    const rows = scores.reduce((n, s) => n + s.rows, 0);
    const hits = scores.reduce((n, s) => n + s.hits, 0);
    return {
      classes: state.classes,
      counts: state.counts,
      first: new Map([...state.first].sort(([a], [b]) => a - b)),
      scores,
      mean,
      rows,
      accuracyInterval: wilson(hits, rows, confidenceLevel),
    };
  },
  report(result, { confidenceLevel }, subject) {
    const names = Array.from({ length: result.classes }, (_, k) => subject.classes[k] ?? String(k));
    const { mean, accuracyInterval } = result;
    const accuracy: Interval | null = accuracyInterval && {
      low: accuracyInterval[0],
      high: accuracyInterval[1],
      level: confidenceLevel,
      method: 'Wilson',
    };
    return {
      headline: {
        accuracy: mean.accuracy,
        macro_f1: mean.macroF1,
        macro_precision: mean.macroPrecision,
        macro_recall: mean.macroRecall,
        weighted_f1: mean.weightedF1,
        weighted_precision: mean.weightedPrecision,
        weighted_recall: mean.weightedRecall,
        micro_f1: mean.microF1,
        balanced_accuracy: mean.balancedAccuracy,
        cohen_kappa: mean.cohenKappa,
        mcc: mean.mcc,
        majority_rate: mean.majority,
        classes: result.classes,
        rows: result.rows,
      },
      intervals: accuracy ? { accuracy, micro_f1: accuracy, weighted_recall: accuracy } : {},
      cards: confusionCards(result, names, accuracy),
      guide: confusionGuide(result, names, confidenceLevel),
    };
  },
});
