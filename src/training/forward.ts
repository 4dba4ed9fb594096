import { floatOf } from '../graph/attribute.ts';
import { constantOf } from '../graph/constant.ts';
import type { Emit } from '../graph/emit.ts';
import { isHeld } from '../graph/held.ts';
import { restrict } from '../graph/passes/prune.ts';
import type { Attributes, Graph, Node } from '../graph/types.ts';

/** A normalisation put in training form: its stored statistics, as carried and as they are named, and those of the batch. */
interface Normalised {
  readonly node: Node;
  readonly names: readonly [mean: string, variance: string];
  readonly before: readonly [mean: string, variance: string];
  readonly batch: readonly [mean: string, variance: string];
}

/**
 * Batch normalisation by the batch's own mean and biased variance. The operator is given zeros that nothing else reads, as
 * ONNX Runtime writes its second and third output over the inputs they come from.
 */
const normalise = (emit: Emit, node: Node, stored: ReadonlyMap<string, string>): Normalised => {
  const [x, scale, shift, mean, variance] = node.inputs;
  const before = [stored.get(mean) ?? mean, stored.get(variance) ?? variance] as const;
  const batch = [emit.fresh(`${mean}.batch`), emit.fresh(`${variance}.batch`)] as const;
  const attributes: Attributes = {
    ...node.attributes,
    training_mode: { type: 'int', value: 1 },
    momentum: { type: 'float', value: 0 },
  };
  const zeros = before.map((name) => emit.Sub(name, name));
  for (const [i, name] of before.entries()) {
    const type = emit.type(name);
    if (type) emit.typed(batch[i], type);
  }
  emit.node({ ...node, inputs: [x, scale, shift, ...zeros], outputs: [node.outputs[0], ...batch], attributes });
  return { node, names: [mean, variance], before, batch };
};

/** Chooses between the next values and those before. */
type Keep = (next: string, before: string) => string;

/**
 * The stored statistics move toward the batch's mean and unbiased variance: stored = m·stored + (1−m)·batch, those of all
 * normalisations as one vector. M is the number of elements of a channel in the batch.
 */
const moved = (emit: Emit, all: readonly Normalised[], keep: Keep): Map<string, string> => {
  const sizes = all.map(({ before }) => Number(emit.type(before[0])?.dims?.[0]));
  const dtype = emit.type(all[0].before[0])?.dtype ?? 'float32';
  const joined = (values: readonly string[]): string => (values.length === 1 ? values[0] : emit.Concat(...values, { axis: 0 }));
  const each = (of: (one: Normalised) => number): string => {
    const list = all.flatMap((one, i) => Array.from({ length: sizes[i] }, () => of(one)));
    return emit.constant(constantOf(dtype, [list.length], list));
  };
  const counts = joined(
    all.map(({ node, before }, i) => {
      const count = emit.call('CastLike', [emit.Div(emit.Size(node.inputs[0]), emit.scalar(sizes[i], 'int64')), before[0]]);
      return emit.Expand(count, emit.ints([sizes[i]]));
    }),
  );
  const stay = each(({ node }) => floatOf(node, 'momentum', 0.9));
  const take = each(({ node }) => 1 - floatOf(node, 'momentum', 0.9));
  const bessel = emit.Div(counts, emit.Max(emit.Sub(counts, emit.scalar(1, dtype)), emit.scalar(1, dtype)));
  const next = new Map<string, string>();
  for (const i of [0, 1] as const) {
    const batch = joined(all.map((one) => one.batch[i]));
    const toward = emit.Mul(take, i === 0 ? batch : emit.Mul(bessel, batch));
    const before = joined(all.map((one) => one.before[i]));
    const values = keep(emit.Add(emit.Mul(stay, before), toward), before);
    const parts = all.length === 1 ? [values] : emit.calls('Split', [values, emit.ints(sizes)], all.length, { axis: 0 });
    for (const [k, one] of all.entries()) next.set(one.names[i], parts[k]);
  }
  return next;
};

/**
 * Records the nodes that `outputs` depend on. Those of `norms` are put in training form, with the stored statistics
 * under the names of `stored`; the result tells what each is after the step, of what is kept. Values of `masks` are multiplied by theirs.
 */
export const emitForward = (
  emit: Emit,
  graph: Graph,
  outputs: readonly string[],
  norms: ReadonlySet<Node>,
  stored: ReadonlyMap<string, string>,
  masks: ReadonlyMap<string, string> = new Map(),
): ((keep: Keep) => ReadonlyMap<string, string>) => {
  const all: Normalised[] = [];
  for (const node of restrict(
    graph,
    outputs.map((name) => ({ name })),
  ).nodes) {
    const mask = masks.get(node.outputs[0]);
    if (mask !== undefined) emit.node({ ...node, op: 'Mul', inputs: [node.inputs[0], mask] });
    else if (!norms.has(node)) {
      emit.node(node);
      // Floor is flat almost everywhere: no gradient flows through.
      if (isHeld(node)) emit.means(node.outputs[0], 'Floor', node.inputs);
    } else all.push(normalise(emit, node, stored));
  }
  return (keep) => (all.length === 0 ? new Map() : moved(emit, all, keep));
};
