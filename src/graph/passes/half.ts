import { fromBfloat, fromHalf, toBfloat, toHalf } from '../../base/half.ts';
import type { DType } from '../../base/tensor.ts';
import { constantOf, dataOf } from '../constant.ts';
import { dtypes } from '../schema.ts';
import type { Attribute, Constant, Graph, Model, Node, TensorType, ValueInfo, ValueType } from '../types.ts';
import { freshNames, mapSubgraphs, namesWithin, subgraphs } from '../walk.ts';

const isHalf = (dtype: DType | undefined): boolean => dtype === 'float16' || dtype === 'bfloat16';
const code = (dtype: DType): number => dtypes.indexOf(dtype);
const halfCodes: ReadonlySet<number> = new Set([code('float16'), code('bfloat16')]);
/** Attributes that name an element type. */
const typeAttributes: ReadonlySet<string> = new Set(['to', 'dtype', 'output_dtype', 'output_datatype', 'stash_type']);

const mentions = (type: ValueType | undefined): boolean => {
  if (!type || type.kind === 'sparse') return false;
  if (type.kind === 'tensor') return isHalf(type.dtype);
  return mentions(type.of);
};
const attributeIsHalf = (name: string, a: Attribute): boolean =>
  (a.type === 'tensor' && isHalf(a.value.dtype)) || (a.type === 'int' && typeAttributes.has(name) && halfCodes.has(a.value));
const hasHalf = (graph: Graph): boolean =>
  [...graph.inputs, ...graph.outputs].some((v) => mentions(v.type)) ||
  Array.from(graph.initializers.values()).some((c) => isHalf(c.dtype)) ||
  graph.nodes.some((n) => Object.entries(n.attributes).some(([k, a]) => attributeIsHalf(k, a)) || subgraphs(n).some(hasHalf));

const wideType = (type: ValueType): ValueType => {
  if (type.kind === 'tensor') return isHalf(type.dtype) ? { ...type, dtype: 'float32' } : type;
  return type.kind === 'sparse' || !type.of ? type : { ...type, of: wideType(type.of) };
};
const wideInfo = (info: ValueInfo): ValueInfo => (info.type ? { ...info, type: wideType(info.type) } : info);
const wideConstant = (c: Constant): Constant =>
  c.bytes ? constantOf('float32', c.dims, Float32Array.from(dataOf(c) as Uint16Array, c.dtype === 'float16' ? fromHalf : fromBfloat)) : c;
const wideAttribute = (name: string, a: Attribute): Attribute => {
  if (!attributeIsHalf(name, a)) return a;
  return a.type === 'tensor' ? { type: 'tensor', value: wideConstant(a.value) } : { type: 'int', value: code('float32') };
};

const wide = (graph: Graph): Graph => ({
  ...graph,
  inputs: graph.inputs.map(wideInfo),
  outputs: graph.outputs.map(wideInfo),
  initializers: new Map(Array.from(graph.initializers, ([name, c]) => [name, isHalf(c.dtype) ? wideConstant(c) : c])),
  nodes: graph.nodes.map((node): Node => {
    const inner = mapSubgraphs(node, wide);
    return { ...inner, attributes: Object.fromEntries(Object.entries(inner.attributes).map(([k, a]) => [k, wideAttribute(k, a)])) };
  }),
  values: new Map(Array.from(graph.values, ([name, type]) => [name, wideType(type)])),
});

/**
 * A model in half precision as the same model in float32, its parameters, inputs and outputs too, all under their names: what is
 * trained. Weights are in memory. Other models are given back as they are.
 */
export const asFloat32 = (model: Model): Model => (hasHalf(model.graph) ? { ...model, graph: wide(model.graph) } : model);

