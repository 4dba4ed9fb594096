import { Fault } from '../base/fault.ts';
import { attributeTypes, dtypes } from './schema.ts';
import type { Attribute, Attributes, Constant, FunctionDef, Graph, Model, Node, SparseConstant, ValueInfo, ValueType } from './types.ts';
import { encode, type Sent } from './wire.ts';

const given = (text: string | undefined): string | undefined => text || undefined;

const shapeOf = (type: { readonly dtype: (typeof dtypes)[number]; readonly dims?: readonly (number | string | undefined)[] }) => ({
  element: dtypes.indexOf(type.dtype),
  shape: type.dims && {
    dims: type.dims.map((d) => (typeof d === 'number' ? { value: d } : typeof d === 'string' ? { name: d } : {})),
  },
});

const typeOf = (type: ValueType): Sent<'Type'> => {
  switch (type.kind) {
    case 'tensor':
      return { tensor: shapeOf(type) };
    case 'sparse':
      return { sparse: shapeOf(type) };
    case 'map':
      return { map: { key: dtypes.indexOf(type.key), value: type.of && typeOf(type.of) } };
    case 'sequence':
      return { sequence: { element: type.of && typeOf(type.of) } };
    case 'optional':
      return { optional: { element: type.of && typeOf(type.of) } };
  }
};

const infoOf = (v: ValueInfo): Sent<'Value'> => ({ name: v.name, type: v.type && typeOf(v.type), doc: given(v.doc) });

const tensorOf = (c: Constant, name?: string): Sent<'Tensor'> => ({
  dims: c.dims,
  dtype: dtypes.indexOf(c.dtype),
  name: given(name),
  ...(c.external
    ? {
        location: 1,
        external: [
          { key: 'location', value: c.external.location },
          { key: 'offset', value: String(c.external.offset) },
          { key: 'length', value: String(c.external.length) },
        ],
      }
    : c.strings
      ? { strings: c.strings }
      : { raw: c.bytes ?? new Uint8Array(0) }),
});

const sparseOf = (s: SparseConstant, name?: string): Sent<'Sparse'> => ({
  values: tensorOf(s.values, name),
  indices: tensorOf(s.indices),
  dims: s.dims,
});

const payload = (a: Attribute): Sent<'Attribute'> => {
  switch (a.type) {
    case 'int':
      return { int: a.value };
    case 'float':
      return { float: a.value };
    case 'string':
      return { string: a.value };
    case 'ints':
      return { ints: a.value };
    case 'floats':
      return { floats: a.value };
    case 'strings':
      return { strings: a.value };
    case 'tensor':
      return { tensor: tensorOf(a.value) };
    case 'tensors':
      return { tensors: a.value.map((t) => tensorOf(t)) };
    case 'sparse':
      return { sparse: sparseOf(a.value) };
    case 'sparses':
      return { sparses: a.value.map((s) => sparseOf(s)) };
    case 'graph':
      return { graph: graphOf(a.value) };
    case 'graphs':
      return { graphs: a.value.map(graphOf) };
    case 'type':
      return { protoType: typeOf(a.value) };
    case 'types':
      return { protoTypes: a.value.map(typeOf) };
    case 'reference':
      return { reference: a.value };
  }
};

const attributesOf = (attributes: Attributes): readonly Sent<'Attribute'>[] =>
  Object.entries(attributes).map(([name, a]) => ({
    name,
    ...payload(a),
    type: a.type === 'reference' ? undefined : attributeTypes.indexOf(a.type),
  }));

const nodeOf = (n: Node): Sent<'Node'> => ({
  inputs: n.inputs,
  outputs: n.outputs,
  name: given(n.name),
  op: n.op,
  attributes: attributesOf(n.attributes),
  doc: given(n.doc),
  domain: given(n.domain),
  overload: given(n.overload),
});

const graphOf = (g: Graph): Sent<'Graph'> => ({
  nodes: g.nodes.map(nodeOf),
  name: g.name,
  initializers: Array.from(g.initializers, ([name, c]) => tensorOf(c, name)),
  doc: given(g.doc),
  inputs: g.inputs.map(infoOf),
  outputs: g.outputs.map(infoOf),
  values: Array.from(g.values, ([name, type]) => infoOf({ name, type })),
  sparseInitializers: Array.from(g.sparseInitializers ?? [], ([name, s]) => sparseOf(s, name)),
});

const opsetsOf = (opsets: ReadonlyMap<string, number>): readonly Sent<'Opset'>[] =>
  Array.from(opsets, ([domain, version]) => ({ domain, version }));

const functionOf = (f: FunctionDef): Sent<'Function'> => ({
  name: f.name,
  inputs: f.inputs,
  outputs: f.outputs,
  attributes: f.attributes,
  nodes: f.nodes.map(nodeOf),
  doc: given(f.doc),
  opsets: opsetsOf(f.opsets),
  domain: f.domain,
  defaults: attributesOf(f.defaults),
  overload: given(f.overload),
});

/** protobuf's own limit on one message. */
const largest = 2 ** 31 - 1;
const stored = (g: Graph): number => Array.from(g.initializers.values()).reduce((n, c) => n + (c.bytes?.length ?? 0), 0);
/** Nodes and names of the largest graphs stay below this. */
const rest = 2 ** 26;
/** Whether the model and the weights it holds itself fit into one file. */
export const fitsOneFile = (model: Model): boolean => stored(model.graph) + rest <= largest;

/** The model as an ONNX file; `parse` gives back an equal model. Throws `graph/too-large` above 2 GB. */
export const write = (model: Model): Uint8Array => {
  const room = stored(model.graph);
  if (room > largest) throw new Fault('graph/too-large', { bytes: room });
  return encode(
    'Model',
    {
      irVersion: model.irVersion,
      producer: given(model.producer),
      producerVersion: given(model.producerVersion),
      domain: given(model.domain),
      version: model.version || undefined,
      doc: given(model.doc),
      graph: graphOf(model.graph),
      opsets: opsetsOf(model.opsets),
      metadata: Array.from(model.metadata, ([key, value]) => ({ key, value })),
      functions: model.functions.map(functionOf),
    },
    Math.min(largest, Math.ceil(room * 1.001) + 65536),
  );
};
