import type { Chosen, Options } from '../base/option.ts';
import type { DType, Tensor } from '../base/tensor.ts';
import { constantOf, numbersOf, tensorOf } from '../graph/constant.ts';
import { type Emit, emitter } from '../graph/emit.ts';
import { prune } from '../graph/passes/prune.ts';
import type { Constant, Dim, Graph, Model, Node, TensorType, ValueType } from '../graph/types.ts';
import { namesWithin, readsOf } from '../graph/walk.ts';
import type { Adversarial } from './adversarial.ts';
import type { Augment } from './augment.ts';
import type { LastLayer, Loss, LossScaling, Monitor, Optimizer, Regularizer } from './define.ts';
import type { Head } from './define-layers.ts';
import type { RowOutput } from './define-run.ts';
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

type MicroVariance = 'examples' | 'micro-batches';
/**
 * An update gathers the gradients of as many micro-batches as its inputs say; their variance is told by the gradients of single rows, or
 * by those of the micro-batches. `along`: also by their parts along the mean gradient and across it, for which an update may go through
 * its micro-batches again once the mean is known.
 */
export interface Micro {
  readonly variance: MicroVariance;
  readonly along: boolean;
}

/**
 * Of several ways through the graph every step takes one: the value `gates`, which the graph reads, is 1 at the choice of each block and
 * 0 elsewhere, block by block. Parameters of the other choices, and what the optimizer keeps of them, stay as they are.
 */
export interface PathSampling {
  readonly gates: string;
  /** Of each block the probability of each of its choices. */
  readonly chances: readonly (readonly number[])[];
  /** Of parameters that one choice alone reads: its place among the gates. */
  readonly places: ReadonlyMap<string, number>;
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
  /** Decay of the running mean of the parameters: e ← d·e + (1 − d)·θ after each update. */
  readonly ema?: number;
  /** Batches whose gradients are averaged before each update; absent for 1. */
  readonly accumulate?: number;
  readonly micro?: Micro;
  readonly paths?: PathSampling;
  /** Random changes of training rows. */
  readonly augment?: Augment;
  /** Rows are replaced by adversarial ones near them; absent where they are trained on as they are. */
  readonly adversarial?: Adversarial;
  /** `resident`: the whole dataset is an input and rows are gathered by index; `streamed`: each call brings its rows. */
  readonly data: 'resident' | 'streamed';
  /** Trained batch normalisations use the batch's statistics and update the stored ones, or use the stored ones as they are. */
  readonly statistics: 'batch' | 'stored';
  readonly precision: Precision;
  /** The last dense layer, where there is one: what parts read as features. */
  readonly layer?: LastLayer;
  readonly regularizers?: readonly Picked<Regularizer>[];
  readonly lossScaling?: Picked<LossScaling>;
  /** A head with values for the loss, by the names of the graph. */
  readonly head?: Picked<Head> & { readonly given: Readonly<Record<string, string>> };
  /** Rows come with shares of classes that take the place of labels; logits are divided by `temperature` in the loss. */
  readonly soft?: { readonly temperature: number };
  /** Rows come with weights, by which their losses are multiplied. */
  readonly weighs?: true;
  readonly monitors?: readonly Picked<Monitor>[];
  /** Numbers of every row, for the host. */
  readonly rowOutputs?: readonly RowOutput[];
  /**
   * Nothing holds a step back that is not finite, and those after it go on from what it left: whoever runs them looks for one and makes
   * those before it again. There are no micro-batches.
   */
  readonly unguarded?: true;
  /** Where the steps are for this machine's CPU alone: channels in a block of its convolutions (autodiff/blocked.ts), 0 where there are none. */
  readonly block?: number;
}

export const tensorType = (dtype: DType, dims: readonly Dim[]): TensorType => ({ kind: 'tensor', dtype, dims });
const asTensor = (type: ValueType | undefined): TensorType | undefined => (type?.kind === 'tensor' ? type : undefined);

/** Declared type of a graph input or output; its first axis is the batch. */
export const rowType = (graph: Graph, name: string): TensorType =>
  asTensor([...graph.inputs, ...graph.outputs].find((v) => v.name === name)?.type) ?? tensorType('float32', ['N']);

