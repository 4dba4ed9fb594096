import type { Emit } from '../graph/emit.ts';
import type { Dim, Graph, Model, Node, ValueInfo } from '../graph/types.ts';
import { freeInputs } from '../graph/walk.ts';
import { finished, type Known, recording } from './differentiate.ts';
import { type EntryOptions, entriesOf, oneHot } from './entry.ts';
import { precise } from './half.ts';
import { gradients } from './reverse.ts';
import { type RuleSet, rulesOf } from './rule-sets/index.ts';
import { dimsOf, dtypeOf, num, rankOf, rowShape, rowSize } from './shapes.ts';
import { graphInput, straightened } from './straight-path.ts';

/** Gradients of one entry of an output per row, along paths of points. */
export interface PathGradient {
  readonly model: Model;
  readonly inputs: {
    /**
     * [B·S, …row]: S points of the path of row 0, then those of row 1, and so on; of straight paths their ends, [2·B, …row].
     * The model's other inputs keep their names.
     */
    readonly points: string;
    /** [S, 2], with `straight`: the parts of the ends in each point. */
    readonly mix?: string;
    /** int64 [B], an index into a row of `output`, flattened. */
    readonly target: string;
    /** int64 [B], with `contrast`: the entry taken away. */
    readonly against?: string;
    /** [S] */
    readonly weights: string;
  };
  readonly outputs: {
    /** [B, d]: Σ_s weights[s]·∇f(points[b, s]). */
    readonly gradient: string;
    /** [B, d]: Σ_s weights[s]·(∇f)², with `square`. */
    readonly squared?: string;
    /** [B, S]: f at the points. */
    readonly values: string;
  };
  /** The differentiated value: the output, or the logits behind its final Softmax, LogSoftmax or Sigmoid. */
  readonly of: string;
  /** Entries in one row of it, where known. */
  readonly targets?: number;
  /** Shape of one row of the points. */
  readonly rowDims: readonly Dim[];
  /** Inputs of the model besides the points that the graph reads: where the points are of a value inside it. */
  readonly beside: readonly string[];
}

export interface PathOptions extends EntryOptions {
  /** Float graph input, or an intermediate value (an embedding, a layer), which then becomes an input itself. */
  readonly input: string;
  readonly square?: boolean;
  /** f is the entry `target` less the entry `against`. */
  readonly contrast?: boolean;
  readonly rules?: RuleSet;
  /** Points lie on straight lines and are made inside; not together with `rules`, a fixed batch or half precision. */
  readonly straight?: boolean;
}

/** The graph inputs that choose entries: the target, and with `contrast` the entry taken away. */
const indicesOf = (emit: Emit, rows: string, contrast: boolean): readonly ValueInfo[] =>
  (contrast ? ['target', 'against'] : ['target']).map((stem) => graphInput(emit, stem, 'int64', [rows]));
const namesOf = ([target, against]: readonly ValueInfo[]): { readonly target: string; readonly against?: string } => ({
  target: target.name,
  ...(against ? { against: against.name } : {}),
});

/** The model without what makes a value that is given instead. */
const cutAt = (graph: Graph, input: string): Graph =>
  graph.inputs.some((i) => i.name === input) ? graph : { ...graph, nodes: graph.nodes.filter((n) => !n.outputs.includes(input)) };

/** Seeds and values of the entries asked for: `each` [N, 1] and, with `contrast`, `less` [N, 1] are their indices. */
const seeded = (
  emit: Emit,
  options: EntryOptions,
  each: string,
  less: string | undefined,
): { readonly of: string; readonly rows: string; readonly targets?: number; readonly seed: string; readonly chosen: string } => {
  const entries = entriesOf(emit, options);
  const at = (index: string): string => emit.GatherElements(entries.rows, index, { axis: 1 });
  const hot = oneHot(emit, entries, each);
  if (less === undefined) return { ...entries, seed: hot, chosen: at(each) };
  return { ...entries, seed: emit.Sub(hot, oneHot(emit, entries, less)), chosen: emit.Sub(at(each), at(less)) };
};

/** Only inputs that are read stay. */
const trimmed = (model: Model, others: readonly ValueInfo[]): { readonly model: Model; readonly beside: readonly string[] } => {
  const read = new Set(model.graph.nodes.flatMap((n) => n.inputs));
  const unread = others.filter((i) => !read.has(i.name));
  const inputs = model.graph.inputs.filter((i) => !unread.includes(i));
  const beside = others.filter((i) => read.has(i.name)).map((i) => i.name);
  return { model: { ...model, graph: { ...model.graph, inputs } }, beside };
};

