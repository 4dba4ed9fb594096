import type { DType } from '../base/tensor.ts';

/**
 * The messages of onnx.proto (IR version 3 to 13) as field name → [field number, kind]. Kinds: `int` (varint), `float`,
 * `bytes`, `text`, a message, each also repeated as `x[]`; `packed` is a repeated number kept as its undecoded bytes, so that
 * typed tensor data needs no array of JavaScript numbers. Fields that Assay does not carry are left out and skipped.
 */
export const messages = {
  Model: {
    irVersion: [1, 'int'],
    producer: [2, 'text'],
    producerVersion: [3, 'text'],
    domain: [4, 'text'],
    version: [5, 'int'],
    doc: [6, 'text'],
    graph: [7, 'Graph'],
    opsets: [8, 'Opset[]'],
    metadata: [14, 'Entry[]'],
    functions: [25, 'Function[]'],
  },
  Opset: { domain: [1, 'text'], version: [2, 'int'] },
  Entry: { key: [1, 'text'], value: [2, 'text'] },
  Function: {
    name: [1, 'text'],
    inputs: [4, 'text[]'],
    outputs: [5, 'text[]'],
    attributes: [6, 'text[]'],
    nodes: [7, 'Node[]'],
    doc: [8, 'text'],
    opsets: [9, 'Opset[]'],
    domain: [10, 'text'],
    defaults: [11, 'Attribute[]'],
    overload: [13, 'text'],
  },
  Graph: {
    nodes: [1, 'Node[]'],
    name: [2, 'text'],
    initializers: [5, 'Tensor[]'],
    doc: [10, 'text'],
    inputs: [11, 'Value[]'],
    outputs: [12, 'Value[]'],
    values: [13, 'Value[]'],
    sparseInitializers: [15, 'Sparse[]'],
  },
  Node: {
    inputs: [1, 'text[]'],
    outputs: [2, 'text[]'],
    name: [3, 'text'],
    op: [4, 'text'],
    attributes: [5, 'Attribute[]'],
    doc: [6, 'text'],
    domain: [7, 'text'],
    overload: [8, 'text'],
  },
  Attribute: {
    name: [1, 'text'],
    float: [2, 'float'],
    int: [3, 'int'],
    string: [4, 'text'],
    tensor: [5, 'Tensor'],
    graph: [6, 'Graph'],
    floats: [7, 'float[]'],
    ints: [8, 'int[]'],
    strings: [9, 'text[]'],
    tensors: [10, 'Tensor[]'],
    graphs: [11, 'Graph[]'],
    protoType: [14, 'Type'],
    protoTypes: [15, 'Type[]'],
    type: [20, 'int'],
    reference: [21, 'text'],
    sparse: [22, 'Sparse'],
    sparses: [23, 'Sparse[]'],
  },
  Value: { name: [1, 'text'], type: [2, 'Type'], doc: [3, 'text'] },
  Type: {
    tensor: [1, 'TensorType'],
    sequence: [4, 'ElementType'],
    map: [5, 'MapType'],
    denotation: [6, 'text'],
    sparse: [8, 'TensorType'],
    optional: [9, 'ElementType'],
  },
  TensorType: { element: [1, 'int'], shape: [2, 'Shape'] },
  ElementType: { element: [1, 'Type'] },
  MapType: { key: [1, 'int'], value: [2, 'Type'] },
  Shape: { dims: [1, 'Dim[]'] },
  Dim: { value: [1, 'int'], name: [2, 'text'], denotation: [3, 'text'] },
  Tensor: {
    dims: [1, 'int[]'],
    dtype: [2, 'int'],
    segment: [3, 'Segment'],
    floats: [4, 'packed'],
    int32s: [5, 'packed'],
    strings: [6, 'bytes[]'],
    int64s: [7, 'packed'],
    name: [8, 'text'],
    raw: [9, 'bytes'],
    doubles: [10, 'packed'],
    uint64s: [11, 'packed'],
    external: [13, 'Entry[]'],
    location: [14, 'int'],
  },
  Segment: { begin: [1, 'int'], end: [2, 'int'] },
  Sparse: { values: [1, 'Tensor'], indices: [2, 'Tensor'], dims: [3, 'int[]'] },
} as const;

export type MessageName = keyof typeof messages;

interface Scalars {
  int: number;
  float: number;
  bytes: Uint8Array;
  text: string;
}
type Item<K> = K extends keyof Scalars ? Scalars[K] : K extends MessageName ? Message<K> : never;

/** A decoded message: absent singular fields are undefined, absent repeated ones empty. */
export type Message<M extends MessageName> = {
  readonly [F in keyof (typeof messages)[M]]: (typeof messages)[M][F] extends readonly [number, infer K]
    ? K extends 'packed'
      ? readonly Uint8Array[]
      : K extends `${infer E}[]`
        ? readonly Item<E>[]
        : Item<K> | undefined
    : never;
};

/** TensorProto.DataType, by number. */
export const dtypes: readonly DType[] = [
  'undefined',
  'float32',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'float64',
  'uint32',
  'uint64',
  'complex64',
  'complex128',
  'bfloat16',
  'float8e4m3fn',
  'float8e4m3fnuz',
  'float8e5m2',
  'float8e5m2fnuz',
  'uint4',
  'int4',
  'float4e2m1',
  'float8e8m0',
  'uint2',
  'int2',
];

/** AttributeProto.AttributeType, by number. */
export const attributeTypes = [
  'undefined',
  'float',
  'int',
  'string',
  'tensor',
  'graph',
  'floats',
  'ints',
  'strings',
  'tensors',
  'graphs',
  'sparse',
  'sparses',
  'type',
  'types',
] as const;
