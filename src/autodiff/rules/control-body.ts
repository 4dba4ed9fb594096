import { Fault } from '../../base/fault.ts';
import { chance } from '../../graph/chance.ts';
import { type Emit, emitter } from '../../graph/emit.ts';
import { bodyTypes, sequenceInputs } from '../../graph/infer-body.ts';
import { plainNode } from '../../graph/node.ts';
import { renamed } from '../../graph/passes/rename.ts';
import type { Dim, Graph, Node, ValueInfo, ValueType } from '../../graph/types.ts';
import { called, definedIn, readsOf, subgraphs } from '../../graph/walk.ts';
import type { Within } from '../rule.ts';

/** A body recorded inside `outer`, so that derivatives can be recorded behind its nodes. */
export interface Body {
  readonly emit: Emit;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** The first nodes of `emit` are the body's own. */
  readonly forward: number;
  /** Values that have the same size in every turn. */
  readonly steady: ReadonlySet<string>;
}

/** A body of `node` as it is, to look at. */
export const look = (outer: Emit, node: Node, graph: Graph, names: (name: string) => string = (name) => name): Body => {
  const { types, steady } = bodyTypes(node, graph, outer.type, outer.constantOf);
  return {
    emit: emitter({
      within: outer,
      sequences: sequenceInputs(node, outer.isSequence).map(names),
      nodes: graph.nodes,
      constants: graph.initializers,
      types,
    }),
    inputs: graph.inputs.map((i) => i.name),
    outputs: graph.outputs.map((o) => o.name),
    forward: graph.nodes.length,
    steady,
  };
};

const allDefined = (graph: Graph): Set<string> => {
  const out = definedIn(graph);
  for (const node of graph.nodes) for (const inner of subgraphs(node)) for (const name of allDefined(inner)) out.add(name);
  return out;
};

/** The body under names of its own, its constants moved outside. */
export const open = (outer: Emit, node: Node, graph: Graph): Body => {
  if (graph.sparseInitializers?.size)
    throw new Fault('graph/unsupported', { node: called(node), reason: 'its body holds a sparse tensor' });
  const names = new Map<string, string>();
  for (const [name, c] of graph.initializers) names.set(name, outer.constant(c));
  for (const name of allDefined(graph)) if (!names.has(name)) names.set(name, outer.fresh(name));
  const to = (name: string): string => names.get(name) ?? name;
  const nodes = renamed(graph, to).nodes.map((n, i) => ({ ...n, name: graph.nodes[i].name || n.name }));
  return look(outer, node, { ...renamed({ ...graph, initializers: new Map() }, to), nodes }, to);
};

/** For each value made in a body: the inputs and captured values that a derivative reaches from it. */
export const sources = (body: Body, within: Within): ReadonlyMap<string, ReadonlySet<string>> => {
  const out = new Map<string, ReadonlySet<string>>(body.inputs.map((name) => [name, new Set([name])]));
  for (const node of body.emit.nodes.slice(0, body.forward)) {
    const from = new Set<string>();
    for (const x of within.passing(body.emit, node)) for (const s of out.get(x) ?? [x]) from.add(s);
    for (const y of node.outputs) if (y) out.set(y, from);
  }
  return out;
};

/** What a derivative needs of a forward pass, and the nodes that make the derivative from it. */
export interface Plan {
  /** Forward values to keep. */
  readonly saved: readonly string[];
  /** Nodes that the forward pass gets for them: of a value that cannot be kept, its shape can. */
  readonly extra: readonly Node[];
  /** Inputs of the body that are read anew. */
  readonly inputs: ReadonlySet<string>;
  /** Nodes of the derivative's body: what is made anew, then the derivative. */
  readonly nodes: readonly Node[];
  /** Values of the body that are made outside instead, since they are the same in every turn. */
  readonly moved: ReadonlyMap<string, string>;
}
interface PlanOptions {
  /** Inputs of the body that the derivative gets anew; others are kept by the forward pass. */
  readonly keep: ReadonlySet<string>;
  /** For a body of several turns, the recorder around it: what is the same in every turn is made there, once. */
  readonly move?: Emit;
  /** Names that the derivative's body is given besides: cotangents. */
  readonly given?: Iterable<string>;
  /** Inputs that are known outside. */
  readonly moved?: ReadonlyMap<string, string>;
}

/** Views, which cost less to make again than to keep. */
const cheap = new Set(['Identity', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'ConstantOfShape', 'Expand', 'Range']);

/** Whether a value can be kept: a tensor of known rank and, to be laid beside those of other turns, of one size. */
const keepable = ({ emit, steady }: Body, value: string, turns: boolean): boolean => {
  const type = emit.type(value);
  if (!type?.dims || type.dtype === 'undefined') return false;
  return !turns || steady.has(value) || type.dims.every((d) => d !== undefined);
};

/** Values that are the same in every turn: made by nodes that read nothing of the body but such values. */
const invariants = (emit: Emit, made: ReadonlySet<string>): ReadonlySet<string> => {
  const out = new Set<string>();
  for (const node of emit.nodes) {
    if (subgraphs(node).length > 0 || chance.has(node.op)) continue;
    if (readsOf(node).every((x) => out.has(x) || !made.has(x))) for (const y of node.outputs) if (y) out.add(y);
  }
  return out;
};

