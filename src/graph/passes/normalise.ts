import { Fault } from '../../base/fault.ts';
import { constantOf } from '../constant.ts';
import { emitter, type Given } from '../emit.ts';
import { infer } from '../infer.ts';
import { plainNode } from '../node.ts';
import type { Constant, Graph, Model, Node, TensorType, ValueType } from '../types.ts';
import { called, freshNames, mapSubgraphs, namesWithin, opsetOf } from '../walk.ts';
import { inlineFunctions } from './inline-functions.ts';
import { upgrades } from './upgrade/index.ts';
import type { Rewriter } from './upgrade/rewriter.ts';

/**
 * The dialect of every graph inside Assay: operator set 21 with IR version 10, the newest whose operators all have kernels on every
 * provider of ONNX Runtime 1.30 (22 renewed the convolutions, pools and recurrent cells for bfloat16 only). Newer files keep
 * their own version: the forms are the same.
 */
export const dialect: { readonly opset: number; readonly ir: number } = { opset: 21, ir: 10 };
/** ONNX Runtime reads operator sets from here on. */
const oldest = 7;

/** A node recorded by the emitter, which turns what is given into attributes. */
const recorded = (op: string, inputs: readonly string[], given: Readonly<Record<string, Given>>): Node => {
  const emit = emitter();
  emit.call(op, inputs, given);
  return emit.nodes[0];
};

interface Context {
  readonly versions: ReadonlyMap<Node, number>;
  readonly constants: ReadonlyMap<string, Constant>;
  readonly types: ReadonlyMap<string, TensorType>;
  /** Constants made on the way; they go to the main graph, which every subgraph sees. */
  readonly added: ReadonlyMap<string, Constant>;
  fresh(stem: string): string;
  /** Shares equal small constants among the new ones. */
  shared(constant: Constant): string;
}

/** `graph`, written for operator set `version`, in the current forms. */
const upgraded = (graph: Graph, outer: Context, version: number): Graph => {
  const types = new Map(outer.types);
  const constants = new Map([...outer.constants, ...graph.initializers]);
  const declare = (name: string, type: ValueType | undefined): void => {
    if (type?.kind === 'tensor' && type.dtype !== 'undefined') types.set(name, type);
  };
  for (const i of graph.inputs) declare(i.name, i.type);
  for (const [name, type] of graph.values) declare(name, type);
  for (const o of graph.outputs) declare(o.name, o.type);
  for (const [name, c] of graph.initializers) types.set(name, { kind: 'tensor', dtype: c.dtype, dims: c.dims });
  const context: Context = { ...outer, constants, types };
  const initializers = new Map(graph.initializers);
  const outputs = new Set(graph.outputs.map((o) => o.name));
  const nodes: Node[] = [];

  const heldBy = (v: string): Constant | undefined => constants.get(v) ?? outer.added.get(v);
  const typeOf = (v: string): TensorType | undefined => {
    const c = outer.added.get(v);
    return types.get(v) ?? (c && { kind: 'tensor', dtype: c.dtype, dims: c.dims });
  };
  const push = (node: Node): void => {
    nodes.push(node);
    const known = node.domain === '' ? infer(node, typeOf, heldBy) : [];
    node.outputs.forEach((o, i) => {
      const type = known[i];
      if (o && type && !types.has(o)) types.set(o, type);
    });
  };
  const store = (name: string, constant: Constant): void => {
    // A graph output stays the output of a node.
    const held = outputs.has(name) ? context.fresh(`${name}/value`) : name;
    initializers.set(held, constant);
    constants.set(held, constant);
    types.set(held, { kind: 'tensor', dtype: constant.dtype, dims: constant.dims });
    if (held !== name) push(plainNode('Identity', [held], name));
  };
  const rewriter = (node: Node, written: number): Rewriter => {
    const stem = node.name || node.outputs.find((o) => o) || node.op;
    const call = (op: string, inputs: readonly string[], given: Readonly<Record<string, Given>> = {}, output?: string): string => {
      const name = output ?? context.fresh(`${stem}/${op}`);
      push({ ...recorded(op, inputs, given), name, outputs: [name] });
      return name;
    };
    return {
      version: written,
      call,
      push,
      fresh: context.fresh,
      ints: (values) => context.shared(constantOf('int64', [values.length], values)),
      floats: (values) => context.shared(constantOf('float32', [values.length], values)),
      scalarLike: (value, x) => {
        const dtype = typeOf(x)?.dtype;
        if (dtype && dtype !== 'float16' && dtype !== 'bfloat16') return context.shared(constantOf(dtype, [], [value]));
        return call('CastLike', [context.shared(constantOf('float32', [], [value])), x]);
      },
      type: typeOf,
      constant: heldBy,
      store,
      refuse: (reason) => {
        throw new Fault('graph/unsupported', { node: called(node), reason });
      },
    };
  };

  for (const original of graph.nodes) {
    const written = outer.versions.get(original) ?? version;
    let node: Node | undefined = mapSubgraphs(original, (g) => upgraded(g, context, written));
    if (node.domain === '') {
      for (const { before, rewrite } of upgrades[node.op] ?? []) {
        if (node && written < before) node = rewrite(node, rewriter(node, written));
      }
    }
    if (node) push(node);
  }
  return { ...graph, nodes, initializers, inputs: graph.inputs.filter((i) => !graph.initializers.has(i.name)) };
};

/**
 * The model in one dialect: functions inlined, every operator in its form of operator set 21 (attributes that became inputs,
 * Softmax over one axis, Resize for Upsample, no inference Dropout), Constant nodes as initializers, and initializers that
 * are also inputs (overridable defaults) as initializers only. Value names stay. Law: the outputs are unchanged.
 */
export const normalise = (model: Model): Model => {
  const opset = opsetOf(model);
  if (opset > 0 && opset < oldest) throw new Fault('graph/opset', { opset, oldest });
  const { model: flat, versions } = inlineFunctions(model);
  const fresh = freshNames(namesWithin(flat.graph));
  const added = new Map<string, Constant>();
  const known = new Map<string, string>();
  const shared = (constant: Constant): string => {
    const key = `${constant.dtype}[${constant.dims.join()}]${constant.bytes?.join() ?? ''}`;
    const name = known.get(key) ?? fresh(`const/${constant.dtype}`);
    known.set(key, name);
    added.set(name, constant);
    return name;
  };
  const graph = upgraded(flat.graph, { versions, constants: new Map(), types: new Map(), added, fresh, shared }, opset);
  return {
    ...flat,
    irVersion: Math.max(flat.irVersion, dialect.ir),
    opsets: new Map([...flat.opsets, ['', Math.max(opset, dialect.opset)]]),
    graph: { ...graph, initializers: new Map([...graph.initializers, ...added]) },
  };
};
