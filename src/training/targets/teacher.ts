import { real, text } from '../../base/option.ts';
import { defineTargets, type Targets } from '../define-run.ts';
import { softened } from '../softened.ts';

/** softmax(z_teacher / T) of every row, shares·(1 − weight) of the label mixed in. */
export const teacher: Targets = defineTargets({
  id: 'teacher',
  source: 'arXiv:1503.02531, section 2; arXiv:1511.04508 (defensive distillation)',
  about: 'Trains towards what another model says of the rows, rather than towards their labels alone.',
  formula: ['s = weight · softmax(z_teacher/T) + (1 − weight) · onehot(y)', 'ℓ = −Σ_c s_c log softmax(z/T)_c'],
  options: {
    model: text({ default: '', reads: true, help: 'The teacher, an ONNX model of the same classes, relative to this file.' }),
    temperature: real({ default: 2, min: 0.01, max: 1000, help: 'Divides the logits of both, teacher and student, while it trains.' }),
    weight: real({ default: 1, min: 0, max: 1, help: "Share of the teacher's word; the rest is the label's." }),
  },
  baseline: 'labels',
  table: {
    teacher: ({ model }) => model,
    start({ count, classes }, logits, { temperature }) {
      return { table: softened(logits ?? new Float64Array(count * classes), classes, temperature) };
    },
    shares({ table }, places, { classes, labels }, _, { weight }) {
      const out = new Float64Array(places.length * classes);
      for (let i = 0; i < places.length; i++) {
        for (let c = 0; c < classes; c++) out[i * classes + c] = weight * table[places[i] * classes + c];
        out[i * classes + labels[places[i]]] += 1 - weight;
      }
      return out;
    },
    temperature: ({ temperature }) => temperature,
  },
});
