import { restrict } from '../graph/passes/prune.ts';
import type { Model } from '../graph/types.ts';
import type { Known } from './differentiate.ts';
import { gradients } from './reverse.ts';
import { castLike, num } from './shapes.ts';
import { logShares, ownAndOther, type UnitOptions, unitRecorder } from './unit-input.ts';

/** What is climbed: −ln softmax(scores/T)[label], or max_{j≠label} scores_j − scores_label. */
export type Climbed = 'loss' | 'margin';

/** Class scores of points and, where asked, which way an objective climbs, row by row. */
export interface SlopesGraph {
  readonly model: Model;
  /** `u` [N, …row], `low` and `span` […row]; with a slope `label`, int64 [N], and T, a scalar, of the loss. */
  readonly inputs: Readonly<Record<'u' | 'low' | 'span', string>> & Readonly<Partial<Record<'label' | 'temperature', string>>>;
  /** ln p, [N, C], and the slope, shaped as `u`. */
  readonly outputs: { readonly scores: string; readonly slope?: string };
  readonly classes?: number;
  /** The model gives probabilities that no logits lie behind. */
  readonly bare: boolean;
}

export const slopesGraph = (model: Model, known: Known, options: UnitOptions & { readonly of?: Climbed }): SlopesGraph => {
  const record = unitRecorder(model, known, options);
  const { emit, row, low, span } = record;
  const u = record.input('unit', ['N', ...row]);
  record.place(emit, u, options.input);
  for (const node of restrict(model.graph, [{ name: options.output }]).nodes) emit.node(node);
  const { rows, classes, bare } = logShares(emit, options);
  const inputs = { u, low, span };
  const scores = record.output(rows, 'scores', ['N', classes]);
  const told = { bare, ...(classes === undefined ? {} : { classes }) };
  if (!options.of) return { model: record.model(), inputs, outputs: { scores }, ...told };
  const label = record.input('label', ['N'], 'int64');
  const temperature = options.of === 'loss' ? { temperature: record.input('temperature', []) } : {};
  const objective = (): string => {
    if (temperature.temperature === undefined) {
      const { own, other } = ownAndOther(emit, rows, label);
      return emit.Sub(other, own);
    }
    const cooled = emit.LogSoftmax(emit.Div(rows, castLike(emit, temperature.temperature, rows)), { axis: 1 });
    return emit.Neg(ownAndOther(emit, cooled, label).own);
  };
  const total = emit.ReduceSum(objective(), { keepdims: 0 });
  const found = gradients(emit, total, [u]).get(u) ?? emit.Mul(num(emit, 0, u), u);
  const slope = record.output(found, 'slope', ['N', ...row]);
  return { model: record.model(), inputs: { ...inputs, label, ...temperature }, outputs: { scores, slope }, ...told };
};
