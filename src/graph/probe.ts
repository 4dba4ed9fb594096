import { Fault } from '../base/fault.ts';
import type { DType, Tensor } from '../base/tensor.ts';
import { fitDim } from './batch-dim.ts';
import { constantFrom } from './constant.ts';
import { infer } from './infer.ts';
import { plainNode } from './node.ts';
import { feedsOf, type Plan, pictureSide, planOf } from './probe-feeds.ts';
import type { Constant, Dim, Graph, Model, Node, TensorType, ValueInfo } from './types.ts';
import { namesWithin, readsOf, subgraphs, withoutDims } from './walk.ts';
import { write } from './write.ts';

/** Runs a model file with ONNX Runtime's optimisation off. Called several times with the same `model` object: keep its session. */
export type RunGraph = (
  model: Uint8Array,
  feeds: Readonly<Record<string, Tensor>>,
  wanted: readonly string[],
) => Promise<Record<string, Tensor>>;

export interface ProbeOptions {
  /** Lengths of free axes that are not the batch, by their name in the file (`sequence`), or `input:axis` where it has none. */
  readonly axes?: Readonly<Record<string, number>>;
  /** Real values for some or all inputs, for this many rows. */
  readonly feeds?: (rows: number) => Readonly<Record<string, Tensor>>;
}

export interface Probed {
  /**
   * Type of every tensor of the main graph that ONNX Runtime could tell: inputs, initializers, intermediate values, outputs.
   * An axis is a number, or follows the batch ('N', '3N', 'N+1': see batch-dim.ts), or undefined (depends on the data).
   */
  readonly types: ReadonlyMap<string, TensorType>;
  /** `fixed`: the file has `batchSize` rows baked in, and all dims are numbers. `none`: no input has an axis. */
  readonly batch: 'free' | 'fixed' | 'none';
  readonly batchSize?: number;
  /** Inputs that carry the batch, and on which axis. */
  readonly batchAxes: ReadonlyMap<string, number>;
  /** Free axes other than the batch and the length they were probed at: `types` holds for that length only. */
  readonly axes: ReadonlyMap<string, number>;
  /** Values of at most 64 whole numbers that depend neither on the data nor on the batch size (shape arithmetic). */
  readonly contents: ReadonlyMap<string, Constant>;
}

/** Operators that make or pass values that are not tensors, whose Shape cannot be taken. */
const sequenceOps = new Set([
  ...['SequenceConstruct', 'SequenceEmpty', 'SequenceInsert', 'SequenceErase', 'SequenceMap', 'SplitToSequence', 'StringSplit'],
  ...['Optional', 'OptionalGetElement', 'ZipMap', 'DictVectorizer', 'CastMap'],
]);
const dataShaped = new Set(['NonZero', 'Unique', 'Compress', 'NonMaxSuppression', 'StringNormalizer']);
const chance = new Set(['RandomNormal', 'RandomNormalLike', 'RandomUniform', 'RandomUniformLike', 'Multinomial', 'Bernoulli']);
const whole: ReadonlySet<DType> = new Set<DType>(['int64', 'int32', 'bool']);
const small = 64;

/** Values of the main graph that are tensors, as far as operators and declared types tell. */
export const tensorValues = (graph: Graph): readonly string[] => {
  const other = new Set<string>();
  for (const i of graph.inputs) if (i.type && i.type.kind !== 'tensor') other.add(i.name);
  for (const [name, type] of graph.values) if (type.kind !== 'tensor') other.add(name);
  for (const o of graph.outputs) if (o.type && o.type.kind !== 'tensor') other.add(o.name);
  const out: string[] = [];
  for (const node of graph.nodes) {
    const passes = node.op === 'Identity' && other.has(node.inputs[0] ?? '');
    const inner = subgraphs(node).map((g) => tensorOutputs(g, other));
    node.outputs.forEach((o, i) => {
      if (!o) return;
      // Loop and Scan bodies have their state first (a Loop's also a condition): where any branch disagrees, the value is left out.
      const at = node.op === 'Loop' ? i + 1 : i;
      if (passes || sequenceOps.has(node.op) || other.has(o) || inner.some((flags) => flags[at] === false)) other.add(o);
      else out.push(o);
    });
  }
  return out;
};
const tensorOutputs = (graph: Graph, outer: ReadonlySet<string>): readonly boolean[] => {
  const tensors = new Set(tensorValues(graph));
  const made = new Set(graph.nodes.flatMap((n) => n.outputs));
  return graph.outputs.map((o) => (made.has(o.name) ? tensors.has(o.name) : !outer.has(o.name) && (o.type?.kind ?? 'tensor') === 'tensor'));
};

