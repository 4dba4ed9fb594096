import type { Emit } from '../../graph/emit.ts';
import type { StepView } from '../define.ts';

/** A trained tensor before and after the step. */
interface Moved {
  readonly name: string;
  readonly before: string;
  readonly after: string;
}

/** The weights: tensors of at least two axes, or all where there are none. */
export const weightsOf = ({ parameters, after }: Pick<StepView, 'parameters' | 'after'>): readonly Moved[] => {
  const all = parameters.map(({ name, value, dims }, i) => ({ name, before: value, after: after[i], axes: dims.length }));
  const weights = all.filter((p) => p.axes > 1);
  return weights.length > 0 ? weights : all;
};

/** Δθ = θ⁺ − θ: ‖Δθ‖/‖θ‖, or that of its part across θ. */
export const stepLength = (emit: Emit, { before, after }: Pick<Moved, 'before' | 'after'>, across: boolean): string => {
  const sum = (v: string): string => emit.ReduceSum(v, { keepdims: 0 });
  const length = (v: string): string => emit.call('ReduceL2', [v], { keepdims: 0 });
  const step = emit.Sub(after, before);
  if (!across) return emit.Div(length(step), emit.Max(length(before), emit.scalar(1e-12)));
  const squares = emit.Max(sum(emit.Mul(before, before)), emit.scalar(1e-24));
  const along = emit.Mul(before, emit.Div(sum(emit.Mul(step, before)), squares));
  return emit.Div(length(emit.Sub(step, along)), emit.Sqrt(squares));
};
