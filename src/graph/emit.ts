import type { DType } from '../base/tensor.ts';
import { chance } from './chance.ts';
import { constantOf } from './constant.ts';
import { inferNode, sequences } from './infer-body.ts';
import { plainNode } from './node.ts';
import { joinReshapes } from './passes/join-reshapes.ts';
import type { Attribute, Attributes, Constant, Graph, Node, TensorType, ValueInfo } from './types.ts';

/** Attribute values as written in a call: a number is an int, `float(x)` a float. */
export type Given = number | string | readonly number[] | Attribute | Graph | undefined;
export const float = (value: number): Attribute => ({ type: 'float', value });
export const floats = (value: readonly number[]): Attribute => ({ type: 'floats', value });

const attribute = (value: Exclude<Given, undefined>): Attribute => {
  if (typeof value === 'number') return { type: 'int', value };
  if (typeof value === 'string') return { type: 'string', value };
  if ('nodes' in value) return { type: 'graph', value };
  if ('type' in value) return value;
  return { type: 'ints', value };
};

const attributesOf = (given: Readonly<Record<string, Given>>): Attributes =>
  Object.fromEntries(Object.entries(given).flatMap(([k, v]) => (v === undefined ? [] : [[k, attribute(v)]])));

/** Operators with one output that are recorded by calling them: `emit.Mul(a, b)`, `emit.Softmax(x, { axis: -1 })`. */
const sugar = [
  'Abs',
  'Add',
  'And',
  'ArgMax',
  'AveragePool',
  'Cast',
  'Ceil',
  'Clip',
  'Concat',
  'Conv',
  'ConvTranspose',
  'Cos',
  'CumSum',
  'Div',
  'Einsum',
  'Equal',
  'Erf',
  'Exp',
  'Expand',
  'Flatten',
  'Floor',
  'Gather',
  'GatherElements',
  'GatherND',
  'Gemm',
  'Greater',
  'GreaterOrEqual',
  'Identity',
  'IsInf',
  'IsNaN',
  'Less',
  'LessOrEqual',
  'Log',
  'LogSoftmax',
  'MatMul',
  'Max',
  'Min',
  'Mul',
  'Neg',
  'Not',
  'OneHot',
  'Or',
  'Pad',
  'Pow',
  'Range',
  'Reciprocal',
  'ReduceMax',
  'ReduceMean',
  'ReduceMin',
  'ReduceSum',
  'Relu',
  'Reshape',
  'ScatterElements',
  'ScatterND',
  'Shape',
  'Sigmoid',
  'Sign',
  'Sin',
  'Size',
  'Slice',
  'Softmax',
  'Softplus',
  'Sqrt',
  'Squeeze',
  'Sub',
  'Tanh',
  'Tile',
  'Transpose',
  'Trilu',
  'Unsqueeze',
  'Where',
] as const;
type Sugar = { readonly [Op in (typeof sugar)[number]]: (...args: readonly (string | Readonly<Record<string, Given>>)[]) => string };

export interface Emit extends Sugar {
  /** Any operator with one output. Trailing '' inputs are dropped. */
  call(op: string, inputs: readonly string[], attributes?: Readonly<Record<string, Given>>, domain?: string): string;
  /** Any operator with several outputs; `used[i]` false leaves output i out ('' in its place). */
  calls(
    op: string,
    inputs: readonly string[],
    outputs: number | readonly boolean[],
    attributes?: Readonly<Record<string, Given>>,
    domain?: string,
  ): string[];
  /** A 0-d constant. */
  scalar(value: number, dtype?: DType): string;
  /** A 1-d int64 constant: axes, shapes, indices. */
  ints(values: readonly number[]): string;
  /** Any constant, shared with an equal one. */
  constant(constant: Constant): string;
  /** A constant under a name of its own. */
  hold(name: string, constant: Constant): string;
  /** Makes `value` known under `name` as well (an Identity). */
  rename(value: string, name: string): string;
  /** A fresh value name that no node or constant uses. */
  fresh(stem: string): string;
  /** Type of a value, where known: given by probing or the caller, or inferred (infer.ts) when the operator is recorded. */
  type(value: string): TensorType | undefined;
  typed(value: string, type: TensorType): string;
  /** Whether a value is known to be a sequence: made by an operator that makes one, or told. */
  isSequence(value: string): boolean;
  listed(value: string): void;
  /** The elements of a value, where it is a constant or known to be constant. */
  constantOf(value: string): Constant | undefined;
  /** The node that makes a value. */
  producer(value: string): Node | undefined;
  /** Says that `value`, however it was recorded, is what one operator would make: it is differentiated as that. */
  means(value: string, op: string, inputs: readonly string[], attributes?: Readonly<Record<string, Given>>, domain?: string): string;
  /** The node that a value is differentiated as: what it means, else its producer. */
  meaning(value: string): Node | undefined;
  /** A property of a value that one rule leaves for another. */
  mark(value: string, property: string): string;
  marked(value: string, property: string): boolean;
  /** Appends a node as it is, under its own output names. */
  node(node: Node): void;
  /** Puts `by` in the place of a recorded node: the same outputs and perhaps more, from inputs that are there already. */
  replace(node: Node, by: Node): void;
  readonly nodes: readonly Node[];
  readonly constants: ReadonlyMap<string, Constant>;
  readonly types: ReadonlyMap<string, TensorType>;
  /** Everything recorded so far as a graph with these inputs and outputs; a Reshape of a Reshape is one. */
  graph(name: string, inputs: readonly ValueInfo[], outputs: readonly ValueInfo[]): Graph;
}

