import { type Emit, emitter } from '../graph/emit.ts';
import { renamed } from '../graph/passes/rename.ts';
import type { Constant, Graph, TensorType } from '../graph/types.ts';
import { definedIn, freeInputs } from '../graph/walk.ts';
import { gradients } from './reverse.ts';
import { dimsOf, num } from './shapes.ts';

/** Steepest ascent of a loss in a ball around the input (Goodfellow et al. 2015, one step; Madry et al. 2018, several). */
export interface Attack {
  readonly norm: 'linf' | 'l2';
  readonly steps: number;
  /** From a point drawn in the ball in place of the input. */
  readonly randomStart: boolean;
  /** Adversarial inputs stay between two values. */
  readonly clip: boolean;
}

/** Names of the values that an attack reads. */
export interface AttackValues {
  /** Scalars. A negative step descends: toward the label. */
  readonly epsilon: string;
  readonly step: string;
  /** Scalars, with `clip`. */
  readonly low?: string;
  readonly high?: string;
  /** With `randomStart`: a point of the unit ball for every row, shaped as the input. */
  readonly start?: string;
}

/** The graph once more under names of its own, its parameters shared; `at` is its input there. */
export interface ForwardCopy {
  readonly graph: Graph;
  readonly at: string;
  to(name: string): string;
}

/** Keeps lengths above zero, so that a gradient of zero moves nothing. */
const TINY = 1e-12;

const copyOf = (emit: Emit, graph: Graph, input: string): ForwardCopy => {
  const shared = new Set([...graph.initializers.keys(), ...freeInputs(graph).map((i) => i.name)]);
  shared.delete(input);
  const names = new Map<string, string>();
  for (const name of definedIn(graph)) if (!shared.has(name)) names.set(name, emit.fresh(`attack/${name}`));
  const to = (name: string): string => names.get(name) ?? name;
  // Parameters belong to the graph around it.
  return { graph: { ...renamed(graph, to), initializers: new Map(), inputs: [{ name: to(input) }] }, at: to(input), to };
};

/** A recorder for the body of a Loop that runs a copy of the graph, with what is known of the graph's values. */
export const bodyOf = (emit: Emit, graph: Graph, input: string): { readonly inner: Emit; readonly copy: ForwardCopy } => {
  const copy = copyOf(emit, graph, input);
  const contents = new Map<string, Constant>();
  for (const node of graph.nodes)
    for (const value of node.outputs) {
      const known = value ? emit.constantOf(value) : undefined;
      if (known) contents.set(copy.to(value), known);
    }
  const inner = emitter({ within: emit, contents });
  for (const node of graph.nodes)
    for (const value of node.outputs) {
      const known = value ? emit.type(value) : undefined;
      if (known) inner.typed(copy.to(value), known);
    }
  return { inner, copy };
};

/** ‖v‖₂ of every row, broadcast over its axes, which are those of `like`. */
const lengths = (emit: Emit, v: string, like: string): string => {
  const rank = dimsOf(emit, like)?.length ?? 2;
  const axes = emit.ints(Array.from({ length: rank - 1 }, (_, i) => i + 1));
  return emit.call('ReduceL2', [v, axes], { keepdims: 1 });
};

/** The nearest point of the ball of ε around x: within ±ε of every entry, or on the way back to x. */
const projected = (emit: Emit, norm: Attack['norm'], point: string, x: string, epsilon: string): string => {
  if (norm === 'linf') return emit.Max(emit.Min(point, emit.Add(x, epsilon)), emit.Sub(x, epsilon));
  const away = emit.Sub(point, x);
  const share = emit.Min(num(emit, 1, x), emit.Div(epsilon, emit.Max(lengths(emit, away, x), num(emit, TINY, x))));
  return emit.Add(x, emit.Mul(share, away));
};

/**
 * Adversarial inputs near `x` as one Loop: x ← clip(Π(x + step·sign g)), or step·g/‖g‖₂ per row, with g the gradient of `loss`.
 * `loss` records the copy of the graph it is given and names a scalar to climb, a sum over rows that do not touch each other.
 * Derivatives pass the result as if it were `x` itself.
 */
export const emitAttack = (
  emit: Emit,
  graph: Graph,
  input: string,
  x: string,
  { norm, steps, randomStart, clip }: Attack,
  { epsilon, step, low, high, start }: AttackValues,
  loss: (inner: Emit, copy: ForwardCopy) => string,
): string => {
  const { inner, copy } = bodyOf(emit, graph, input);
  const type: TensorType = emit.type(x) ?? { kind: 'tensor', dtype: 'float32' };
  const flag: TensorType = { kind: 'tensor', dtype: 'bool', dims: [] };
  const turn = inner.typed(emit.fresh('attack/turn'), { kind: 'tensor', dtype: 'int64', dims: [] });
  const going = inner.typed(emit.fresh('attack/going'), flag);
  inner.typed(copy.at, type);
  const clipped = (to: Emit, value: string): string => (clip && low && high ? to.Clip(value, low, high) : value);

  const climbed = loss(inner, copy);
  const g = gradients(inner, climbed, [copy.at]).get(copy.at) ?? '';
  const direction = norm === 'linf' ? inner.Sign(g) : inner.Div(g, inner.Add(lengths(inner, g, x), num(inner, TINY, g)));
  const moved = projected(inner, norm, inner.Add(copy.at, inner.Mul(step, direction)), x, epsilon);
  const next = inner.rename(clipped(inner, moved), emit.fresh('attack/next'));
  const on = inner.rename(going, emit.fresh('attack/on'));
  const body = inner.graph(
    'attack',
    [
      { name: turn, type: { kind: 'tensor', dtype: 'int64', dims: [] } },
      { name: going, type: flag },
      { name: copy.at, type },
    ],
    [
      { name: on, type: flag },
      { name: next, type },
    ],
  );
  const first = randomStart && start ? clipped(emit, emit.Add(x, emit.Mul(epsilon, start))) : x;
  const yes = emit.constant({ dtype: 'bool', dims: [], bytes: Uint8Array.of(1) });
  const found = emit.call('Loop', [emit.scalar(steps, 'int64'), yes, first], { body });
  // Through no other way than the input: the parameters that the attack reads get no derivative by it.
  return emit.means(emit.typed(found, type), 'Identity', [x]);
};
