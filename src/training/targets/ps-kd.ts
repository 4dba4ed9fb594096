import { Fault } from '../../base/fault.ts';
import { real } from '../../base/option.ts';
import { defineTargets, type Kept, type RowFacts, type Targets } from '../define-run.ts';

/** Of the two tables of shares, in float64. */
const LIMIT = 2 ** 31;

/** One share of 1 for the label of each row. */
const hard = ({ count, classes, labels }: RowFacts): Float64Array => {
  const table = new Float64Array(count * classes);
  for (let i = 0; i < count; i++) table[i * classes + labels[i]] = 1;
  return table;
};

/**
 * `past` holds the shares of the epoch before, `now` those of the epoch under way, which `epoch` numbers: a row that is drawn twice in
 * an epoch has the same target both times, however the steps are cut into calls.
 */
const start = (rows: RowFacts): Kept => {
  const bytes = 2 * 8 * rows.count * rows.classes;
  if (bytes > LIMIT)
    throw new Fault('training/target-store', { targets: 'ps-kd', rows: rows.count, classes: rows.classes, bytes, limit: LIMIT });
  return { past: hard(rows), now: hard(rows), epoch: Float64Array.of(0) };
};

/** What the model last said of each row while it trained on it becomes a growing share of the row's target. */
export const psKd: Targets = defineTargets({
  id: 'ps-kd',
  source: 'Kim, Ji, Yoon, Hwang 2021, ICCV, arXiv:2006.12000; the schedule and store of its reference implementation',
  about:
    "Trains towards a mix of the label and the model's own prediction of the epoch before, read off the training pass, so nothing is computed twice. Softer targets calibrate, and rows whose label the model keeps doubting are listed: candidates for wrong labels.",
  formula: [
    'α_t = α_T · (t + 1)/E for epochs t = 0 … E − 1; P_i^{−1} = onehot(y_i)',
    's_i = (1 − α_t) · onehot(y_i) + α_t · P_i^{t−1}',
    'ℓ = −(1/B) Σ_i Σ_c s_ic log softmax(z_i)_c; ∂ℓ/∂z = (softmax(z) − s)/B',
    'P_i^t = softmax(z_i) of the same pass, before the update',
  ],
  options: {
    alphaT: real({ default: 0.8, min: 0, max: 1, help: "Share of the model's own prediction in the last epoch's targets." }),
  },
  baseline: 'labels',
  table: {
    reads: ['probs'],
    start,
    shares({ past, now, epoch }, places, { classes, labels }, moment, { alphaT }) {
      const alpha = alphaOf(moment, alphaT);
      const before = moment.epoch === epoch[0] ? past : now;
      const out = new Float64Array(places.length * classes);
      for (let i = 0; i < places.length; i++) {
        for (let c = 0; c < classes; c++) out[i * classes + c] = alpha * before[places[i] * classes + c];
        out[i * classes + labels[places[i]]] += 1 - alpha;
      }
      return out;
    },
    tell({ past, now, epoch }, places, { probs = [] }, { classes }, _, moment) {
      if (epoch[0] !== moment.epoch) {
        past.set(now);
        epoch[0] = moment.epoch;
      }
      for (let i = 0; i < places.length; i++) {
        const row = Float64Array.from({ length: classes }, (_, c) => probs[i * classes + c]);
        // A step that was left out for not being finite says nothing.
        if (row.every(Number.isFinite)) now.set(row, places[i] * classes);
      }
    },
    lines: (moment, { alphaT }) => ({ 'share of the own prediction': alphaOf(moment, alphaT) }),
    said: ({ now }) => now,
  },
});

const alphaOf = ({ epoch, epochs }: { readonly epoch: number; readonly epochs: number }, alphaT: number): number =>
  (alphaT * (epoch + 1)) / epochs;