/** Larger constants are not compared: those of rules (axes, masks, one-hot kernels) are smaller. */
const sharedBytes = 65536;
const latin1 = new TextDecoder('latin1');

const keyOf = (op: string, domain: string, inputs: readonly string[], attributes: Attributes, outputs: string): string | undefined => {
  const parts = Object.keys(attributes)
    .sort()
    .map((k) => [k, attributes[k].type === 'graph' ? canonical(attributes[k].value) : attributes[k]] as const);
  if (
    chance.has(op) ||
    parts.some(([, a]) => !a || (typeof a === 'object' && (a.type === 'graphs' || a.type === 'tensor' || a.type === 'tensors')))
  )
    return undefined;
  return JSON.stringify([op, domain, inputs, parts, outputs]);
};
/** A body with its own names numbered: equal for two that compute the same of the values around them. Undefined where bodies are not compared. */
const canonical = (graph: Graph): string | undefined => {
  if (graph.initializers.size > 0 || graph.sparseInitializers?.size) return undefined;
  const numbers = new Map<string, number>();
  const number = (name: string): number => {
    if (!numbers.has(name)) numbers.set(name, numbers.size);
    return numbers.get(name) ?? 0;
  };
  const inputs = graph.inputs.map((i) => number(i.name));
  const nodes = graph.nodes.map((n) => {
    const key = keyOf(n.op, n.domain, [], n.attributes, '');
    return key && [key, n.inputs.map((x) => numbers.get(x) ?? x), n.outputs.map((y) => (y ? number(y) : y))];
  });
  return nodes.every((n) => n) ? JSON.stringify([inputs, nodes, graph.outputs.map((o) => numbers.get(o.name) ?? o.name)]) : undefined;
};

/**
 * Records operators as they are called. Equal calls (same operator, inputs, attributes) share one node, equal small
 * constants one initializer. Starts from `base`, whose nodes, constants and types it takes over. With `within` it records the
 * body of a node of that recorder: values around it are known, names stay unique in both, and new constants go outside.
 */