/** Σ_s weights[s]·v[b·S + s], [B, …], of [B·S, …]. */
const alongPaths = (emit: Emit, v: string, weights: string): string => {
  const row = dimsOf(emit, v)?.slice(1) ?? [];
  const points = emit.Reshape(v, emit.Concat(emit.ints([-1]), emit.Shape(weights), rowSize(emit, v), { axis: 0 }));
  const sums = emit.MatMul(emit.Unsqueeze(weights, emit.ints([0])), points);
  const out = emit.Reshape(sums, rowShape(emit, v));
  emit.typed(out, { kind: 'tensor', dtype: dtypeOf(emit, v), dims: [undefined, ...row] });
  return emit.means(out, 'PathSum', [v, weights], {}, 'assay');
};

/** Whether a value is the same for every row of what has this rank. */
const isShared = (emit: Emit, v: string, rank: number | undefined): boolean => {
  const dims = emit.constantOf(v)?.dims;
  return dims !== undefined && rank !== undefined && (dims.length < rank || (dims.length === rank && dims[0] === 1));
};

/** What is linear in its first input, row by row: a convolution with constant weights, a product with or quotient by constants. */
const linearIn = (emit: Emit, v: string): { readonly node: Node; readonly from: string; readonly by: string } | undefined => {
  const node = emit.meaning(v);
  if (node?.domain !== '' || node.inputs.slice(2).some((i) => i)) return undefined;
  const [a = '', b = ''] = node.inputs;
  const [from, by] = node.op === 'Mul' && emit.constantOf(a) ? [b, a] : [a, b];
  const rank = rankOf(emit, v);
  if (node.op === 'Conv' || node.op === 'ConvTranspose') return emit.constantOf(by) ? { node, from, by } : undefined;
  const scales = (node.op === 'Mul' || node.op === 'Div') && isShared(emit, by, rank);
  return scales && dimsOf(emit, from)?.slice(1).join() === dimsOf(emit, v)?.slice(1).join() ? { node, from, by } : undefined;
};

/** A sum over points is taken before the linear operators that end a gradient. */
const early = (emit: Emit, v: string, folded: (v: string) => string): string => {
  const linear = linearIn(emit, v);
  if (!linear || rankOf(emit, linear.from) !== rankOf(emit, v)) return folded(v);
  const { node, from, by } = linear;
  const out = emit.call(node.op, [early(emit, from, folded), by], node.attributes);
  const type = emit.type(v);
  return type ? emit.typed(out, type) : out;
};

/**
 * One backward pass serves the whole batch: rows are independent, so the gradient of Σ_b f_target(b) holds each row's own
 * gradient. Weights stay initializers. A model with a fixed batch size M takes B·S = M.
 */
export const inputGradient = (model: Model, known: Known, options: PathOptions): PathGradient => {
  const { graph } = model;
  const { input } = options;
  const line = options.straight ? straightened(cutAt(graph, input), known, input) : undefined;
  const emit = line?.emit ?? recording(cutAt(graph, input), known);
  const type = emit.type(input) ?? { kind: 'tensor', dtype: 'float32' };
  const at = precise(emit, input);
  const indices = indicesOf(emit, 'B', options.contrast ?? false);
  const [target, against] = indices;
  const weights = graphInput(emit, 'weights', dtypeOf(emit, at), ['S']);
  const paths = emit.Concat(emit.Shape(target.name), emit.Shape(weights.name), { axis: 0 });
  const along = (index: ValueInfo): string =>
    emit.Reshape(emit.Expand(emit.Unsqueeze(index.name, emit.ints([1])), paths), emit.ints([-1, 1]));
  const { of, rows, targets, seed, chosen } = seeded(emit, options, along(target), against && along(against));
  const rules = options.rules && rulesOf(options.rules, emit, at, of);
  const found = gradients(emit, new Map([[rows, seed]]), [at], rules ? { rules } : {});
  const gradient = found.get(at) ?? num(emit, 0, at);

  const flat = (v: string): string => emit.Reshape(v, emit.Concat(emit.ints([0]), rowSize(emit, input), { axis: 0 }));
  const folded = (v: string): string => alongPaths(emit, v, weights.name);
  const outputs: ValueInfo[] = [];
  const give = (value: string, stem: string, dims: readonly Dim[]): string => {
    const name = emit.rename(value, emit.fresh(stem));
    outputs.push({ name, type: { kind: 'tensor', dtype: dtypeOf(emit, at), dims } });
    return name;
  };
  const names = {
    gradient: give(flat(early(emit, gradient, folded)), 'gradient', ['B', undefined]),
    ...(options.square ? { squared: give(flat(folded(emit.Mul(gradient, gradient))), 'squared', ['B', undefined]) } : {}),
    values: give(emit.Reshape(chosen, paths), 'values', ['B', 'S']),
  };
  const others = freeInputs(graph).filter((i) => i.name !== input);
  const points = line ? [line.ends, line.mix] : [{ name: input, type }];
  const result = finished(model, emit, [...points, ...others, ...indices, weights], outputs, known.block);
  return {
    ...trimmed(result, others),
    inputs: { points: points[0].name, ...(line ? { mix: line.mix.name } : {}), weights: weights.name, ...namesOf(indices) },
    outputs: names,
    of,
    ...(targets === undefined ? {} : { targets }),
    rowDims: type.dims?.slice(1) ?? [],
  };
};