/** Records what makes `value`, an invariant of the body, outside as well, and notes the names there. */
const outside = (emit: Emit, value: string, to: Emit, moved: Map<string, string>): string => {
  const known = moved.get(value);
  const node = known === undefined ? emit.producer(value) : undefined;
  if (!node) return known ?? value;
  const inputs = node.inputs.map((x) => (x ? outside(emit, x, to, moved) : x));
  const wanted = node.outputs.map((y) => y !== '');
  const names = to.calls(node.op, inputs, wanted, node.attributes, node.domain);
  node.outputs.forEach((y, i) => {
    if (!y) return;
    moved.set(y, names[i]);
    const type = emit.type(y);
    if (type && !to.type(names[i])) to.typed(names[i], type);
  });
  return moved.get(value) ?? value;
};

/** Divides the work for `results`, recorded behind a body, between the forward pass and the derivative's own body. */
export const plan = (body: Body, results: readonly string[], options: PlanOptions): Plan => {
  const { emit, forward } = body;
  const own = new Set(body.inputs);
  const index = new Map<Node, number>(emit.nodes.map((n, i) => [n, i]));
  const isForward = (node: Node): boolean => (index.get(node) ?? forward) < forward;
  const made = new Set([...own, ...(options.given ?? []), ...emit.nodes.flatMap((n) => n.outputs)]);
  const moved = new Map(options.moved);
  const saved = new Set<string>();
  const extra = new Set<Node>();
  const inputs = new Set<string>();
  const included = new Set<Node>();
  const turns = options.move !== undefined;
  const fixed = options.move ? invariants(emit, made) : new Set<string>();
  const remade = (node: Node): boolean =>
    cheap.has(node.op) || !node.outputs.every((y) => !y || keepable(body, y, turns && !chance.has(node.op)));
  /** The shape of a forward value that itself is not to be kept. */
  const shapeOnly = (node: Node): boolean => {
    const [x] = node.inputs;
    const maker = x ? emit.producer(x) : undefined;
    if ((node.op !== 'Shape' && node.op !== 'Size') || !turns || keepable(body, x, turns)) return false;
    return maker ? isForward(maker) : own.has(x) && !options.keep.has(x) && !moved.has(x);
  };

  const stack = [...results];
  for (let value = stack.pop(); value !== undefined; value = stack.pop()) {
    if (options.moved?.has(value) || saved.has(value)) continue;
    if (own.has(value)) (options.keep.has(value) ? inputs : saved).add(value);
    const node = emit.producer(value);
    if (!node || included.has(node)) continue;
    if (options.move && fixed.has(value)) outside(emit, value, options.move, moved);
    else if (isForward(node) ? !remade(node) : shapeOnly(node)) {
      saved.add(value);
      if (!isForward(node)) extra.add(node);
    } else {
      if (chance.has(node.op) && isForward(node))
        throw new Fault('graph/unsupported', {
          node: called(node),
          reason: 'what it drew cannot be kept for the derivative, since its rank is not known',
        });
      included.add(node);
      stack.push(...readsOf(node));
    }
  }
  return { saved: [...saved], extra: [...extra], inputs, nodes: emit.nodes.filter((n) => included.has(n)), moved };
};

/** A value of a body as its input or output: of known element type and rank, its sizes left to the run. */
export const port = (name: string, type: ValueType | undefined): ValueInfo => {
  if (type?.kind !== 'tensor') return type ? { name, type } : { name };
  return { name, type: { kind: 'tensor', dtype: type.dtype, ...(type.dims ? { dims: type.dims.map((): Dim => undefined) } : {}) } };
};

/** A graph of nodes recorded in a body. Outputs get nodes of their own where they have none, or are listed twice. */
export const graphOfNodes = (
  emit: Emit,
  name: string,
  nodes: readonly Node[],
  inputs: readonly ValueInfo[],
  outputs: readonly { readonly value: string; readonly type: ValueType | undefined }[],
  moved: ReadonlyMap<string, string> = new Map(),
): Graph => {
  const to = (v: string): string => moved.get(v) ?? v;
  const body = moved.size === 0 ? nodes : renamed(bare(nodes), to).nodes;
  const made = new Set(body.flatMap((n) => n.outputs));
  const listed = new Set<string>();
  const copies: Node[] = [];
  const ports = outputs.map(({ value, type }) => {
    const source = to(value);
    const direct = made.has(source) && !listed.has(source);
    const out = direct ? source : emit.fresh(`${source}/out`);
    listed.add(out);
    if (!direct) copies.push(plainNode('Identity', [source], out));
    return port(out, type);
  });
  return { name, inputs, outputs: ports, nodes: [...body, ...copies], initializers: new Map(), values: new Map() };
};
const bare = (nodes: readonly Node[]): Graph => ({ name: '', inputs: [], outputs: [], nodes, initializers: new Map(), values: new Map() });
