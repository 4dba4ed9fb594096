import { type Emit, emitter } from '../graph/emit.ts';
import { prune } from '../graph/passes/prune.ts';
import type { Constant, Dim, Graph, Model, TensorType, ValueInfo } from '../graph/types.ts';
import { freeInputs, namesWithin } from '../graph/walk.ts';
import { blocked } from './blocked.ts';
import { precise } from './half.ts';
import { logitsOf } from './loss.ts';
import { gradients } from './reverse.ts';
import type { Rules } from './rule.ts';
import { castLike, dimsOf, dtypeOf, num, shapeOf } from './shapes.ts';

/** What probing told about a model (graph/probe.ts), as far as rules need it. */
export interface Known {
  readonly types: ReadonlyMap<string, TensorType>;
  readonly contents?: ReadonlyMap<string, Constant>;
  /** Channels in a block of the CPU's convolutions, where the graph is for this machine alone (blocked.ts). */
  readonly block?: number;
}

/** A recorder that holds the model's graph: derivatives are emitted beside its nodes. */
export const recording = (graph: Graph, known: Known): Emit => {
  const types = new Map(known.types);
  for (const i of graph.inputs) if (i.type?.kind === 'tensor' && !types.has(i.name)) types.set(i.name, i.type);
  return emitter({
    nodes: graph.nodes,
    constants: graph.initializers,
    types,
    taken: namesWithin(graph),
    ...(known.contents ? { contents: known.contents } : {}),
  });
};

/** The model with what `emit` holds as its graph, less what no output needs. */
export const finished = (model: Model, emit: Emit, inputs: readonly ValueInfo[], outputs: readonly ValueInfo[], block = 0): Model => {
  const { sparseInitializers } = model.graph;
  const graph = (
    block > 0
      ? blocked(
          emit,
          block,
          outputs.map((o) => o.name),
        )
      : emit
  ).graph(model.graph.name, inputs, outputs);
  return prune({ ...model, graph: sparseInitializers ? { ...graph, sparseInitializers } : graph });
};

/** Gradients of one entry of an output per row, along paths of points. */
export interface PathGradient {
  readonly model: Model;
  readonly inputs: {
    /** [B·S, …row]: S points of the path of row 0, then those of row 1, and so on. The model's other inputs keep their names. */
    readonly points: string;
    /** int64 [B], an index into a row of `output`, flattened. */
    readonly target: string;
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
}

export interface PathOptions {
  /** Float graph input, or an intermediate value (an embedding), which then becomes an input itself. */
  readonly input: string;
  readonly output: string;
  /** Starts behind a final Softmax, LogSoftmax or Sigmoid (default true). */
  readonly logits?: boolean;
  readonly square?: boolean;
  readonly rules?: Rules;
}

/**
 * One backward pass serves the whole batch: rows are independent, so the gradient of Σ_b f_target(b) holds each row's own
 * gradient. Weights stay initializers. A model with a fixed batch size M takes B·S = M.
 */
export const inputGradient = (model: Model, known: Known, options: PathOptions): PathGradient => {
  const { graph } = model;
  const cut = !graph.inputs.some((i) => i.name === options.input);
  const within: Graph = cut ? { ...graph, nodes: graph.nodes.filter((n) => !n.outputs.includes(options.input)) } : graph;
  const emit = recording(within, known);
  const input = options.input;
  const type = emit.type(input) ?? { kind: 'tensor', dtype: 'float32' };
  const of = options.logits === false ? precise(emit, options.output) : logitsOf(emit, options.output).logits;
  const at = precise(emit, input);
  const own = (stem: string, dtype: TensorType['dtype'], dims: readonly Dim[]): ValueInfo => {
    const name = emit.fresh(stem);
    const of: TensorType = { kind: 'tensor', dtype, dims };
    return { name: emit.typed(name, of), type: of };
  };
  const target = own('target', 'int64', ['B']);
  const weights = own('weights', dtypeOf(emit, at), ['S']);

  const paths = emit.Concat(emit.Shape(target.name), emit.Shape(weights.name), { axis: 0 });
  const each = emit.Reshape(emit.Expand(emit.Unsqueeze(target.name, emit.ints([1])), paths), emit.ints([-1, 1]));
  const rows = emit.Reshape(of, emit.ints([0, -1]));
  const chosen = emit.GatherElements(rows, each, { axis: 1 });
  const entries = dimsOf(emit, of)
    ?.slice(1)
    .reduce<Dim>((n, d) => (typeof n === 'number' && typeof d === 'number' ? n * d : undefined), 1);
  const width = typeof entries === 'number' ? emit.ints([entries]) : emit.call('Shape', [rows], { start: 1 });
  const index = emit.Range(emit.scalar(0, 'int64'), emit.Squeeze(width, emit.ints([0])), emit.scalar(1, 'int64'));
  const hot = castLike(emit, emit.Equal(each, index), rows);
  const seed = emit.Reshape(hot, emit.Shape(of));
  const seedType = emit.type(of);
  const found = gradients(
    emit,
    new Map([[of, seedType ? emit.typed(seed, seedType) : seed]]),
    [at],
    options.rules ? { rules: options.rules } : {},
  );
  const gradient = found.get(at) ?? num(emit, 0, at);

  const points = emit.Reshape(gradient, emit.Concat(emit.ints([-1]), emit.Shape(weights.name), rowSize(emit, input), { axis: 0 }));
  const folded = (v: string): string => emit.Squeeze(emit.MatMul(emit.Unsqueeze(weights.name, emit.ints([0])), v), emit.ints([1]));
  const outputs: ValueInfo[] = [];
  const give = (value: string, stem: string, dims: readonly Dim[]): string => {
    const name = emit.rename(value, emit.fresh(stem));
    outputs.push({ name, type: { kind: 'tensor', dtype: dtypeOf(emit, at), dims } });
    return name;
  };
  const names = {
    gradient: give(folded(points), 'gradient', ['B', undefined]),
    ...(options.square ? { squared: give(folded(emit.Mul(points, points)), 'squared', ['B', undefined]) } : {}),
    values: give(emit.Reshape(chosen, paths), 'values', ['B', 'S']),
  };
  const others = freeInputs(graph).filter((i) => i.name !== input);
  const result = finished(model, emit, [{ name: input, type }, ...others, target, weights], outputs);
  const read = new Set(result.graph.nodes.flatMap((n) => n.inputs));
  const inputs = result.graph.inputs.filter((i) => !others.includes(i) || read.has(i.name));
  return {
    model: { ...result, graph: { ...result.graph, inputs } },
    inputs: { points: input, target: target.name, weights: weights.name },
    outputs: names,
    of,
    ...(typeof entries === 'number' ? { targets: entries } : {}),
    rowDims: type.dims?.slice(1) ?? [],
  };
};

/** Elements in one row of a value, as a one-element vector. */
const rowSize = (emit: Emit, value: string): string => {
  const row = dimsOf(emit, value)?.slice(1);
  if (row?.every((d) => typeof d === 'number')) return emit.ints([row.reduce<number>((n, d) => n * Number(d), 1)]);
  const sizes = emit.Slice(shapeOf(emit, value), emit.ints([1]), emit.ints([64]));
  return emit.Reshape(emit.call('ReduceProd', [sizes], { keepdims: 0 }), emit.ints([1]));
};
