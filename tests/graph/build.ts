import type { DType, Tensor } from '../../src/base/tensor.ts';
import { constantOf } from '../../src/graph/constant.ts';
import type { Attribute, Constant, Dim, FunctionDef, Graph, Model, Node, ValueInfo } from '../../src/graph/types.ts';

export const int = (value: number): Attribute => ({ type: 'int', value });
export const ints = (...value: number[]): Attribute => ({ type: 'ints', value });
export const float = (value: number): Attribute => ({ type: 'float', value });
export const floats = (...value: number[]): Attribute => ({ type: 'floats', value });
export const text = (value: string): Attribute => ({ type: 'string', value });
export const body = (value: Graph): Attribute => ({ type: 'graph', value });
export const reference = (value: string): Attribute => ({ type: 'reference', value });

export const node = (
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, Attribute>> = {},
  domain = '',
): Node => ({ op, domain, name: `n_${outputs.find((o) => o) ?? op}`, inputs, outputs, attributes });

export const value = (name: string, dims: readonly Dim[], dtype: DType = 'float32'): ValueInfo => ({
  name,
  type: { kind: 'tensor', dtype, dims },
});

export const graph = (
  inputs: readonly ValueInfo[],
  nodes: readonly Node[],
  outputs: readonly (string | ValueInfo)[],
  initializers: Readonly<Record<string, Constant>> = {},
): Graph => ({
  name: 'g',
  inputs,
  outputs: outputs.map((o) => (typeof o === 'string' ? { name: o } : o)),
  nodes,
  initializers: new Map(Object.entries(initializers)),
  values: new Map(),
});

export const model = (g: Graph, opset = 21, functions: readonly FunctionDef[] = [], domains: readonly string[] = []): Model => ({
  irVersion: opset < 9 ? 3 : opset < 13 ? 6 : 8,
  opsets: new Map<string, number>([['', opset], ...domains.map((d): [string, number] => [d, 1])]),
  producer: 'tests',
  producerVersion: '1',
  domain: '',
  version: 0,
  metadata: new Map(),
  graph: g,
  functions,
});

/** Deterministic values with both signs and no ties. */
export const wave = (dims: readonly number[], scale = 1): Tensor => ({
  dtype: 'float32',
  dims,
  data: Float32Array.from(
    { length: dims.reduce((n, d) => n * d, 1) },
    (_, i) => scale * (Math.sin(1.7 * i + 0.3) + 0.1 * Math.cos(0.37 * i)),
  ),
});

export const floatConstant = (dims: readonly number[], scale = 1): Constant =>
  constantOf('float32', dims, Array.from(wave(dims, scale).data as Float32Array));
export const intConstant = (...values: number[]): Constant => constantOf('int64', [values.length], values);

export const constantly = (dtype: 'bool' | 'uint8', dims: readonly number[], v: number): Tensor => ({
  dtype,
  dims,
  data: new Uint8Array(dims.reduce((n, d) => n * d, 1)).fill(v),
});
