import { type Emit, emitter } from '../../graph/emit.ts';
import { dimsOf, num } from '../shapes.ts';
import { graphOfNodes, port } from './control-body.ts';
import { type Run, typedLike } from './recurrent-site.ts';

/** A recurrence over time, the leading axis of [T, B, …]. */
interface Recurrence {
  readonly states: readonly string[];
  readonly along: readonly string[];
  /** From the last step to the first. */
  readonly back: boolean;
  /** Records one step: what the states become, and what is laid out over time. */
  readonly step: (
    at: Emit,
    states: readonly string[],
    slices: readonly string[],
  ) => { readonly next: readonly string[]; readonly give: readonly string[] };
}

/** One Scan: the last states, then what the steps gave. */
export const recur = (emit: Emit, { states, along, back, step }: Recurrence): string[] => {
  const at = emitter({ within: emit });
  const input = (v: string, cut: number): string =>
    typedLike(at, emit.fresh('step'), v, dimsOf(emit, v)?.slice(cut) ?? [undefined, undefined]);
  const before = states.map((v) => input(v, 0));
  const slices = along.map((v) => input(v, 1));
  const { next, give } = step(at, before, slices);
  const body = graphOfNodes(
    at,
    emit.fresh('steps'),
    at.nodes,
    [...before, ...slices].map((v) => port(v, at.type(v))),
    [...next, ...give].map((value) => ({ value, type: at.type(value) })),
  );
  const directions = (n: number): number[] | undefined => (back ? Array.from({ length: n }, () => 1) : undefined);
  return emit.calls('Scan', [...states, ...along], next.length + give.length, {
    body,
    num_scan_inputs: along.length,
    scan_input_directions: directions(along.length),
    scan_output_directions: directions(give.length),
  });
};

/** What is left of 1: (1 − m). */
export const rest = (emit: Emit, m: string): string => emit.Sub(num(emit, 1, m), m);

const step = (emit: Emit, v: string): string => emit.Unsqueeze(v, emit.ints([0]));
/** All steps but the last, or but the first. */
const without = (emit: Emit, v: string, side: 'last' | 'first'): string => {
  const out =
    side === 'last'
      ? emit.Slice(v, emit.ints([0]), emit.ints([-1]), emit.ints([0]))
      : emit.Slice(v, emit.ints([1]), emit.ints([2 ** 31]), emit.ints([0]));
  const dims = dimsOf(emit, v);
  return dims ? typedLike(emit, out, v, [typeof dims[0] === 'number' ? dims[0] - 1 : undefined, ...dims.slice(1)]) : out;
};

/** The value of a state before each step, from its values after each step; `frozen`: the state stays as it is behind the end of a sequence. */
export const shifted = ({ emit, back, mask }: Run, after: string, start: string, frozen: boolean): string => {
  const like = (v: string): string => {
    const type = emit.type(after);
    return type ? emit.typed(v, type) : v;
  };
  if (!back) return like(emit.Concat(step(emit, start), without(emit, after, 'last'), { axis: 0 }));
  const later = emit.Concat(without(emit, after, 'first'), step(emit, start), { axis: 0 });
  if (!mask || frozen) return like(later);
  // Behind the end of a sequence y is 0, where the state is still the first one.
  const ended = rest(emit, without(emit, mask, 'first'));
  const extra = emit.Pad(emit.Mul(ended, step(emit, start)), emit.ints([0, 0, 0, 1, 0, 0]));
  return like(emit.Add(later, extra));
};

/** `v` over time as rows, [T·B, n]. */
export const rows = (emit: Emit, v: string): string => {
  const [t, b, n] = dimsOf(emit, v) ?? [];
  const width =
    typeof n === 'number' ? emit.ints([-1, n]) : emit.Concat(emit.ints([-1]), emit.call('Shape', [v], { start: 2, end: 3 }), { axis: 0 });
  const out = emit.Reshape(v, width);
  return typedLike(emit, out, v, [typeof t === 'number' && typeof b === 'number' ? t * b : emit.type(out)?.dims?.[0], n]);
};
/** Rows [T·B, n] over time again, like `ref`. */
const overTime = (emit: Emit, v: string, ref: string, n: number): string => {
  const dims = dimsOf(emit, ref);
  const [t, b] = [dims?.[0], dims?.[1]];
  const known = typeof t === 'number' && t > 0;
  const shape = known
    ? emit.ints([t, typeof b === 'number' ? b : -1, n])
    : emit.Concat(emit.call('Shape', [ref], { end: 2 }), emit.ints([n]), { axis: 0 });
  return typedLike(emit, emit.Reshape(v, shape), v, [t, b, n]);
};

/** x·Wᵀ + s·Rᵀ + the biases, for all steps at once: [T, B, G·H]. `s` is the state before each step; '' for the input's part alone. */
export const affine = ({ emit, x, hidden }: Run, w: string, r: string, biases: readonly string[], s: string, gates: number): string => {
  const bias = biases.length === 2 ? emit.Add(biases[0], biases[1]) : (biases[0] ?? '');
  const input = emit.Gemm(rows(emit, x), w, bias, { transB: 1 });
  const both = s ? emit.Gemm(rows(emit, s), r, input, { transB: 1 }) : input;
  return overTime(emit, both, x, gates * hidden);
};

/** Repeats the last axis. */
export const repeated = (emit: Emit, v: string, times: number): string =>
  emit.Concat(...Array.from({ length: times }, () => v), { axis: -1 });