/** Labels are int64 [N]; values are shaped as the prediction. */
export const targetType = (graph: Graph, { classes, output, precision }: Pick<Plan, 'classes' | 'output' | 'precision'>): TensorType =>
  classes > 0 ? tensorType('int64', ['N']) : tensorType(precision, ['N', ...(rowType(graph, output).dims?.slice(1) ?? [])]);

/** Real options of a picked part as scalar graph inputs with their chosen values. */
export const hyperOf = (
  emit: Emit,
  { part, chosen }: Picked<{ readonly options: Options }>,
  stem: string,
  precision: Precision,
): { readonly names: Readonly<Record<string, string>>; readonly values: Readonly<Record<string, Tensor>> } => {
  const names: Record<string, string> = {};
  const values: Record<string, Tensor> = {};
  for (const [option, { kind }] of Object.entries(part.options)) {
    if (kind !== 'real') continue;
    names[option] = emit.typed(emit.fresh(`${stem}/${option}`), tensorType(precision, []));
    values[names[option]] = scalar(precision, Number(chosen[option]));
  }
  return { names, values };
};

export const scalar = (precision: Precision, value: number): Tensor => tensorOf(constantOf(precision, [], [value]));

/** Of these graph inputs those that some node reads. */
export const only = (values: Readonly<Record<string, Tensor>>, nodes: readonly Node[]): Record<string, Tensor> => {
  const read = new Set(nodes.flatMap((n) => readsOf(n)));
  return Object.fromEntries(Object.entries(values).filter(([name]) => read.has(name)));
};

/** A graph of ours as a model in the dialect of the plan's, without what nothing reads. */
export const modelOf = ({ irVersion, opsets }: Pick<Plan, 'irVersion' | 'opsets'>, graph: Graph): Model =>
  prune({
    irVersion,
    opsets,
    producer: 'assay',
    producerVersion: '',
    domain: '',
    version: 0,
    metadata: new Map(),
    functions: [],
    graph,
  });

/** The graph computed in `precision` throughout: stored floats and known types follow. */
export const inPrecision = (graph: Graph, precision: Precision): Graph => {
  if (precision === 'float32') return graph;
  const widened = (c: Constant): Constant => (c.dtype === 'float32' ? constantOf(precision, c.dims, numbersOf(c)) : c);
  const retyped = <T extends ValueType | undefined>(type: T): T =>
    type?.kind === 'tensor' && type.dtype === 'float32' ? { ...type, dtype: precision } : type;
  const node = (n: Node): Node => {
    const { value } = n.attributes;
    return n.op === 'Constant' && value?.type === 'tensor' ? { ...n, attributes: { value: { ...value, value: widened(value.value) } } } : n;
  };
  const info = ({ type, ...rest }: Graph['inputs'][number]) => (type ? { ...rest, type: retyped(type) } : rest);
  return {
    ...graph,
    nodes: graph.nodes.map(node),
    inputs: graph.inputs.map(info),
    outputs: graph.outputs.map(info),
    initializers: new Map(Array.from(graph.initializers, ([name, c]) => [name, widened(c)])),
    values: new Map(Array.from(graph.values, ([name, type]) => [name, retyped(type)])),
  };
};

/** Batch normalisations that use the statistics of the batch: those whose scale or shift is trained. */
export const batchNorms = (graph: Graph, { groups, statistics }: Pick<Plan, 'groups' | 'statistics'>): ReadonlySet<Node> => {
  if (statistics === 'stored') return new Set();
  const names = new Set(groups.flatMap((g) => g.parameters.map((p) => p.name)));
  return new Set(graph.nodes.filter((n) => n.op === 'BatchNormalization' && n.inputs.slice(1, 3).some((name) => names.has(name))));
};

/** An emitter that knows the graph's types and constants except those that arrive from outside, and writes scalars in `precision`. */
export const stepEmitter = (graph: Graph, outside: ReadonlySet<string>, precision: Precision): Emit => {
  const types = new Map<string, TensorType>();
  for (const [name, type] of graph.values) {
    const tensor = asTensor(type);
    if (tensor) types.set(name, tensor);
  }
  for (const { name, type } of [...graph.inputs, ...graph.outputs]) {
    const tensor = asTensor(type);
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
