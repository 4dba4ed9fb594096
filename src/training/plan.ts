import type { Chosen, Options } from '../base/option.ts';
import { constantOf, numbersOf } from '../graph/constant.ts';
import { type Emit, emitter } from '../graph/emit.ts';
import type { Constant, Graph, Node, TensorType, ValueType } from '../graph/types.ts';
import { namesWithin } from '../graph/walk.ts';
import type { Loss, Optimizer } from './define.ts';
import type { Precision } from './layout.ts';
import type { Parameter } from './parameters.ts';

/** A part with the options chosen for it. */
export interface Picked<P> {
  readonly part: P;
  readonly chosen: Chosen<Options>;
}

/** Parameters that share a rate and a decay. */
export interface Group {
  readonly parameters: readonly Parameter[];
  readonly lrScale: number;
  /** In place of the optimizer's own. */
  readonly weightDecay?: number;
}

/** Everything a training step is compiled from. */
export interface Plan {
  /** The forward graph in inference form, one dialect, types known. */
  readonly graph: Graph;
  readonly opsets: ReadonlyMap<string, number>;
  readonly irVersion: number;
  /** Graph input that receives the rows, and output that the loss reads. */
  readonly input: string;
  readonly output: string;
  /** 0 for a regression. */
  readonly classes: number;
  readonly loss: Picked<Loss>;
  readonly optimizer: Picked<Optimizer>;
  readonly groups: readonly Group[];
  readonly clip?: { readonly norm: number } | { readonly value: number };
  /** `resident`: the whole dataset is an input and rows are gathered by index; `streamed`: each call brings its rows. */
  readonly data: 'resident' | 'streamed';
  readonly precision: Precision;
}

const tensorType = (type: ValueType | undefined): TensorType | undefined => (type?.kind === 'tensor' ? type : undefined);

/** The graph computed in `precision` throughout: stored floats and known types follow. */
export const inPrecision = (graph: Graph, precision: Precision): Graph => {
  if (precision === 'float32') return graph;
  const widened = (c: Constant): Constant => (c.dtype === 'float32' ? constantOf(precision, c.dims, numbersOf(c)) : c);
  const retyped = <T extends ValueType | undefined>(type: T): T =>
    type?.kind === 'tensor' && type.dtype === 'float32' ? { ...type, dtype: precision } : type;
  const info = ({ type, ...rest }: Graph['inputs'][number]) => (type ? { ...rest, type: retyped(type) } : rest);
  return {
    ...graph,
    inputs: graph.inputs.map(info),
    outputs: graph.outputs.map(info),
    initializers: new Map(Array.from(graph.initializers, ([name, c]) => [name, widened(c)])),
    values: new Map(Array.from(graph.values, ([name, type]) => [name, retyped(type)])),
  };
};

/** Batch normalisations that are trained: they use the batch's statistics and update the stored ones. */
export const trainedNorms = (graph: Graph, parameters: readonly Parameter[]): ReadonlySet<Node> => {
  const names = new Set(parameters.map((p) => p.name));
  return new Set(graph.nodes.filter((n) => n.op === 'BatchNormalization' && n.inputs.slice(1, 3).some((name) => names.has(name))));
};

/** An emitter that knows the graph's types and constants except those that arrive from outside, and writes scalars in `precision`. */
export const stepEmitter = (graph: Graph, outside: ReadonlySet<string>, precision: Precision): Emit => {
  const types = new Map<string, TensorType>();
  for (const [name, type] of graph.values) {
    const tensor = tensorType(type);
    if (tensor) types.set(name, tensor);
  }
  for (const { name, type } of [...graph.inputs, ...graph.outputs]) {
    const tensor = tensorType(type);
    if (tensor && !types.has(name)) types.set(name, tensor);
  }
  for (const name of outside) {
    const c = graph.initializers.get(name);
    if (c) types.set(name, { kind: 'tensor', dtype: c.dtype, dims: c.dims });
  }
  const constants = new Map(Array.from(graph.initializers).filter(([name]) => !outside.has(name)));
  const emit = emitter({ constants, types, taken: namesWithin(graph) });
  return { ...emit, scalar: (value, dtype = precision) => emit.scalar(value, dtype) };
};
