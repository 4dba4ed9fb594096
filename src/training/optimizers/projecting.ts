import { type RealOption, real } from '../../base/option.ts';
import { sizeOf } from '../../base/tensor.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Update } from '../define.ts';

export const projecting: Readonly<Record<'delta' | 'wdRatio', RealOption>> = {
  delta: real({
    default: 0.1,
    min: 0,
    max: 1000,
    help: 'A weight counts as scale-invariant where every |cos(g, w)| is below delta/√length; 0 never projects.',
  }),
  wdRatio: real({ default: 0.1, min: 0, max: 1, help: 'What is left of the weight decay where the step is projected.' }),
};

export const projectionMonitors = [
  'weight-norm',
  { id: 'update-ratio', weights: true },
  { id: 'effective-step', weights: true },
  'projection',
] as const;

export const projectionRemarks = (
  parameters: readonly { readonly dims: readonly number[] }[],
  { delta }: { readonly delta: number },
): readonly string[] => [
  ...(delta > 1
    ? [
        `A delta of ${delta} projects steps of weights whose scale does matter, too: the paper has 0.1, and above 1 the test hardly tells them apart.`,
      ]
    : []),
  ...(parameters.some(({ dims }) => dims.length > 1)
    ? []
    : ['No trained parameter has two axes, so there is nothing to project: the run is that of the optimizer without it.']),
];

/** Names of booleans: whether the rows of output channels pass the test, and whether they do not but the whole tensor does. */
export interface Views {
  readonly channel: string;
  readonly layer: string;
}

const keep = { keepdims: 1 };
/** Axes that a view sums over: all but the channels', or all. */
const axesOf = (emit: Emit, dims: readonly number[], channels: number): string =>
  emit.ints(dims.flatMap((_, axis) => (axis === channels ? [] : [axis])));
const sums = (emit: Emit, value: string, axes: string): string => emit.ReduceSum(value, axes, keep);

/** max_r |⟨g_r, w_r⟩| / max(‖g_r‖‖w_r‖, ε) < δ/√k over the rows of a view, k entries each. */
const passes = (emit: Emit, param: string, grad: string, axes: string, length: number, delta: string, eps: string): string => {
  const norm = (v: string): string => emit.call('ReduceL2', [v, axes], keep);
  const cosine = emit.Div(emit.Abs(sums(emit, emit.Mul(grad, param), axes)), emit.Max(emit.Mul(norm(grad), norm(param)), eps));
  return emit.Less(emit.ReduceMax(cosine, { keepdims: 0 }), emit.Div(delta, emit.scalar(Math.sqrt(length))));
};

/** The view that a weight of at least two axes is scale-invariant in, if any: channels are tried first. Others are never projected. */
export const viewsOf = (
  emit: Emit,
  { param, grad, dims, channels }: Pick<Update, 'param' | 'grad' | 'channels'> & { readonly dims: readonly number[] },
  delta: string,
  eps: string,
): Views | undefined => {
  if (dims.length < 2) return undefined;
  const size = sizeOf(dims);
  const channel = passes(emit, param, grad, axesOf(emit, dims, channels), size / dims[channels], delta, eps);
  const whole = passes(emit, param, grad, axesOf(emit, dims, -1), size, delta, eps);
  return { channel, layer: emit.And(emit.Not(channel), whole) };
};

/** d − n⟨n, d⟩ in the view that passes, n = w/(‖w‖ + ε) by its rows, and the factor of the weight decay. Both as given where none does. */
export const projected = (
  emit: Emit,
  update: Pick<Update, 'param' | 'grad' | 'channels'>,
  direction: string,
  { delta, wdRatio, eps }: Readonly<Record<'delta' | 'wdRatio' | 'eps', string>>,
): { readonly direction: string; readonly decay: string } => {
  const { param, channels } = update;
  const dims = (emit.type(param)?.dims ?? []).map(Number);
  const views = viewsOf(emit, { ...update, dims }, delta, eps);
  if (!views) return { direction, decay: emit.scalar(1) };
  const across = (axes: string): string => {
    const unit = emit.Div(param, emit.Add(emit.call('ReduceL2', [param, axes], keep), eps));
    return emit.Sub(direction, emit.Mul(unit, sums(emit, emit.Mul(unit, direction), axes)));
  };
  const byLayer = emit.Where(views.layer, across(axesOf(emit, dims, -1)), direction);
  return {
    direction: emit.Where(views.channel, across(axesOf(emit, dims, channels)), byLayer),
    decay: emit.Where(emit.Or(views.channel, views.layer), wdRatio, emit.scalar(1)),
  };
};

/** θ·(1 − lr·λ·ρ). */
export const decayed = (emit: Emit, param: string, rate: string, ratio: string): string =>
  emit.Mul(param, emit.Sub(emit.scalar(1), emit.Mul(rate, ratio)));
