import { Fault } from '../base/fault.ts';
import { random } from '../base/random.ts';
import { sizeOf } from '../base/tensor.ts';
import { intOf } from '../graph/attribute.ts';
import { emitter } from '../graph/emit.ts';
import { prune } from '../graph/passes/prune.ts';
import { penultimate } from '../graph/penultimate.ts';
import type { Constant, Dim, Graph, Model, Node, TensorType } from '../graph/types.ts';
import { called, namesWithin } from '../graph/walk.ts';
import { netOver } from './build.ts';
import type { LastLayer } from './define.ts';
import type { ClassMeans, Head, HeadFiles } from './define-layers.ts';
import { type Initialisation, initialise } from './initialise.ts';
import type { Picked } from './plan.ts';

/** The model's last dense layer as the plan's parts read it; undefined where it ends in something else. */
export const lastLayer = (graph: Graph, output: string): LastLayer | undefined => {
  const found = penultimate(graph, output);
  if ('stuck' in found) return undefined;
  const { head, features } = found;
  const stored = (name: string | undefined): boolean => name !== undefined && graph.initializers.has(name);
  if (head.inputs[0] !== features || !stored(head.inputs[1])) return undefined;
  if (head.op === 'Gemm' && intOf(head, 'transA', 0) === 0)
    return { features, weight: head.inputs[1], bias: head.inputs[2] ?? '', transposed: intOf(head, 'transB', 0) === 0 };
  if (head.op !== 'MatMul') return undefined;
  const add = graph.nodes.find((n) => n.op === 'Add' && n.inputs.includes(head.outputs[0]));
  const bias = add?.inputs.find((i) => stored(i)) ?? '';
  return { features, weight: head.inputs[1], bias, transposed: true };
};

/** A model with a new head, its further outputs being what the head gives the loss. */
export interface Headed {
  readonly model: Model;
  readonly output: string;
  readonly given: Readonly<Record<string, string>>;
  /** Stored values of the head that are not trained. */
  readonly fixed: readonly string[];
  /** Parameters with first values of their own, which no rule of initialisation draws. */
  readonly begun: readonly string[];
  readonly classMeans?: ClassMeans;
  /** What to know about it, in sentences. */
  readonly notes: readonly string[];
}

const cutAt = (graph: Graph, output: string, name: string): { readonly features: string; readonly head: Node } => {
  const found = penultimate(graph, output);
  if (!('stuck' in found)) return found;
  throw new Fault('training/no-last-layer', { model: name, output, node: found.stuck ? called(found.stuck) : 'its input' });
};

/**
 * The model cut off before its last layer with weights, and the head in its place under the name `output`. Parameters of the
 * head are drawn by `init`, or by torch's rule where the model keeps its values.
 */
