import { Fault } from '../base/fault.ts';
import type { DType } from '../base/tensor.ts';
import { attributeTypes, dtypes, type Message } from './schema.ts';
import { sniff } from './sniff.ts';
import { sparseOf, storedOf } from './stored.ts';
import type { Attribute, Attributes, Constant, FunctionDef, Graph, Model, Node, SparseConstant, ValueInfo, ValueType } from './types.ts';
import { decode } from './wire.ts';

type Bad = (reason: string) => never;

/** The standard domain is written '' or `ai.onnx`; here always ''. */
const domainOf = (domain: string | undefined): string => (domain === 'ai.onnx' ? '' : (domain ?? ''));
const dtypeOf = (code: number | undefined): DType => dtypes[code ?? 0] ?? 'undefined';

const typeOf = (t: Message<'Type'> | undefined): ValueType | undefined => {
  const tensor = t?.tensor ?? t?.sparse;
  if (tensor) {
    const dims = tensor.shape?.dims.map((d) => (d.value !== undefined && d.value >= 0 ? d.value : d.name || undefined));
    return { kind: t?.tensor ? 'tensor' : 'sparse', dtype: dtypeOf(tensor.element), ...(dims ? { dims } : {}) };
  }
  const list = t?.sequence ?? t?.optional;
  if (list) {
    const of = typeOf(list.element);
    return { kind: t?.sequence ? 'sequence' : 'optional', ...(of ? { of } : {}) };
  }
  if (!t?.map) return undefined;
  const of = typeOf(t.map.value);
  return { kind: 'map', key: dtypeOf(t.map.key), ...(of ? { of } : {}) };
};

const infoOf = (v: Message<'Value'>): ValueInfo => {
  const type = typeOf(v.type);
  return { name: v.name ?? '', ...(type ? { type } : {}), ...(v.doc ? { doc: v.doc } : {}) };
};

/** Files before IR version 2 name no attribute type: the field that is present tells it. */
const guessedType = (a: Message<'Attribute'>): (typeof attributeTypes)[number] => {
  for (const k of ['float', 'int', 'string', 'tensor', 'graph', 'sparse'] as const) if (a[k] !== undefined) return k;
  for (const k of ['floats', 'ints', 'strings', 'tensors', 'graphs', 'sparses'] as const) if (a[k].length > 0) return k;
  return 'ints';
};

const attributeOf = (a: Message<'Attribute'>, where: string, bad: Bad): Attribute => {
  if (a.reference) return { type: 'reference', value: a.reference };
  const type = a.type ? attributeTypes[a.type] : guessedType(a);
  const missing = (): never => bad(`attribute '${a.name}' of ${where} has no value of its type '${type}'`);
  switch (type) {
    case 'float':
      return { type, value: a.float ?? 0 };
    case 'int':
      return { type, value: a.int ?? 0 };
    case 'string':
      return { type, value: a.string ?? '' };
    case 'tensor':
      return a.tensor ? { type, value: storedOf(a.tensor, bad) } : missing();
    case 'graph':
      return a.graph ? { type, value: graphOf(a.graph, bad) } : missing();
    case 'floats':
      return { type, value: a.floats };
    case 'ints':
      return { type, value: a.ints };
    case 'strings':
      return { type, value: a.strings };
    case 'tensors':
      return { type, value: a.tensors.map((t) => storedOf(t, bad)) };
    case 'graphs':
      return { type, value: a.graphs.map((g) => graphOf(g, bad)) };
    case 'sparse':
      return a.sparse ? { type, value: sparseOf(a.sparse, bad) } : missing();
    case 'sparses':
      return { type, value: a.sparses.map((s) => sparseOf(s, bad)) };
    case 'type':
      return { type, value: typeOf(a.protoType) ?? missing() };
    case 'types':
      return { type, value: a.protoTypes.map((t) => typeOf(t) ?? missing()) };
    default:
      return bad(`attribute '${a.name}' of ${where} has the unknown type ${a.type}`);
  }
};