/** `from` and all that is made of them. */
const following = (graph: Graph, from: Iterable<string>): ReadonlySet<string> => {
  const out = new Set(from);
  if (out.size === 0) return out;
  for (const node of graph.nodes) if (readsOf(node).some((r) => out.has(r))) for (const o of node.outputs) if (o) out.add(o);
  return out;
};

/** Values whose elements follow from what is fed, not from its shape alone. */
const dataDependent = (graph: Graph): ReadonlySet<string> => {
  const out = new Set(graph.inputs.filter((i) => !graph.initializers.has(i.name)).map((i) => i.name));
  for (const node of graph.nodes) {
    if (node.op === 'Shape' || node.op === 'Size') continue;
    if (chance.has(node.op) || readsOf(node).some((r) => out.has(r))) for (const o of node.outputs) if (o) out.add(o);
  }
  return out;
};

const elementTypes = (graph: Graph): Map<string, DType> => {
  const types = new Map<string, TensorType>();
  for (const { name, type } of graph.inputs) if (type?.kind === 'tensor') types.set(name, { kind: 'tensor', dtype: type.dtype });
  for (const [name, c] of graph.initializers) types.set(name, { kind: 'tensor', dtype: c.dtype });
  const declared = new Map(graph.values);
  for (const o of graph.outputs) if (o.type) declared.set(o.name, o.type);
  for (const node of graph.nodes) {
    const inferred =
      node.domain === ''
        ? infer(
            node,
            (v) => types.get(v),
            () => undefined,
          )
        : [];
    node.outputs.forEach((o, i) => {
      const told = declared.get(o);
      const dtype = inferred[i]?.dtype ?? (told?.kind === 'tensor' ? told.dtype : undefined);
      if (o && dtype && dtype !== 'undefined') types.set(o, { kind: 'tensor', dtype });
    });
  }
  return new Map(Array.from(types, ([name, t]) => [name, t.dtype]));
};

interface Instrumented {
  readonly bytes: Uint8Array;
  /** Value → the output that is its shape. */
  readonly shapes: ReadonlyMap<string, string>;
}

/** The model with a Shape output for each of `values`, and `extra` as outputs. */
const instrument = (model: Model, values: readonly string[], extra: readonly string[]): Instrumented => {
  const { graph } = model;
  const taken = namesWithin(graph);
  const shapes = new Map<string, string>();
  const nodes: Node[] = [...graph.nodes];
  const outputs: ValueInfo[] = [...graph.outputs];
  const listed = new Set(outputs.map((o) => o.name));
  for (const v of values) {
    let name = `shape/${v}`;
    while (taken.has(name)) name += '_';
    taken.add(name);
    shapes.set(v, name);
    nodes.push(plainNode('Shape', [v], name));
    outputs.push({ name, type: { kind: 'tensor', dtype: 'int64', dims: [undefined] } });
  }
  for (const v of extra) if (!listed.has(v)) outputs.push({ name: v });
  return { bytes: write({ ...model, graph: { ...graph, nodes, outputs, values: withoutDims(graph.values) } }), shapes };
};

const numbers = (t: Tensor): number[] => Array.from(t.data as ArrayLike<number | bigint>, Number);
const equal = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((v, i) => v === b[i]);

const contentsOf = (a: Readonly<Record<string, Tensor>>, b: Readonly<Record<string, Tensor>>): Map<string, Constant> => {
  const out = new Map<string, Constant>();
  for (const [name, t] of Object.entries(a)) {
    if (equal(t.dims, b[name].dims) && equal(numbers(t), numbers(b[name]))) out.set(name, constantFrom(t));
  }
  return out;
};

/**
 * Types by running, not by a second shape-inference library: every value's Shape becomes an output, and the model runs once
 * at each of a few batch sizes. Works for every operator that ONNX Runtime can run.
 */