export const withHead = (
  model: Model,
  { part, chosen }: Picked<Head>,
  given: {
    readonly name: string;
    readonly output: string;
    /** Type of a value of the graph, where known. */
    readonly typeOf: (value: string) => TensorType | undefined;
    readonly classes: number;
    readonly init: Initialisation;
    readonly seed: number;
    readonly files?: HeadFiles;
  },
): Headed => {
  const { graph } = model;
  const { features } = cutAt(graph, given.output, given.name);
  const row = (given.typeOf(features)?.dims ?? []).slice(1);
  if (row.length === 0 || !row.every((d): d is number => typeof d === 'number'))
    throw new Fault('training/no-last-layer', { model: given.name, output: given.output, node: `'${features}', whose width is not known` });
  const emit = emitter({ taken: [...namesWithin(graph), ...graph.initializers.keys()] });
  const stored = new Map<string, Constant>();
  const first = new Set<string>();
  const trained = new Set<string>();
  const recorder = netOver(emit, stored);
  const net: typeof recorder = {
    ...recorder,
    parameter(name, dims, values) {
      trained.add(name);
      if (values) first.add(name);
      return recorder.parameter(name, dims, values ?? plainFirst(name, dims, given.seed));
    },
  };
  emit.typed(features, { kind: 'tensor', dtype: 'float32', dims: ['N', ...row] });
  const width = sizeOf(row);
  const flat = row.length === 1 ? features : net.layer('Flatten', 'head.flat', [features], { axis: { type: 'int', value: 1 } }, [width]);
  const built = part.build(
    net,
    flat,
    { width, classes: given.classes, ...(given.files ? { files: given.files } : {}) },
    chosen,
    random(given.seed, `head/${part.id}`),
  );
  const outputs = part.outputs?.(given.classes, chosen) ?? given.classes;
  const made = new Set(emit.nodes.flatMap((n) => n.outputs));
  const before = new Set([...namesWithin(graph), ...graph.initializers.keys()]);
  // The old last layers go, so their names are free; what the head names alike is told apart.
  const kept = keptNames(graph, features);
  const rename = (value: string): string => {
    if (value === built.logits) return given.output;
    return (made.has(value) || stored.has(value)) && before.has(value) && kept.has(value) ? `new.${value}` : value;
  };
  const body = graph.nodes.filter((n) => n.outputs.some((o) => kept.has(o)));
  const nodes = emit.nodes.map((n) => ({ ...n, inputs: n.inputs.map(rename), outputs: n.outputs.map(rename) }));
  const added = new Map(Array.from(stored, ([name, c]) => [rename(name), c]));
  const values = new Map(graph.values);
  for (const n of graph.nodes) if (!body.includes(n)) for (const o of n.outputs) values.delete(o);
  for (const [name, type] of emit.types) if (made.has(name)) values.set(rename(name), type);
  const info = (name: string, dims: readonly Dim[]) => ({ name, type: { kind: 'tensor', dtype: 'float32', dims } as const });
  const extra = Object.fromEntries(Object.entries(built.given ?? {}).map(([key, value]) => [key, rename(value)]));
  const { classMeans } = built;
  const means = classMeans && { parameter: rename(classMeans.parameter), value: rename(classMeans.value) };
  const further = [...new Set([...Object.values(extra), ...(means ? [means.value] : [])])].filter(
    (name) => name !== given.output && !added.has(name),
  );
  const whole: Graph = {
    ...graph,
    nodes: [...body, ...nodes],
    initializers: new Map([...graph.initializers, ...added]),
    values,
    outputs: [info(given.output, ['N', outputs]), ...further.map((name) => ({ name }))],
  };
  const drawn = new Set([...trained].filter((name) => !first.has(name)).map(rename));
  const fresh = (name: string): boolean => drawn.has(name);
  const kind = given.init === 'keep' ? 'torch-default' : given.init;
  const fixed = [...stored.keys()].filter((name) => !trained.has(name)).map(rename);
  const headed = prune({ ...model, graph: initialise(whole, kind, given.seed, fresh) });
  const begun = [...first].map(rename);
  return {
    model: headed,
    output: given.output,
    given: extra,
    fixed,
    begun,
    notes: built.notes ?? [],
    ...(means ? { classMeans: means } : {}),
  };
};

/** U(±1/√fanIn): what stays where no rule of initialisation knows the use of a parameter. */
const plainFirst = (name: string, dims: readonly number[], seed: number): Float64Array => {
  const chance = random(seed, `init/${name}`);
  const bound = 1 / Math.sqrt(Math.max(1, sizeOf(dims.slice(1))));
  return Float64Array.from({ length: sizeOf(dims) }, () => (2 * chance.next() - 1) * bound);
};

/** Everything that `value` depends on, itself included. */
const keptNames = (graph: Graph, value: string): ReadonlySet<string> => {
  const kept = new Set([value]);
  for (const node of graph.nodes.toReversed()) {
    if (node.outputs.some((o) => kept.has(o))) for (const name of node.inputs) kept.add(name);
  }
  for (const node of graph.nodes) if (node.outputs.some((o) => kept.has(o))) for (const o of node.outputs) kept.add(o);
  return kept;
};