const attributesOf = (list: readonly Message<'Attribute'>[], where: string, bad: Bad): Attributes =>
  Object.fromEntries(list.map((a) => [a.name ?? '', attributeOf(a, where, bad)]));

const nodeOf = (n: Message<'Node'>, bad: Bad): Node => ({
  op: n.op ?? '',
  domain: domainOf(n.domain),
  name: n.name ?? '',
  inputs: n.inputs,
  outputs: n.outputs,
  attributes: attributesOf(n.attributes, `node '${n.name || n.outputs[0] || n.op}'`, bad),
  ...(n.doc ? { doc: n.doc } : {}),
  ...(n.overload ? { overload: n.overload } : {}),
});

const graphOf = (g: Message<'Graph'>, bad: Bad): Graph => {
  const initializers = new Map<string, Constant>();
  for (const t of g.initializers) initializers.set(t.name ?? '', storedOf(t, bad));
  const sparse = new Map<string, SparseConstant>();
  for (const s of g.sparseInitializers) sparse.set(s.values?.name ?? '', sparseOf(s, bad));
  const values = new Map<string, ValueType>();
  for (const v of g.values) {
    const type = typeOf(v.type);
    if (type) values.set(v.name ?? '', type);
  }
  return {
    name: g.name ?? '',
    inputs: g.inputs.map(infoOf),
    outputs: g.outputs.map(infoOf),
    nodes: g.nodes.map((n) => nodeOf(n, bad)),
    initializers,
    ...(sparse.size > 0 ? { sparseInitializers: sparse } : {}),
    values,
    ...(g.doc ? { doc: g.doc } : {}),
  };
};

const opsetsOf = (list: readonly Message<'Opset'>[]): ReadonlyMap<string, number> =>
  new Map(list.map((o) => [domainOf(o.domain), o.version ?? 1]));

const functionOf = (f: Message<'Function'>, bad: Bad): FunctionDef => ({
  name: f.name ?? '',
  domain: domainOf(f.domain),
  ...(f.overload ? { overload: f.overload } : {}),
  inputs: f.inputs,
  outputs: f.outputs,
  attributes: f.attributes,
  defaults: attributesOf(f.defaults, `function '${f.name}'`, bad),
  nodes: f.nodes.map((n) => nodeOf(n, bad)),
  opsets: opsetsOf(f.opsets),
  ...(f.doc ? { doc: f.doc } : {}),
});

/**
 * Reads an ONNX file. Stored tensors are views on `bytes` wherever the file keeps them raw or as packed floats.
 * `name` is what faults call the file; `folder` is where its external data lies.
 */
export const parse = (bytes: Uint8Array, name: string, folder?: string): Model => {
  const bad: Bad = (reason) => {
    throw new Fault('graph/not-onnx', { path: name, reason });
  };
  if (bytes.length === 0) return bad('the file is empty');
  let m: Message<'Model'>;
  try {
    m = decode('Model', bytes);
  } catch (cause) {
    const seen = sniff(bytes) ?? `it is cut short or damaged (${cause instanceof Error ? cause.message : String(cause)})`;
    throw new Fault('graph/not-onnx', { path: name, reason: seen }, { cause });
  }
  if (!m.graph) return bad(sniff(bytes) ?? 'it holds no graph (cut short, or another protocol buffer such as a TensorFlow .pb)');
  if (m.opsets.length === 0) return bad(sniff(bytes) ?? 'it names no operator set (cut short, or another protocol buffer)');
  return {
    irVersion: m.irVersion ?? 1,
    opsets: opsetsOf(m.opsets),
    producer: m.producer ?? '',
    producerVersion: m.producerVersion ?? '',
    domain: m.domain ?? '',
    version: m.version ?? 0,
    ...(m.doc ? { doc: m.doc } : {}),
    metadata: new Map(m.metadata.map((e) => [e.key ?? '', e.value ?? ''])),
    graph: graphOf(m.graph, bad),
    functions: m.functions.map((f) => functionOf(f, bad)),
    ...(folder === undefined ? {} : { folder }),
  };
};