export const probe = async (model: Model, run: RunGraph, options: ProbeOptions = {}): Promise<Probed> => {
  try {
    return await probed(model, run, options);
  } catch (error) {
    const { lengths, unranked } = planOf(model.graph, options.axes);
    if (Fault.is(error, 'runtime/run') && unranked.length > 0) throw new Fault('graph/rank', { inputs: unranked }, { cause: error });
    // A deep network of free picture size may need larger pictures than the usual 64.
    const small = Array.from(lengths).filter(([name, n]) => n === pictureSide && !options.axes?.[name]);
    if (!Fault.is(error, 'runtime/run') || small.length === 0) throw error;
    return probed(model, run, { ...options, axes: { ...options.axes, ...Object.fromEntries(small.map(([name]) => [name, 224])) } });
  }
};

const probed = async (model: Model, run: RunGraph, options: ProbeOptions): Promise<Probed> => {
  const { graph } = model;
  const plan = planOf(graph, options.axes);
  const values = tensorValues(graph);
  const dtypes = elementTypes(graph);
  const shapeless = following(graph, plan.unranked);
  const dependent = dataDependent(graph);
  const integers = values.filter((v) => !dependent.has(v) && whole.has(dtypes.get(v) ?? 'undefined'));
  const unknown = values.filter((v) => !dtypes.has(v));
  const { bytes, shapes } = instrument(model, values, [...integers, ...unknown]);
  const batches = plan.fixed === undefined && plan.batchAxes.size > 0 ? [2, 3, 5] : [plan.fixed ?? 1];

  const measure = async (rows: number, seed: number, wanted: readonly string[]): Promise<Record<string, Tensor>> =>
    run(bytes, { ...feedsOf(plan, rows, seed), ...options.feeds?.(rows) }, wanted);
  const shapeOutputs = [...shapes.values()];
  const runs: Record<string, Tensor>[] = [];
  for (const rows of batches.slice(0, 2)) runs.push(await measure(rows, rows, shapeOutputs));
  const sizes = (i: number, v: string): readonly number[] => numbers(runs[i][shapes.get(v) ?? '']);
  const plain = values.every((v) =>
    sizes(0, v).every((d, k) => d === sizes(runs.length - 1, v)[k] || d + 1 === sizes(runs.length - 1, v)[k]),
  );
  if (batches.length > 2 && !plain) runs.push(await measure(batches[2], batches[2], shapeOutputs));
  const used = batches.slice(0, runs.length);
  // Shapes that follow the data differ between two sets of rows of one size.
  const again = graph.nodes.some((n) => dataShaped.has(n.op)) ? await measure(batches[0], 99, shapeOutputs) : undefined;

  const dimsOf = (v: string): readonly Dim[] | undefined => {
    const all = used.map((_, i) => sizes(i, v));
    if (all.some((s) => s.length !== all[0].length)) return undefined;
    const second = again && numbers(again[shapes.get(v) ?? '']);
    return all[0].map((d, axis) =>
      second && second[axis] !== d
        ? undefined
        : fitDim(
            used,
            all.map((s) => s[axis]),
          ),
    );
  };

  const fits = (v: string): boolean => sizes(0, v).reduce((n, d) => n * d, 1) <= small;
  const wanted = integers.filter(fits);
  const contents =
    wanted.length === 0
      ? new Map<string, Constant>()
      : contentsOf(await measure(batches[0], 1, wanted), await measure(batches[1] ?? batches[0], 1, wanted));
  for (const name of shapeless) contents.delete(name);
  if (unknown.length > 0) for (const [v, t] of Object.entries(await measure(batches[0], 1, unknown))) dtypes.set(v, t.dtype);

  const types = new Map<string, TensorType>();
  for (const [name, c] of graph.initializers) types.set(name, { kind: 'tensor', dtype: c.dtype, dims: c.dims });
  for (const i of plan.inputs)
    types.set(i.name, { kind: 'tensor', dtype: i.dtype, ...(shapeless.has(i.name) ? {} : { dims: inputDims(i.axes, plan) }) });
  for (const v of values) {
    const dims = shapeless.has(v) ? undefined : dimsOf(v);
    types.set(v, { kind: 'tensor', dtype: dtypes.get(v) ?? 'undefined', ...(dims ? { dims } : {}) });
  }
  return {
    types,
    batch: plan.fixed !== undefined ? 'fixed' : plan.batchAxes.size > 0 ? 'free' : 'none',
    ...(plan.fixed === undefined ? {} : { batchSize: plan.fixed }),
    batchAxes: plan.batchAxes,
    axes: plan.lengths,
    contents,
  };
};

const inputDims = (axes: Plan['inputs'][number]['axes'], plan: Plan): readonly Dim[] =>
  axes.map((a) => (a === 'batch' ? (plan.fixed ?? 'N') : a));