/** The entry asked for at points, without a gradient: what methods that change the input look at. */
export interface EntryValues {
  readonly model: Model;
  readonly inputs: { readonly points: string; readonly target: string; readonly against?: string };
  /** [N] */
  readonly values: string;
  readonly beside: readonly string[];
}

export const entryValues = (
  model: Model,
  known: Known,
  options: Pick<PathOptions, keyof EntryOptions | 'input' | 'contrast'>,
): EntryValues => {
  const { graph } = model;
  const { input } = options;
  const emit = recording(cutAt(graph, input), known);
  const type = emit.type(input) ?? { kind: 'tensor', dtype: 'float32' };
  const indices = indicesOf(emit, 'N', options.contrast ?? false);
  const [target, against] = indices.map((i) => emit.Unsqueeze(i.name, emit.ints([1])));
  const { chosen } = seeded(emit, options, target, against);
  const values = emit.rename(emit.Squeeze(chosen, emit.ints([1])), emit.fresh('values'));
  const others = freeInputs(graph).filter((i) => i.name !== input);
  const out: ValueInfo = { name: values, type: { kind: 'tensor', dtype: dtypeOf(emit, chosen), dims: ['N'] } };
  const result = finished(model, emit, [{ name: input, type }, ...others, ...indices], [out]);
  return { ...trimmed(result, others), inputs: { points: input, ...namesOf(indices) }, values };
};

/** The part of a model that makes one of its values, which becomes its output; and that output's name. */
export const modelOf = (model: Model, known: Known, value: string): { readonly model: Model; readonly output: string } => {
  const emit = recording(model.graph, known);
  const output = emit.rename(emit.Identity(value), emit.fresh('value'));
  const type = emit.type(value);
  return { model: finished(model, emit, freeInputs(model.graph), [{ name: output, ...(type ? { type } : {}) }]), output };
};

/** A layer's values and the gradient of one entry of an output with respect to them, row by row. */
export interface LayerGradient {
  readonly model: Model;
  readonly inputs: { readonly points: string; readonly target: string; readonly against?: string };
  /** `activation` and `gradient` have the layer's shape, `values` is [N]. */
  readonly outputs: { readonly activation: string; readonly gradient: string; readonly values: string };
  readonly beside: readonly string[];
  readonly of: string;
  readonly targets?: number;
}

export interface LayerOptions extends EntryOptions {
  readonly input: string;
  /** A value of the graph. */
  readonly layer: string;
  readonly contrast?: boolean;
}

/** Activations and gradients at a layer, in one pass: what Grad-CAM and conductance are made of. */
export const layerGradient = (model: Model, known: Known, options: LayerOptions): LayerGradient => {
  const { graph } = model;
  const { input } = options;
  const emit = recording(cutAt(graph, input), known);
  const type = emit.type(input) ?? { kind: 'tensor', dtype: 'float32' };
  const layer = precise(emit, options.layer);
  const indices = indicesOf(emit, 'N', options.contrast ?? false);
  const [target, against] = indices.map((i) => emit.Unsqueeze(i.name, emit.ints([1])));
  const { of, rows, targets, seed, chosen } = seeded(emit, options, target, against);
  const gradient = gradients(emit, new Map([[rows, seed]]), [layer]).get(layer) ?? num(emit, 0, layer);
  const outputs: ValueInfo[] = [];
  const give = (value: string, stem: string, dims: readonly Dim[] | undefined): string => {
    const name = emit.rename(emit.Identity(value), emit.fresh(stem));
    outputs.push({ name, type: { kind: 'tensor', dtype: dtypeOf(emit, value), ...(dims ? { dims } : {}) } });
    return name;
  };
  const names = {
    activation: give(layer, 'activation', dimsOf(emit, layer)),
    gradient: give(gradient, 'gradient', dimsOf(emit, layer)),
    values: give(emit.Squeeze(chosen, emit.ints([1])), 'values', ['N']),
  };
  const others = freeInputs(graph).filter((i) => i.name !== input);
  return {
    ...trimmed(finished(model, emit, [{ name: input, type }, ...others, ...indices], outputs), others),
    inputs: { points: input, ...namesOf(indices) },
    outputs: names,
    of,
    ...(targets === undefined ? {} : { targets }),
  };
};
