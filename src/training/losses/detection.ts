import { flag, int, real } from '../../base/option.ts';
import type { Emit } from '../../graph/emit.ts';
import { defineLoss, type Loss } from '../define.ts';
import { focalEach } from './sigmoid-focal.ts';
import { softplus } from './softplus.ts';

const codes = { float32: 1, float64: 11 } as const;

/** Columns `from` to `to` of rows. */
const columns = (emit: Emit, rows: string, from: number, to: number): string =>
  emit.Slice(emit.Reshape(rows, emit.ints([0, -1])), emit.ints([from]), emit.ints([to]), emit.ints([1]));

/** Σ/N_f over the rows of a batch, as the paper has it; a batch without foreground is divided by 1. */
export const detection: Loss = defineLoss({
  id: 'detection',
  source: 'arXiv:1909.04868 (RetinaNet without sampling); card 01-sampling-free',
  about:
    'For a dense detector whose rows are anchors: the first outputs are classes with a sigmoid each, all others numbers of a box. The data give as many numbers by row, 0 or 1 for each class and what the box should be. No anchor is sampled or weighed; start it with biasInit optimal. The loss shown is that of classes; that of boxes is a term of its own, which lossScaling guided reads.',
  formula: [
    'L_cls = Σ over anchors and classes of [max(z, 0) − z y + ln(1 + e^{−|z|})] / max(1, N_f), or / (N_f + images)',
    'focal: Σ of −α (1 − p)^γ ln p for ones and −(1 − α) p^γ ln(1 − p) for zeros, p = σ(z), in its place',
    'L_box = Σ over foreground anchors of smooth-L1_β(v − v*) / max(1, N_f)',
  ],
  options: {
    classes: int({
      default: 1,
      min: 1,
      max: 1e6,
      help: 'How many of the outputs are classes, the first; the others are numbers of a box.',
    }),
    focal: flag({
      default: false,
      help: 'Weighs rows down that are right already, as focal loss does: what training without sampling is compared with.',
    }),
    alpha: real({ default: 0.25, min: 0, max: 1, help: 'With focal: what ones weigh; zeros weigh 1 − alpha.' }),
    gamma: real({ default: 2, min: 0, max: 10, help: 'With focal: how much less weighs what is right already.' }),
    anchors: int({
      default: 0,
      min: 0,
      max: 1e9,
      help: "Anchors of an image: the loss of classes is then divided by foreground anchors and images together, as RetinaNet's code does; 0 divides it by foreground alone.",
    }),
    beta: real({ default: 0.11, min: 1e-6, max: 1e6, help: 'Where smooth-L1 turns from square to line.' }),
  },
  baseline: null,
  target: 'scores',
  scores: '0 or 1 for each class, then the numbers that the box should have',
  twofold: true,
  marks: ({ classes }) => classes,
  refuses: ({ outputs }, { classes }) =>
    classes > outputs ? `takes ${classes} classes, and a row has ${outputs} numbers; set classes to at most that` : undefined,
  build(emit, { logits, target }, { alpha, beta, gamma }, { anchors, classes, focal }) {
    const [z, y] = [columns(emit, logits, 0, classes), columns(emit, target, 0, classes)];
    const axis = emit.ints([1]);
    const sum = (v: string): string => emit.ReduceSum(v, axis, { keepdims: 0 });
    const one = emit.scalar(1);
    const foreground = emit.Min(sum(y), one);
    const found = emit.ReduceSum(foreground, { keepdims: 0 });
    const rows = emit.Cast(emit.Size(foreground), { to: codes[emit.type(logits)?.dtype === 'float64' ? 'float64' : 'float32'] });
    // Σ of these is max(1, N_f), or N_f and the images.
    const floored = emit.Add(foreground, emit.Div(emit.Relu(emit.Sub(one, found)), rows));
    const weights = anchors > 0 ? emit.Add(foreground, emit.scalar(1 / anchors)) : floored;
    const [v, due] = [columns(emit, logits, classes, 2 ** 31 - 1), columns(emit, target, classes, 2 ** 31 - 1)];
    const size = emit.Abs(emit.Sub(v, due));
    const inner = emit.Min(size, beta);
    // ½m²/β + (|d| − m) with m = min(|d|, β).
    const smooth = emit.Add(emit.Div(emit.Mul(emit.scalar(0.5), emit.Mul(inner, inner)), beta), emit.Sub(size, inner));
    // Boxes are divided by foreground in either case.
    const total = (of: string): string => emit.ReduceSum(of, { keepdims: 0 });
    const own = emit.Mul(foreground, sum(smooth));
    return {
      perExample: sum(focal ? focalEach(emit, z, y, alpha, gamma) : emit.Sub(softplus(emit, z), emit.Mul(z, y))),
      weights,
      term: anchors > 0 ? emit.Mul(own, emit.Div(total(weights), total(floored))) : own,
    };
  },
});