export const emitter = (base?: {
  readonly nodes?: readonly Node[];
  readonly constants?: ReadonlyMap<string, Constant>;
  readonly types?: ReadonlyMap<string, TensorType>;
  readonly taken?: Iterable<string>;
  /** Values computed by nodes whose elements are known all the same (shape arithmetic, from probing). */
  readonly contents?: ReadonlyMap<string, Constant>;
  readonly within?: Emit;
  /** Values that are sequences, besides those that operators make. */
  readonly sequences?: Iterable<string>;
}): Emit => {
  const within = base?.within;
  const nodes: Node[] = [];
  const constants = new Map(base?.constants);
  const types = new Map(base?.types);
  const producers = new Map<string, Node>();
  const meanings = new Map<string, Node>();
  const marks = new Set<string>();
  const shared = new Map<string, readonly string[]>();
  const sharedConstants = new Map<string, string>();
  const used = new Set<string>([...constants.keys(), ...types.keys(), ...(base?.taken ?? [])]);
  for (const [name, c] of constants) if (!types.has(name)) types.set(name, { kind: 'tensor', dtype: c.dtype, dims: c.dims });
  const counters = new Map<string, number>();

  const contentOf = (value: string): Constant | undefined =>
    constants.get(value) ?? base?.contents?.get(value) ?? within?.constantOf(value);
  const typeOf = (value: string): TensorType | undefined => types.get(value) ?? within?.type(value);
  const lists = new Set(base?.sequences);
  const isSequence = (value: string): boolean => lists.has(value) || (within?.isSequence(value) ?? false);
  const fresh = (stem: string): string => {
    if (within) return within.fresh(stem);
    if (!used.has(stem)) {
      used.add(stem);
      return stem;
    }
    let n = counters.get(stem) ?? 0;
    while (used.has(`${stem}_${++n}`));
    counters.set(stem, n);
    used.add(`${stem}_${n}`);
    return `${stem}_${n}`;
  };
  const push = (node: Node, key: string | undefined): void => {
    nodes.push(node);
    const known = node.outputs.every((output) => !output || types.has(output)) ? [] : inferNode(node, typeOf, contentOf);
    const listed = sequences(node, isSequence);
    node.outputs.forEach((output, i) => {
      if (!output) return;
      used.add(output);
      producers.set(output, node);
      if (listed[i]) lists.add(output);
      const type = known[i];
      if (type && !types.has(output)) types.set(output, type);
    });
    if (key) shared.set(key, node.outputs);
  };
  const calls = (
    op: string,
    given: readonly string[],
    outputs: number | readonly boolean[],
    attrs: Readonly<Record<string, Given>> = {},
    domain = '',
  ): string[] => {
    const inputs = [...given];
    while (inputs.at(-1) === '') inputs.pop();
    const attributes = attributesOf(attrs);
    const wanted = typeof outputs === 'number' ? Array.from({ length: outputs }, () => true) : outputs;
    const key = keyOf(op, domain, inputs, attributes, wanted.map(Number).join(''));
    const known = key && shared.get(key);
    if (known) return [...known];
    const names = wanted.map((w, i) => (w ? fresh(`_${op}${wanted.length > 1 ? `.${i}` : ''}`) : ''));
    push({ op, domain, name: names.find((n) => n) ?? op, inputs, outputs: names, attributes }, key);
    return names;
  };
  const constant = (c: Constant): string => {
    if (within) return within.constant(c);
    const key = c.bytes && c.bytes.length <= sharedBytes ? `${c.dtype}[${c.dims.join()}]${latin1.decode(c.bytes)}` : undefined;
    const known = key && sharedConstants.get(key);
    if (known) return known;
    const name = fresh('_c');
    constants.set(name, c);
    types.set(name, { kind: 'tensor', dtype: c.dtype, dims: c.dims });
    if (key) sharedConstants.set(key, name);
    return name;
  };

  const emit = {
    calls,
    call: (op: string, inputs: readonly string[], attributes?: Readonly<Record<string, Given>>, domain?: string): string =>
      calls(op, inputs, 1, attributes, domain)[0],
    constant,
    scalar: (value: number, dtype: DType = 'float32'): string => constant(constantOf(dtype, [], [value])),
    ints: (values: readonly number[]): string => constant(constantOf('int64', [values.length], values)),
    hold(name: string, c: Constant): string {
      used.add(name);
      constants.set(name, c);
      types.set(name, { kind: 'tensor', dtype: c.dtype, dims: c.dims });
      return name;
    },
    fresh,
    rename(value: string, name: string): string {
      push(plainNode('Identity', [value], name), undefined);
      const type = typeOf(value);
      if (type) types.set(name, type);
      return name;
    },
    type: typeOf,
    typed(value: string, type: TensorType): string {
      types.set(value, type);
      return value;
    },
    isSequence,
    listed: (value: string) => void lists.add(value),
    constantOf: contentOf,
    producer: (value: string) => producers.get(value),
    means(value: string, op: string, inputs: readonly string[], given: Readonly<Record<string, Given>> = {}, domain = ''): string {
      meanings.set(value, { op, domain, name: value, inputs, outputs: [value], attributes: attributesOf(given) });
      return value;
    },
    meaning: (value: string) => meanings.get(value) ?? producers.get(value),
    mark(value: string, property: string): string {
      marks.add(`${property}\0${value}`);
      return value;
    },
    marked: (value: string, property: string) => marks.has(`${property}\0${value}`),
    node: (node: Node) =>
      push(
        node,
        node.outputs.every((o) => o)
          ? keyOf(node.op, node.domain, node.inputs, node.attributes, node.outputs.map(() => 1).join(''))
          : undefined,
      ),
    replace(node: Node, by: Node): void {
      const at = nodes.indexOf(node);
      if (at >= 0) nodes[at] = by;
      for (const output of by.outputs) if (output) producers.set(output, by);
    },
    nodes,
    constants,
    types,
    graph: (name: string, inputs: readonly ValueInfo[], outputs: readonly ValueInfo[]): Graph =>
      joinReshapes(
        { name, inputs, outputs, nodes: [...nodes], initializers: new Map(constants), values: new Map(types) },
        within?.constantOf,
      ),
  };
  for (const node of base?.nodes ?? []) emit.node(node);
  for (const op of sugar) {
    Object.assign(emit, {
      [op]: (...args: readonly (string | Readonly<Record<string, Given>>)[]): string => {
        const last = args.at(-1);
        return typeof last === 'object' ? emit.call(op, args.slice(0, -1) as string[], last) : emit.call(op, args as string[]);
      },
    });
  }
  return emit as unknown as Emit;
};