/** The graph with the stored values of `from` under the same names and of the same shapes, rounded to half precision where it has that. */
export const withValues = (graph: Graph, from: Graph): Graph => ({
  ...graph,
  initializers: new Map(
    Array.from(graph.initializers, ([name, c]) => {
      const other = from.initializers.get(name);
      if (!other || other.dims.join() !== c.dims.join()) return [name, c];
      if (isHalf(c.dtype) && other.bytes) return [name, rounded(c, dataOf(other) as Float32Array)];
      return [name, other.dtype === c.dtype ? other : c];
    }),
  ),
});
const rounded = ({ dtype, dims }: Constant, values: Float32Array): Constant => {
  const bits = Uint16Array.from(values, dtype === 'float16' ? toHalf : toBfloat);
  return { dtype, dims, bytes: new Uint8Array(bits.buffer) };
};

type Fresh = (stem: string) => string;
const castNode = (from: string, to: string, dtype: DType): Node => ({
  op: 'Cast',
  domain: '',
  name: to,
  inputs: [from],
  outputs: [to],
  attributes: { to: { type: 'int', value: code(dtype) } },
});
const halfType = (type: ValueType | undefined): TensorType | undefined =>
  type?.kind === 'tensor' && type.dtype === 'float16' ? type : undefined;

/** `around` maps half values of enclosing graphs to their float32 form. */
const widened = (graph: Graph, around: ReadonlyMap<string, string>, fresh: Fresh, isMain: boolean): Graph => {
  const names = new Map(around);
  const [first, last]: [Node[], Node[]] = [[], []];
  const wide = (name: string): string => {
    const other = fresh(`${name}/float32`);
    names.set(name, other);
    return other;
  };
  const initializers = new Map(graph.initializers);
  for (const [name, c] of graph.initializers) {
    if (!isHalf(c.dtype)) continue;
    // A number, no parameter: rules look at exponents and bounds.
    if (c.dims.length === 0 && c.bytes) initializers.set(name, wideConstant(c));
    else first.push(castNode(name, wide(name), 'float32'));
  }
  const made = new Set(graph.nodes.flatMap((n) => n.outputs));
  if (isMain) {
    for (const { name, type } of graph.inputs) if (halfType(type)) first.push(castNode(name, wide(name), 'float32'));
    for (const { name, type } of graph.outputs) if (halfType(type) && made.has(name)) last.push(castNode(wide(name), name, 'float16'));
  }
  const to = (name: string): string => names.get(name) ?? name;
  const nodes = graph.nodes.map((node): Node => {
    const inner = mapSubgraphs(node, (g) => widened(g, names, fresh, false));
    const attributes = Object.fromEntries(Object.entries(inner.attributes).map(([k, a]) => [k, wideAttribute(k, a)]));
    return { ...inner, inputs: node.inputs.map(to), outputs: node.outputs.map(to), attributes };
  });
  const edge = (info: ValueInfo): ValueInfo => (isMain && halfType(info.type) ? info : wideInfo(info));
  return {
    ...graph,
    inputs: graph.inputs.map(edge),
    // A branch may give back a value from around it.
    outputs: graph.outputs.map((o) => (isMain ? edge(o) : { ...wideInfo(o), name: to(o.name) })),
    initializers,
    nodes: [...first, ...nodes, ...last],
    values: new Map(Array.from(graph.values, ([name, type]) => [to(name), wideType(type)])),
  };
};

/**
 * A model that computes in half precision, in float32 throughout, so that its derivatives neither underflow nor need kernels
 * that providers lack: each half parameter is cast once (its gradient is that of the Cast's result), float16 inputs and outputs keep their type behind a Cast. bfloat16
 * inputs and outputs become float32, as JavaScript has no tensors of that type. Law: the outputs are unchanged up to the
 * rounding to half precision that is left out in between. Other models are given back as they are.
 */
export const liftHalf = (model: Model): Model => {
  if (!hasHalf(model.graph)) return model;
  return { ...model, graph: widened(model.graph, new Map(), freshNames(namesWithin(model.graph)), true) };
};
