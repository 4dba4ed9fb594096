import type { Emit } from '../graph/emit.ts';
import { mixed } from './augment.ts';
import type { BatchView, Loss } from './define.ts';
import type { Picked } from './plan.ts';

const INT64 = 7;
const codes = { float32: 1, float64: 11 } as const;

/** Σ loss and Σ weight of a batch, their quotient, and the number of rows that are right: whose largest logit is the label's, unless the loss says otherwise. */
export interface Objective {
  readonly total: string;
  readonly weight: string;
  readonly mean: string;
  /** Number of rows. */
  readonly count: string;
  /** '' where rows are not right or wrong. */
  readonly correct: string;
  /** Loss of each row, [N], multiplied by its weights. */
  readonly perExample: string;
  /** Mean of the second loss, of a loss that has one. */
  readonly term?: string;
}

/** What a loss reads besides predictions and labels; `weights` multiply its rows. */
export interface ObjectiveView extends BatchView {
  readonly soft?: string;
  readonly weights?: string;
}
const bare: ObjectiveView = { own: {}, given: {} };

/** A second target of each row and the share of the first. */
interface Blend {
  readonly target: string;
  readonly share: string;
}
type Built = ReturnType<Loss['build']>;

/** share·ℓ(first) + (1 − share)·ℓ(second), weights alike; a row is right by its first target. */
const blended = (emit: Emit, a: Built, b: Built, share: string): Built => ({
  ...a,
  perExample: mixed(emit, a.perExample, b.perExample, share, 0),
  ...(a.weights === undefined || b.weights === undefined ? {} : { weights: mixed(emit, a.weights, b.weights, share, 0) }),
  ...(a.term === undefined || b.term === undefined ? {} : { term: mixed(emit, a.term, b.term, share, 0) }),
});

export const emitObjective = (
  emit: Emit,
  { part, chosen }: Picked<Loss>,
  hyper: Readonly<Record<string, string>>,
  logits: string,
  target: string,
  classes: number,
  blend?: Blend,
  { weights: rowWeights, ...view }: ObjectiveView = bare,
): Objective => {
  const build = (of: string) => part.build(emit, { ...view, logits, target: of, classes }, hyper, chosen);
  const {
    perExample: plain,
    weights,
    right,
    term,
  } = blend ? blended(emit, build(target), build(blend.target), blend.share) : build(target);
  const perExample = rowWeights === undefined ? plain : emit.Mul(rowWeights, plain);
  const code = emit.type(logits)?.dtype === 'float64' ? codes.float64 : codes.float32;
  const count = emit.Cast(emit.Size(perExample), { to: code });
  const total = emit.ReduceSum(perExample, { keepdims: 0 });
  const weight = weights === undefined ? count : emit.ReduceSum(weights, { keepdims: 0 });
  const hits = (): string => emit.Equal(emit.ArgMax(logits, { axis: 1, keepdims: 0 }), emit.Cast(target, { to: INT64 }));
  const sum = (rows: string | undefined): string => (rows === undefined ? '' : emit.ReduceSum(rows, { keepdims: 0 }));
  return {
    perExample,
    count,
    total,
    weight,
    mean: weights === undefined ? emit.ReduceMean(perExample, { keepdims: 0 }) : emit.Div(total, weight),
    ...(term === undefined ? {} : { term: emit.Div(sum(rowWeights === undefined ? term : emit.Mul(rowWeights, term)), weight) }),
    correct: sum(right ?? (part.target === 'class' ? emit.Cast(hits(), { to: code }) : undefined)),
  };
};
